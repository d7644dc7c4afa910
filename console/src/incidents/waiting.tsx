// On every page: that incidents wait for somebody, which first, and what hides them.

import type { ReactNode } from "react";
import type { Incident } from "../api/types";
import { useWords } from "../language/words";
import { Severity } from "../shell/badges";
import { incidentHref } from "../shell/route";
import { NO_FILTER, passes, type Filter } from "./order";
import { Waiting } from "./row";

interface Props {
  waiting: readonly Incident[];
  /** The filter of the list where the list is in view; null on other pages. */
  filter: Filter | null;
  onFilter: (filter: Filter) => void;
  opened: string | null;
}

/** Nothing where all that waits stands in the list in view, or is the one that is open. */
export function WaitingBanner({ waiting, filter, onFilter, opened }: Props): ReactNode {
  const { t, behaviour, number } = useWords();
  const unseen = waiting.filter((incident) => incident.id !== opened && (filter === null || !passes(incident, filter)));
  const first = unseen[0];
  if (first === undefined) return null;
  return (
    <div className={`waiting-banner grade-${first.severity}`} role="alert">
      <Severity grade={first.severity} word />
      <span className="clip-text">
        <strong>{t("console.waiting.count", { count: unseen.length, number: number(unseen.length) })}</strong>{" "}
        {behaviour(first.behaviour)}, {first.camera.name} <span className="dim">· {first.site.name}</span>
      </span>
      <Waiting since={first.opened_at} />
      {filter !== null && (
        <button
          type="button"
          className="plain"
          onClick={() => {
            onFilter(NO_FILTER);
          }}
        >
          {t("console.waiting.filtered")}
        </button>
      )}
      <a className="button primary" href={incidentHref(first.id)}>
        {t("console.waiting.go")} <kbd>G</kbd>
      </a>
    </div>
  );
}
