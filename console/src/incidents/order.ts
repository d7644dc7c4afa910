// What an operator looks at first: waiting before in hand before closed; then the gravest; then the newest.

import type { Incident } from "../api/types";

export type Group = "waiting" | "in_hand" | "closed";
export const GROUPS: readonly Group[] = ["waiting", "in_hand", "closed"];

export interface Filter {
  site: string;
  behaviour: string;
  /** A state, "open" for all but resolved, "" for all. */
  state: string;
}

export const NO_FILTER: Filter = { site: "", behaviour: "", state: "" };

export function groupOf(incident: Pick<Incident, "state">): Group {
  if (incident.state === "new") return "waiting";
  return incident.state === "resolved" ? "closed" : "in_hand";
}

export const isOpen = (incident: Pick<Incident, "state">): boolean => incident.state !== "resolved";

export function passes(incident: Incident, filter: Filter): boolean {
  return (
    (filter.site === "" || incident.site.id === filter.site) &&
    (filter.behaviour === "" || incident.behaviours.some((each) => each === filter.behaviour) || incident.behaviour === filter.behaviour) &&
    (filter.state === "" || (filter.state === "open" ? isOpen(incident) : incident.state === filter.state))
  );
}

/** When it was last news: opened, or begun anew. */
const lastNews = ({ opened_at, renewed_at }: Incident): number =>
  Math.max(Date.parse(opened_at), renewed_at === null ? 0 : Date.parse(renewed_at));

function before(a: Incident, b: Incident): number {
  const newest = lastNews(b) - lastNews(a) || b.id.localeCompare(a.id);
  return groupOf(a) === "closed" ? newest : b.severity - a.severity || newest;
}

export interface Grouped {
  group: Group;
  incidents: Incident[];
}

/** The incidents that pass the filter, in their groups; groups without any are left out. */
export function arrange(incidents: Iterable<Incident>, filter: Filter): Grouped[] {
  const rows: Record<Group, Incident[]> = { waiting: [], in_hand: [], closed: [] };
  for (const incident of incidents) {
    if (passes(incident, filter)) rows[groupOf(incident)].push(incident);
  }
  return GROUPS.map((group) => ({ group, incidents: rows[group].sort(before) })).filter(
    ({ incidents: found }) => found.length > 0,
  );
}

/** The incidents that the keys walk through: those that pass the filter and are not done, in the list's order. */
export function queue(incidents: Iterable<Incident>, filter: Filter): string[] {
  return arrange(incidents, filter)
    .filter(({ group }) => group !== "closed" || filter.state === "resolved")
    .flatMap(({ incidents: rows }) => rows.map(({ id }) => id));
}

/** The one `by` places after the selected; where that has left the queue, the one that stands in its place now. */
export function step(ids: readonly string[], selected: string | null, place: number, by: number): string | null {
  const here = selected === null ? -1 : ids.indexOf(selected);
  const wanted = here >= 0 ? here + by : selected === null ? 0 : by > 0 ? place : place - 1;
  return ids[Math.min(ids.length - 1, Math.max(0, wanted))] ?? null;
}

/** The first in the list that nobody has taken, other than `but`. */
export function nextWaiting(incidents: Iterable<Incident>, filter: Filter, but: string): string | null {
  const waiting = arrange(incidents, filter).find(({ group }) => group === "waiting");
  return waiting?.incidents.find(({ id }) => id !== but)?.id ?? null;
}

/** Whether an operator is done with it: closed, or found to be nothing. */
export const ended = (incident: Pick<Incident, "state" | "verdict">): boolean =>
  incident.state === "resolved" || incident.verdict === "false";
