// How many people there were over time: a chart with its band, the same as a table, and as files to take along.

import { useCallback, useState, type ReactNode } from "react";
import { api, BASE, historyPath, serverNow, type Subject } from "../api/client";
import type { History as Told } from "../api/types";
import { useWords } from "../language/words";
import { band, chart, HEIGHT, line, top, WIDTH } from "./chart";
import { usePolled } from "./polled";

const RANGES = [
  ["hour", 1],
  ["quarter", 6],
  ["day", 24],
  ["week", 168],
  ["month", 720],
  ["year", 8760],
] as const;

type Range = (typeof RANGES)[number][0];

const HOUR_MS = 3_600_000;

function Drawn({ history, zone, label }: { history: Told; zone: string | undefined; label: string }): ReactNode {
  const { t, short, number } = useWords();
  const drawn = chart(history);
  const { x, y, runs, gaps, ticks } = drawn;
  const crossings = history.kind === "line";
  const rough = history.steps.some((step) => (step.rough ?? 0) > 0);
  return (
    <figure className="history">
      <div className="history-body">
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
          {gaps.map(({ begin, end }) => (
            <rect key={begin} className="history-gap" x={x(begin)} width={Math.max(1, x(end) - x(begin))} y="0" height={HEIGHT} />
          ))}
          {ticks.map((tick) => (
            <line key={tick} className="curve-grid" x1="0" x2={WIDTH} y1={y(tick)} y2={y(tick)} />
          ))}
          {runs.map((run) => {
            const key = run[0]?.at;
            return crossings ? (
              <g key={key}>
                <polyline className="history-line hue-0" points={line(drawn, run, history.step_s, (step) => step.ins)} />
                <polyline className="history-line hue-1" points={line(drawn, run, history.step_s, (step) => step.outs)} />
              </g>
            ) : (
              <g key={key}>
                <polygon className="history-band" points={band(drawn, run, history.step_s)} />
                <polyline className="history-most" points={line(drawn, run, history.step_s, (step) => step.most)} />
                <polyline className="history-line hue-0" points={line(drawn, run, history.step_s, (step) => step.count)} />
                {run
                  .filter((step) => (step.rough ?? 0) > 0)
                  .map((step) => (
                    <line
                      key={step.at}
                      className="history-rough"
                      x1={x(Date.parse(step.at))}
                      x2={x(Date.parse(step.at) + history.step_s * 1000)}
                      y1={HEIGHT - 2}
                      y2={HEIGHT - 2}
                    />
                  ))}
              </g>
            );
          })}
          {history.capacity !== null && !crossings && (
            <line className="history-capacity" x1="0" x2={WIDTH} y1={y(history.capacity)} y2={y(history.capacity)} />
          )}
        </svg>
        <span className="history-scale" aria-hidden="true">
          {ticks.map((tick) => (
            <span key={tick} style={{ top: `${(100 * y(tick)) / HEIGHT}%` }}>
              {number(tick, 1)}
            </span>
          ))}
        </span>
      </div>
      <div className="curve-times" aria-hidden="true">
        <span>{short(history.begin, zone)}</span>
        <span>{short(history.end, zone)}</span>
      </div>
      <figcaption className="legend">
        {crossings ? (
          <>
            <span className="hue-0"><i aria-hidden="true" />{t("console.crowd.ins")}</span>
            <span className="hue-1"><i aria-hidden="true" />{t("console.crowd.outs")}</span>
          </>
        ) : (
          <>
            <span className="hue-0"><i aria-hidden="true" />{t("console.history.mean")}</span>
            <span className="key-band"><i aria-hidden="true" />{t("console.history.band")}</span>
            <span className="key-most"><i aria-hidden="true" />{t("console.history.most")}</span>
            {history.capacity !== null && <span className="key-capacity"><i aria-hidden="true" />{t("console.history.capacity")}</span>}
            {rough && <span className="key-rough"><i aria-hidden="true" />{t("console.history.rough")}</span>}
          </>
        )}
        {gaps.length > 0 && <span className="key-gap"><i aria-hidden="true" />{t("console.history.gap")}</span>}
      </figcaption>
    </figure>
  );
}

function Table({ history, zone, label }: { history: Told; zone: string | undefined; label: string }): ReactNode {
  const { t, short, number } = useWords();
  const figure = (value: number | null, digits = 1): string => (value === null ? "–" : number(value, digits));
  const crossings = history.kind === "line";
  const dense = history.steps.some((step) => step.density !== null);
  return (
    <div className="history-table" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("console.history.at")}</th>
            {crossings ? (
              <>
                <th scope="col">{t("console.crowd.ins")}</th>
                <th scope="col">{t("console.crowd.outs")}</th>
              </>
            ) : (
              <>
                <th scope="col">{t("console.history.mean")}</th>
                <th scope="col">{t("console.history.band")}</th>
                <th scope="col">{t("console.history.most")}</th>
                {dense && <th scope="col">{t("console.crowd.unit_m2")}</th>}
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {history.steps.map((step) => (
            <tr key={step.at}>
              <th scope="row">{short(step.at, zone)}</th>
              {crossings ? (
                <>
                  <td>{figure(step.ins)}</td>
                  <td>{figure(step.outs)}</td>
                </>
              ) : (
                <>
                  <td>{(step.rough ?? 0) > 0 ? `≥ ${figure(step.low, 0)}` : figure(step.count)}</td>
                  <td>
                    {figure(step.low)}–{figure(step.high)}
                  </td>
                  <td>{figure(step.most)}</td>
                  {dense && <td>{figure(step.density, 2)}</td>}
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The history of one subject; `name` is what people call it. */
export function History({ subject, name, zone }: { subject: Subject; name: string; zone: string | undefined }): ReactNode {
  const { t, short, number } = useWords();
  const [range, setRange] = useState<Range>("quarter");
  const [table, setTable] = useState(false);
  const [until, setUntil] = useState(serverNow);
  const hours = RANGES.find(([each]) => each === range)?.[1] ?? 6;
  const key = JSON.stringify(subject);
  const ask = useCallback(
    (signal: AbortSignal) => {
      const end = serverNow();
      setUntil(end);
      return api.history(historyPath(JSON.parse(key) as Subject, end - hours * HOUR_MS, end), signal);
    },
    [key, hours],
  );
  const { value, failed } = usePolled(ask, Math.max(30_000, hours * 5_000));
  const begin = until - hours * HOUR_MS;
  const label = t("console.history.chart", {
    name,
    begin: short(begin, zone),
    end: short(until, zone),
    most: number(Math.max(0, ...(value?.steps.map(top) ?? []))),
  });
  return (
    <div className="history-box">
      <div className="history-choice" role="group" aria-label={t("console.history.range")}>
        {RANGES.map(([each]) => (
          <button
            key={each}
            type="button"
            aria-pressed={range === each}
            onClick={() => {
              setRange(each);
            }}
          >
            {t(`console.history.${each}`)}
          </button>
        ))}
        <button
          type="button"
          className="plain"
          onClick={() => {
            setTable(!table);
          }}
        >
          {t(table ? "console.history.as_chart" : "console.history.table")}
        </button>
      </div>
      {value && value.steps.length > 0 ? (
        table ? <Table history={value} zone={zone} label={label} /> : <Drawn history={value} zone={zone} label={label} />
      ) : (
        <p className="dim history-empty">
          {t(value ? "console.history.none" : failed ? "console.history.failed" : "console.loading")}
        </p>
      )}
      <p className="history-files small">
        {(["csv", "parquet"] as const).map((format) => (
          <a key={format} href={BASE + historyPath(subject, begin, until, format)} download>
            {t("console.history.download", { format: format === "csv" ? "CSV" : "Parquet" })}
          </a>
        ))}
        <span className="dim">{t("console.history.recorded")}</span>
      </p>
    </div>
  );
}

/** The history of a camera, with a choice of its zones and lines. */
export function CameraHistory({ id, places, lines, zone }: { id: string; places: string[]; lines: string[]; zone: string | undefined }): ReactNode {
  const { t } = useWords();
  const [chosen, setChosen] = useState("place picture");
  const options = [
    ["place picture", t("console.crowd.picture")],
    ...places.map((each) => [`place ${each}`, each]),
    ...lines.map((each) => [`line ${each}`, each]),
  ] as const;
  const [value, text] = options.find(([each]) => each === chosen) ?? options[0];
  const name = value.slice(value.indexOf(" ") + 1);
  const subject: Subject = value.startsWith("line ") ? { camera: id, line: name } : { camera: id, place: name };
  return (
    <section className="panel history-panel">
      <header>
        <h3>{t("console.history.title")}</h3>
        {options.length > 1 && (
          <select
            aria-label={t("console.history.subject")}
            value={value}
            onChange={(event) => {
              setChosen(event.target.value);
            }}
          >
            {options.map(([each, said]) => (
              <option key={each} value={each}>
                {said}
              </option>
            ))}
          </select>
        )}
      </header>
      <History subject={subject} name={text} zone={zone} />
    </section>
  );
}
