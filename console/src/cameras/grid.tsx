// All cameras by site: which see, which do not, and since when.

import { useMemo, useState, type ReactNode } from "react";
import type { Camera, CameraState, User } from "../api/types";
import { atLeast } from "../crowd/number";
import { isOpen } from "../incidents/order";
import { useWords } from "../language/words";
import { useNow } from "../live/now";
import { useKnown } from "../live/store";
import { mayViewCameras } from "../session/permissions";
import { CameraChip, Severity, Simulated } from "../shell/badges";
import { cameraHref } from "../shell/route";
import { Picture } from "./picture";
import type { Severity as Grade } from "../api/types";

const STATES: readonly CameraState[] = ["live", "degraded", "connecting", "lost"];

export function Since({ at }: { at: string | null }): ReactNode {
  const { roughly } = useWords();
  const now = useNow();
  if (at === null) return null;
  return <span className="dim figures">{roughly((now - Date.parse(at)) / 1000)}</span>;
}

function Tile({ camera, pictures, gravest }: { camera: Camera; pictures: boolean; gravest: Grade | undefined }): ReactNode {
  const { t } = useWords();
  return (
    <li className={`tile tile-${camera.state}${gravest ? ` alarm grade-${gravest}` : ""}`}>
      <a href={cameraHref(camera.id)}>
        {pictures ? <Picture id={camera.id} name={camera.name} /> : <div className="shot" />}
        {camera.simulated && <Simulated />}
        <span className="tile-name">
          {gravest && <Severity grade={gravest} />}
          <span className="clip-text">{camera.name}</span>
        </span>
        <span className="tile-state">
          <CameraChip state={camera.state} />
          <Since at={camera.since} />
          {camera.recording && (
            <span className="rec" title={t("console.camera.recording")}>
              <span className="dot" aria-hidden="true" />
              <span className="unseen">{t("console.camera.recording")}</span>
            </span>
          )}
          {camera.people > 0 && (
            <span className="dim tile-people">
              {camera.people_rough
                ? atLeast(camera.people, { t })
                : t("console.incident.people", { count: camera.people })}
            </span>
          )}
        </span>
      </a>
    </li>
  );
}

export function CameraGrid({ user }: { user: User }): ReactNode {
  const { t, number, find } = useWords();
  const { cameras, sites, incidents, loaded } = useKnown();
  const [state, setState] = useState<CameraState | "">("");
  const pictures = mayViewCameras(user.role);

  const gravest = useMemo(() => {
    const found = new Map<string, Grade>();
    for (const incident of incidents.values()) {
      if (!isOpen(incident)) continue;
      const before = found.get(incident.camera.id) ?? 0;
      if (incident.severity > before) found.set(incident.camera.id, incident.severity);
    }
    return found;
  }, [incidents]);
  const groups = useMemo(() => {
    const bySite = new Map<string, { name: string; kind: string; cameras: Camera[] }>();
    for (const camera of cameras.values()) {
      if (state !== "" && camera.state !== state) continue;
      const group = bySite.get(camera.site.id) ?? { name: camera.site.name, kind: camera.site.kind, cameras: [] };
      group.cameras.push(camera);
      bySite.set(camera.site.id, group);
    }
    const sorted = [...bySite.entries()].sort(([, a], [, b]) => a.name.localeCompare(b.name));
    for (const [, group] of sorted) group.cameras.sort((a, b) => a.name.localeCompare(b.name));
    return sorted;
  }, [cameras, state]);
  const counts = useMemo(() => {
    const each: Record<CameraState, number> = { live: 0, degraded: 0, connecting: 0, lost: 0 };
    for (const camera of cameras.values()) each[camera.state] += 1;
    return each;
  }, [cameras]);

  return (
    <section className="cameras" aria-label={t("console.nav.cameras")}>
      <div className="filters" role="group" aria-label={t("console.filter.state")}>
        <button
          type="button"
          aria-pressed={state === ""}
          onClick={() => {
            setState("");
          }}
        >
          {t("console.camera.all")} <span className="count">{number(cameras.size)}</span>
        </button>
        {STATES.map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={state === each}
            onClick={() => {
              setState(each);
            }}
          >
            <CameraChip state={each} /> <span className="count">{number(counts[each])}</span>
          </button>
        ))}
      </div>
      {!loaded && <p className="empty dim">{t("console.loading")}</p>}
      {loaded && groups.length === 0 && <p className="empty dim">{t("console.camera.none")}</p>}
      {groups.map(([id, group]) => (
        <div key={id} className="site">
          <h2>
            {group.name}
            <span className="dim">
              {[find(`site.kind.${group.kind}`), sites.get(id)?.address]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </h2>
          <ul className="grid">
            {group.cameras.map((camera) => (
              <Tile key={camera.id} camera={camera} pictures={pictures} gravest={gravest.get(camera.id)} />
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}
