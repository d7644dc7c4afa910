// The places of all sites: how full each is, on one line; and which cameras do not see, and what that hides.

import { useState, type ReactNode } from "react";
import { api } from "../api/client";
import type { Blindness, PlaceNow } from "../api/types";
import { History } from "../crowd/history";
import { Meter } from "../crowd/meter";
import { people } from "../crowd/number";
import { usePolled } from "../crowd/polled";
import { duration } from "../language/format";
import { useWords, type Words } from "../language/words";
import { useNow } from "../live/now";
import { useKnown } from "../live/store";
import { cameraHref, incidentHref } from "../shell/route";

const OCCUPANCY_MS = 3000;
const FAULTS_MS = 5000;
const OLD_S = 30;
const STEADY = 0.5;

function Trend({ trend }: { trend: number | null }): ReactNode {
  const { t, number } = useWords();
  if (trend === null) return null;
  const [mark, key] =
    trend >= STEADY
      ? (["↗", "console.places.rising"] as const)
      : trend <= -STEADY
        ? (["↘", "console.places.falling"] as const)
        : (["→", "console.places.steady"] as const);
  const words = t(key, { count: number(Math.abs(trend), 1) });
  return (
    <span className="trend" title={words}>
      <span aria-hidden="true">{mark}</span>
      <span className="unseen">{words}</span>
    </span>
  );
}

function Occupancy({ place }: { place: PlaceNow }): ReactNode {
  const words = useWords();
  const { t, clock } = words;
  const now = useNow();
  const { sites } = useKnown();
  const [open, setOpen] = useState(false);
  const zone = sites.get(place.site.id)?.time_zone;
  const { count, low, high, rough, capacity } = place;
  const counted = count === null || low === null || high === null ? null : { count, low, high, rough };
  const at = place.at === null ? null : Date.parse(place.at);
  return (
    <li className="occupancy" data-site-place={`${place.site.id}/${place.name}`}>
      <button
        type="button"
        className="occupancy-line"
        aria-expanded={open}
        onClick={() => {
          setOpen(!open);
        }}
      >
        <span className="occupancy-name">
          <strong className="clip-text">{place.name}</strong>
          <span className="dim small clip-text">{place.site.name}</span>
        </span>
        <span className="occupancy-count figures">
          {counted ? people(counted, words) : <span className="dim">{t("console.places.unknown")}</span>} <Trend trend={place.trend} />
        </span>
        {counted && capacity !== null ? (
          <Meter counted={counted} capacity={capacity} name={place.name} />
        ) : (
          <span className="dim small">{capacity === null ? t("console.places.no_capacity") : ""}</span>
        )}
      </button>
      {at !== null && (now - at) / 1000 > OLD_S && (
        <p className="notice small">{t("console.places.old", { time: clock(at, zone) })}</p>
      )}
      {open && (
        <div className="occupancy-more">
          {place.gates.length > 0 && (
            <p className="dim small">
              {t("console.places.gates", {
                names: place.gates.map(({ camera, line }) => `${line} (${camera.name})`).join(", "),
              })}
            </p>
          )}
          <History subject={{ site: place.site.id, place: place.name }} name={place.name} zone={zone} />
        </div>
      )}
    </li>
  );
}

function hidden({ zones, behaviours }: Blindness["faulty"][number], { t, behaviour }: Words): string[] {
  const names = zones.map(({ name, seen_by }) =>
    seen_by.length > 0 ? `${name} (${t("console.blind.seen_by", { names: seen_by.map((each) => each.name).join(", ") })})` : name,
  );
  return [
    t("console.blind.zones", { names: names.length > 0 ? names.join(", ") : t("console.blind.picture") }),
    ...(behaviours.length > 0 ? [t("console.blind.behaviours", { names: behaviours.map(behaviour).join(", ") })] : []),
  ];
}

function Faults({ sight }: { sight: Blindness }): ReactNode {
  const words = useWords();
  const { t, short, reason, find, number } = words;
  const { sites } = useKnown();
  const now = useNow();
  const zone = sites.get(sight.site.id)?.time_zone;
  return (
    <section className="sight" aria-label={sight.site.name}>
      <h3>
        {sight.site.name}
        <span className={sight.blind > 0 ? "sight-count blind" : "sight-count"}>
          {t("console.blind.count", { blind: number(sight.blind), cameras: number(sight.cameras) })}
        </span>
      </h3>
      {sight.since && <p className="failure small">{t("console.blind.all")}</p>}
      <table className="faults">
        <thead>
          <tr>
            <th scope="col">{t("console.blind.camera")}</th>
            <th scope="col">{t("console.blind.what")}</th>
            <th scope="col">{t("console.blind.since")}</th>
            <th scope="col">{t("console.blind.hides")}</th>
          </tr>
        </thead>
        <tbody>
          {sight.faulty.map((each) => {
            const since = each.since ?? each.faults[0]?.since ?? null;
            return (
              <tr key={each.camera.id} data-faulty={each.camera.id}>
                <th scope="row">
                  <a href={cameraHref(each.camera.id)}>{each.camera.name}</a>
                  <span className={`chip ${each.blind ? "camera-lost" : "camera-degraded"}`}>
                    {t(each.blind ? "console.blind.chip" : "console.blind.doubtful")}
                  </span>
                </th>
                <td>
                  {each.faults.map((fault) => {
                    const told = fault.reason ? reason(fault.reason) : (find(`reason.camera_fault.${fault.kind}`) ?? fault.kind);
                    return (
                      <p key={fault.kind}>{fault.incident ? <a href={incidentHref(fault.incident)}>{told}</a> : told}</p>
                    );
                  })}
                </td>
                <td className="figures">
                  {since && (
                    <>
                      <time dateTime={since}>{short(since, zone)}</time>
                      <span className="dim small"> {t("console.blind.for", { time: duration((now - Date.parse(since)) / 1000) })}</span>
                    </>
                  )}
                </td>
                <td>{each.blind && hidden(each, words).map((line) => <p key={line}>{line}</p>)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

export function PlacesPage(): ReactNode {
  const { t } = useWords();
  const places = usePolled(api.places, OCCUPANCY_MS);
  const sights = usePolled(api.blindness, FAULTS_MS);
  const faulty = (sights.value ?? []).filter((sight) => sight.faulty.length > 0);
  return (
    <section className="places" aria-label={t("console.places.title")}>
      <div className="panel">
        <h2>{t("console.places.inside")}</h2>
        {places.value === null ? (
          <p className="dim">{t(places.failed ? "console.history.failed" : "console.loading")}</p>
        ) : places.value.length === 0 ? (
          <p className="dim">{t("console.places.none")}</p>
        ) : (
          <ul>
            {places.value.map((place) => (
              <Occupancy key={`${place.site.id} ${place.name}`} place={place} />
            ))}
          </ul>
        )}
      </div>
      <div className="panel">
        <h2>{t("console.blind.title")}</h2>
        {sights.value === null ? (
          <p className="dim">{t(sights.failed ? "console.history.failed" : "console.loading")}</p>
        ) : faulty.length === 0 ? (
          <p className="all-well">{t("console.blind.none")}</p>
        ) : (
          faulty.map((sight) => <Faults key={sight.site.id} sight={sight} />)
        )}
      </div>
    </section>
  );
}
