// One camera: what it sees now, how it is doing, and its open incidents.

import { useCallback, useMemo, type ReactNode } from "react";
import { api } from "../api/client";
import type { User } from "../api/types";
import { CrowdFigures } from "../crowd/figures";
import { CameraHistory } from "../crowd/history";
import { usePolled } from "../crowd/polled";
import { arrange, NO_FILTER } from "../incidents/order";
import { Row } from "../incidents/row";
import { useWords, type Words } from "../language/words";
import { useKnown } from "../live/store";
import { cameraMarks } from "../plan/marks";
import { Plan } from "../plan/plan";
import { mayViewCameras } from "../session/permissions";
import { CameraChip, Simulated } from "../shell/badges";
import { Icon } from "../shell/icons";
import { useKeys } from "../shell/keys";
import { cameraHref, go } from "../shell/route";
import { Since } from "./grid";
import { LiveView } from "./live_view";
import { Thresholds } from "./thresholds";

const COUNTERS = [
  "frames_read",
  "frames_decoded",
  "frames_analysed",
  "frames_dropped",
  "reconnects",
  "timestamps_mended",
] as const;

const CROWD_MS = 1000;

/** What is the matter: a key of the catalogue, and after it what its text names (`key percent=20`). */
function matter(detail: string, find: Words["find"]): string {
  const [key = "", ...named] = detail.split(" ");
  const values: Record<string, string> = {};
  for (const pair of named) values[pair.slice(0, pair.indexOf("="))] = pair.slice(pair.indexOf("=") + 1);
  return find(`console.camera.detail.${key}`) ?? find(key, values) ?? detail;
}

export function CameraPage({ id, user }: { id: string; user: User }): ReactNode {
  const { t, number, full, find } = useWords();
  const { cameras, sites, incidents, loaded } = useKnown();
  const camera = cameras.get(id);
  const askCrowd = useCallback((signal: AbortSignal) => api.crowd(id, signal), [id]);
  const crowd = usePolled(askCrowd, CROWD_MS, camera !== undefined);
  const neighbours = useMemo(
    () =>
      [...cameras.values()]
        .sort((a, b) => a.site.name.localeCompare(b.site.name) || a.name.localeCompare(b.name))
        .map((each) => each.id),
    [cameras],
  );
  const marks = useMemo(
    () =>
      cameraMarks(
        [...cameras.values()].filter((each) => each.site.id === camera?.site.id),
        sites,
      ).map((mark) => ({ ...mark, chief: mark.id === `camera ${id}` })),
    [cameras, sites, camera?.site.id, id],
  );
  const own = useMemo(
    () => arrange([...incidents.values()].filter((incident) => incident.camera.id === id), { ...NO_FILTER, state: "open" }),
    [incidents, id],
  );
  const move = (by: number): void => {
    const next = neighbours[neighbours.indexOf(id) + by];
    if (next !== undefined) go(cameraHref(next));
  };
  useKeys({
    j: () => {
      move(1);
    },
    k: () => {
      move(-1);
    },
    Escape: () => {
      go("#/cameras");
    },
  });

  const back = (
    <a className="ghost button back" href="#/cameras" aria-label={t("console.back")} title={t("console.back")}>
      <Icon name="back" />
    </a>
  );
  if (!camera) {
    return (
      <article className="incident camera-page">
        <header className="incident-head">{back}</header>
        <p className="empty dim">{t(loaded ? "console.camera.gone" : "console.loading")}</p>
      </article>
    );
  }
  const zone = sites.get(camera.site.id)?.time_zone;
  return (
    <article className="incident camera-page">
      <header className="incident-head">
        {back}
        <div>
          <h2 tabIndex={-1}>{camera.name}</h2>
          <p>
            {camera.simulated && <Simulated />}
            {camera.site.name}
            <span className="dim">
              {" "}
              · {find(`site.kind.${camera.site.kind}`) ?? camera.site.kind}
            </span>
          </p>
          {camera.simulated && <p className="dim small">{t("console.camera.simulated_hint")}</p>}
        </div>
        <div className="standing">
          <CameraChip state={camera.state} />
          <Since at={camera.since} />
        </div>
      </header>
      {camera.detail && (
        <p className={camera.state === "lost" ? "failure" : "notice"} role="status">
          {matter(camera.detail, find)}
        </p>
      )}
      {mayViewCameras(user.role) ? (
        <LiveView key={id} camera={camera} crowd={crowd.value} />
      ) : (
        <p className="dim">{t("console.camera.forbidden")}</p>
      )}
      <div className="panels">
        <div>
          <CrowdFigures crowd={crowd.value} failed={crowd.failed} />
          {own.length > 0 && (
            <section className="panel">
              <h3>{t("console.camera.incidents")}</h3>
              <ol className="rows">
                {own
                  .flatMap((group) => group.incidents)
                  .map((incident) => (
                    <Row key={incident.id} incident={incident} zone={zone} selected={false} opened={false} arrived={false} />
                  ))}
              </ol>
            </section>
          )}
          <section className="panel">
            <h3>{t("console.camera.health")}</h3>
            <dl className="facts">
              {camera.since && (
                <>
                  <dt>{t("console.camera.since")}</dt>
                  <dd>{full(camera.since, zone)}</dd>
                </>
              )}
              <dt>{t("console.camera.fps")}</dt>
              <dd>{number(camera.fps, 1)}</dd>
              <dt>{t("console.camera.recording")}</dt>
              <dd>{t(camera.recording ? "console.yes" : "console.no")}</dd>
              {COUNTERS.map((name) => (
                <div key={name} className="fact">
                  <dt>{t(`console.counter.${name}`)}</dt>
                  <dd>{number(camera.counters[name])}</dd>
                </div>
              ))}
            </dl>
          </section>
          <Thresholds key={id} camera={id} />
        </div>
        <div>
          <CameraHistory
            key={id}
            id={id}
            places={camera.zones.map(({ name }) => name)}
            lines={camera.lines.map(({ name }) => name)}
            zone={zone}
          />
          <section className="panel where">
            <h3>{t("console.incident.where")}</h3>
            {marks.length > 0 ? (
              <Plan marks={marks} label={t("console.incident.where")} />
            ) : (
              <p className="dim">{t("console.map.nowhere")}</p>
            )}
          </section>
        </div>
      </div>
    </article>
  );
}
