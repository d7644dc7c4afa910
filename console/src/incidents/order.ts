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

function before(a: Incident, b: Incident): number {
  const newest = Date.parse(b.opened_at) - Date.parse(a.opened_at) || b.id.localeCompare(a.id);
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
