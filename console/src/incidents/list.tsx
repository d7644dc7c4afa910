// The live list of incidents, with filters.

import { useEffect, useMemo, useState, type ReactNode } from "react";
import { api } from "../api/client";
import type { IncidentState } from "../api/types";
import { useWords } from "../language/words";
import { live, useKnown } from "../live/store";
import { explain } from "../shell/failure";
import { arrange, NO_FILTER, type Filter } from "./order";
import { Row } from "./row";

const STATES: readonly IncidentState[] = ["new", "acknowledged", "verified", "dispatched", "resolved"];
const OLDER = 50;

interface Props {
  filter: Filter;
  onFilter: (filter: Filter) => void;
  selected: string | null;
  opened: string | null;
  arrived: ReadonlySet<string>;
}

function Filters({ filter, onFilter }: Pick<Props, "filter" | "onFilter">): ReactNode {
  const { t, behaviour } = useWords();
  const { sites, incidents } = useKnown();
  const behaviours = useMemo(() => {
    const names = new Set<string>();
    for (const incident of incidents.values()) for (const name of incident.behaviours) names.add(name);
    if (filter.behaviour !== "") names.add(filter.behaviour);
    return [...names].sort();
  }, [incidents, filter.behaviour]);
  const set = (change: Partial<Filter>): void => {
    onFilter({ ...filter, ...change });
  };
  const used = filter.site !== "" || filter.behaviour !== "" || filter.state !== "";
  return (
    <div className="filters" role="search" aria-label={t("console.filter.title")}>
      <select
        aria-label={t("console.filter.state")}
        value={filter.state}
        onChange={(event) => {
          set({ state: event.target.value });
        }}
      >
        <option value="">{t("console.filter.all_states")}</option>
        <option value="open">{t("console.filter.open")}</option>
        {STATES.map((state) => (
          <option key={state} value={state}>
            {t(`console.state.${state}`)}
          </option>
        ))}
      </select>
      <select
        aria-label={t("console.filter.site")}
        value={filter.site}
        onChange={(event) => {
          set({ site: event.target.value });
        }}
      >
        <option value="">{t("console.filter.all_sites")}</option>
        {[...sites.values()].map((site) => (
          <option key={site.id} value={site.id}>
            {site.name}
          </option>
        ))}
      </select>
      <select
        aria-label={t("console.filter.behaviour")}
        value={filter.behaviour}
        onChange={(event) => {
          set({ behaviour: event.target.value });
        }}
      >
        <option value="">{t("console.filter.all_behaviours")}</option>
        {behaviours.map((name) => (
          <option key={name} value={name}>
            {behaviour(name)}
          </option>
        ))}
      </select>
      {used && (
        <button
          type="button"
          className="plain"
          onClick={() => {
            onFilter(NO_FILTER);
          }}
        >
          {t("console.filter.clear")}
        </button>
      )}
    </div>
  );
}

/** Closed incidents beyond the most recent ones, asked for a page at a time. */
function Older({ filter }: { filter: Filter }): ReactNode {
  const words = useWords();
  const { t } = words;
  const { older } = useKnown();
  const { site, behaviour } = filter;
  const filtered = site !== "" || behaviour !== "";
  // Undefined: from the newest; null: there are no more.
  const [next, setNext] = useState<string | null | undefined>(filtered ? undefined : older);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  const more = async (): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      const page = await api.incidents({
        state: "resolved",
        site,
        behaviour,
        limit: OLDER,
        ...(next == null ? {} : { before: next }),
      });
      live.add(page.items);
      setNext(page.next);
    } catch (error) {
      setFailure(explain(error, words));
    } finally {
      setBusy(false);
    }
  };

  if (next === null) return null;
  return (
    <div className="older">
      {failure && (
        <p className="failure" role="alert">
          {failure}
        </p>
      )}
      <button type="button" className="plain" disabled={busy} onClick={() => void more()}>
        {t("console.incidents.older")}
      </button>
    </div>
  );
}

export function IncidentList({ filter, onFilter, selected, opened, arrived }: Props): ReactNode {
  const words = useWords();
  const { t, number } = words;
  const { incidents, sites, cameras, loaded, failure } = useKnown();
  const groups = useMemo(() => arrange(incidents.values(), filter), [incidents, filter]);
  const liveCameras = [...cameras.values()].filter(({ state }) => state === "live" || state === "degraded").length;

  useEffect(() => {
    if (selected === null) return;
    document.querySelector(`[data-incident="${CSS.escape(selected)}"]`)?.scrollIntoView({ block: "nearest" });
  }, [selected]);

  return (
    <section className="list" aria-label={t("console.incidents.title")}>
      <Filters filter={filter} onFilter={onFilter} />
      {failure && (
        <p className="failure" role="alert">
          {explain(failure, words)}
        </p>
      )}
      {!loaded && !failure && <p className="empty dim">{t("console.loading")}</p>}
      {loaded && !groups.some(({ group }) => group !== "closed") && filter.state !== "resolved" && (
        <div className="empty">
          <p className="calm">{t("console.incidents.none")}</p>
          <p className="dim">
            {t("console.incidents.watching", { live: liveCameras, cameras: cameras.size })}
          </p>
        </div>
      )}
      {groups.map(({ group, incidents: rows }) => (
        <div key={group} className={`group group-${group}`}>
          <h2>
            {t(`console.group.${group}`)} <span className="count">{number(rows.length)}</span>
          </h2>
          <ol>
            {rows.map((incident) => (
              <Row
                key={incident.id}
                incident={incident}
                zone={sites.get(incident.site.id)?.time_zone}
                selected={incident.id === selected}
                opened={incident.id === opened}
                arrived={arrived.has(incident.id)}
              />
            ))}
          </ol>
        </div>
      ))}
      {loaded && (filter.state === "" || filter.state === "resolved") && (
        <Older key={`${filter.site} ${filter.behaviour}`} filter={filter} />
      )}
    </section>
  );
}
