// The live list of incidents, with filters.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { api } from "../api/client";
import type { Incident, IncidentState } from "../api/types";
import { useWords } from "../language/words";
import { live, useKnown } from "../live/store";
import { explain } from "../shell/failure";
import { arrange, NO_FILTER, type Filter, type Group } from "./order";
import { Row } from "./row";

const STATES: readonly IncidentState[] = ["new", "acknowledged", "verified", "dispatched", "resolved"];
const OLDER = 50;
/** What a row, a head and the filters are taken to be high until they have been measured. */
const ROW_PX = 58;
const HEAD_PX = 38;
const FILTERS_PX = 56;

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

/** What stands in the list: the head of a group, or one of its incidents. */
type Entry = { head: Group; count: number } | { incident: Incident };

export function IncidentList({ filter, onFilter, selected, opened, arrived }: Props): ReactNode {
  const words = useWords();
  const { t, number } = words;
  const { incidents, sites, cameras, loaded, failure } = useKnown();
  const groups = useMemo(() => arrange(incidents.values(), filter), [incidents, filter]);
  const entries = useMemo(
    () =>
      groups.flatMap<Entry>(({ group, incidents: rows }) => [
        { head: group, count: rows.length },
        ...rows.map((incident) => ({ incident })),
      ]),
    [groups],
  );
  const liveCameras = [...cameras.values()].filter(({ state }) => state === "live" || state === "degraded").length;
  const scroller = useRef<HTMLElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (entries[index] && "head" in entries[index] ? HEAD_PX : ROW_PX),
    getItemKey: (index) => {
      const entry = entries[index];
      return entry === undefined ? index : "head" in entry ? entry.head : entry.incident.id;
    },
    overscan: 12,
    scrollPaddingStart: FILTERS_PX,
    scrollMargin: list.current?.offsetTop ?? 0,
  });

  const place = selected === null ? -1 : entries.findIndex((entry) => "incident" in entry && entry.incident.id === selected);
  const shown = useRef<string | null>(null);
  useEffect(() => {
    // Only when another is selected: what arrives meanwhile does not pull the list away under the eyes.
    if (selected === shown.current || place < 0) return;
    shown.current = selected;
    virtual.scrollToIndex(place, { align: "auto" });
  }, [selected, place, virtual]);

  return (
    <section className="list" aria-label={t("console.incidents.title")} ref={scroller} data-top={virtual.scrollOffset === 0}>
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
      <ol className="virtual-rows" ref={list} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ key, index, start }) => {
          const entry = entries[index];
          if (entry === undefined) return null;
          const at = { transform: `translateY(${start - virtual.options.scrollMargin}px)` };
          return (
            <li key={key} ref={virtual.measureElement} data-index={index} style={at}>
              {"head" in entry ? (
                <h2 className={`group group-${entry.head}`}>
                  {t(`console.group.${entry.head}`)} <span className="count">{number(entry.count)}</span>
                </h2>
              ) : (
                <Row
                  incident={entry.incident}
                  zone={sites.get(entry.incident.site.id)?.time_zone}
                  selected={entry.incident.id === selected}
                  opened={entry.incident.id === opened}
                  arrived={arrived.has(entry.incident.id)}
                />
              )}
            </li>
          );
        })}
      </ol>
      {loaded && (filter.state === "" || filter.state === "resolved") && (
        <Older key={`${filter.site} ${filter.behaviour}`} filter={filter} />
      )}
    </section>
  );
}
