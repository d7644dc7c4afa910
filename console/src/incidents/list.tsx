// The live list of incidents, with filters.

import { useEffect, useMemo, useState, type ReactNode } from "react";
import { api } from "../api/client";
import type { Incident, IncidentState } from "../api/types";
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
function Older({ filter, last }: { filter: Filter; last: Incident | undefined }): ReactNode {
  const words = useWords();
  const { t } = words;
  const [state, setState] = useState<"idle" | "busy" | "end">("idle");
  const [failure, setFailure] = useState<string | null>(null);
  const { site, behaviour } = filter;

  const more = async (): Promise<void> => {
    setState("busy");
    setFailure(null);
    try {
      const page = await api.incidents({
        state: "resolved",
        site,
        behaviour,
        limit: OLDER,
        ...(last ? { before: last.id } : {}),
      });
      live.add(page.items);
      setState(page.next === null ? "end" : "idle");
    } catch (error) {
      setFailure(explain(error, words));
      setState("idle");
    }
  };

  if (state === "end") return null;
  return (
    <div className="older">
      {failure && (
        <p className="failure" role="alert">
          {failure}
        </p>
      )}
      <button type="button" className="plain" disabled={state === "busy"} onClick={() => void more()}>
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
  const closed = groups.find(({ group }) => group === "closed")?.incidents;
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
        <Older key={`${filter.site} ${filter.behaviour}`} filter={filter} last={closed?.[closed.length - 1]} />
      )}
    </section>
  );
}
