// One incident in one line: how grave, what, where, how long it has waited, who has it.

import { memo, type ReactNode } from "react";
import type { Incident } from "../api/types";
import { duration } from "../language/format";
import { useWords } from "../language/words";
import { useNow } from "../live/now";
import { Severity, Simulated, StateChip } from "../shell/badges";
import { incidentHref } from "../shell/route";
import { useOutbox } from "./handling";
import { isOpen } from "./order";

export function Waiting({ since }: { since: string }): ReactNode {
  const { t } = useWords();
  const now = useNow();
  const seconds = (now - Date.parse(since)) / 1000;
  const patience = seconds > 300 ? "waiting very-long" : seconds > 60 ? "waiting long" : "waiting";
  return (
    <span className={patience} title={t("console.incident.waiting")}>
      {duration(seconds)}
    </span>
  );
}

interface Props {
  incident: Incident;
  zone: string | undefined;
  selected: boolean;
  opened: boolean;
  arrived: boolean;
}

export const Row = memo(function Row({ incident, zone, selected, opened, arrived }: Props): ReactNode {
  const { t, behaviour, short, number } = useWords();
  const unsent = useOutbox().unsent.some((each) => each.incident === incident.id);
  const others = incident.behaviours.filter((name) => name !== incident.behaviour).length;
  const classes = ["row", `grade-${incident.severity}`, `row-${incident.state}`];
  if (selected) classes.push("selected");
  if (opened) classes.push("opened");
  if (arrived) classes.push("arrived");
  return (
    <div className={classes.join(" ")} data-incident={incident.id}>
      <a href={incidentHref(incident.id)} aria-current={opened ? "page" : undefined}>
        <Severity grade={incident.severity} />
        <span className="row-what">
          <strong>{behaviour(incident.behaviour)}</strong>
          <span className="dim figures row-number">{t("console.incident.number", { number: incident.id })}</span>
          {others > 0 && <span className="dim"> +{number(others)}</span>}
          {incident.people > 0 && (
            <span className="row-people">{t("console.incident.people", { count: incident.people })}</span>
          )}
        </span>
        <span className="row-where">
          {incident.camera.simulated && <Simulated />}
          <span className="clip-text">
            {incident.camera.name} <span className="dim">· {incident.site.name}</span>
          </span>
        </span>
        <span className="row-time">
          {isOpen(incident) ? <Waiting since={incident.opened_at} /> : null}
          <time className="dim" dateTime={incident.opened_at}>
            {short(incident.opened_at, zone)}
          </time>
        </span>
        <span className="row-state">
          {incident.state !== "new" && <StateChip incident={incident} />}
          {incident.ended_at === null && isOpen(incident) && <span className="chip going-on">{t("console.event.going_on")}</span>}
          {unsent && <span className="chip not-yet">{t("console.step.not_yet_short")}</span>}
          {incident.owner && <span className="dim clip-text">{incident.owner}</span>}
        </span>
      </a>
    </div>
  );
});
