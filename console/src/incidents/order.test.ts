import { expect, it } from "vitest";
import type { Incident, IncidentState, Severity } from "../api/types";
import { news } from "../live/store";
import { arrange, ended, nextWaiting, NO_FILTER, queue, step } from "./order";

function incident(id: string, severity: Severity, state: IncidentState, minute: number): Incident {
  return {
    id,
    site: { id: minute % 2 === 0 ? "club" : "park", name: "" },
    camera: { id: "c", name: "", simulated: false },
    behaviour: "fight",
    behaviours: ["fight", "aggression"],
    severity,
    state,
    verdict: null,
    owner: null,
    opened_at: new Date(minute * 60_000).toISOString(),
    started_at: new Date(minute * 60_000).toISOString(),
    ended_at: null,
    people: 2,
    score: 0.9,
    box: null,
    zone: null,
    reason: null,
    clip: "none",
    still: false,
    position: null,
    actions: ["acknowledge"],
    version: 0,
    renewed_at: null,
  };
}

const ALL = [
  incident("low", 1, "new", 9),
  incident("grave", 4, "new", 1),
  incident("grave later", 4, "new", 2),
  incident("sent", 3, "dispatched", 3),
  incident("done", 4, "resolved", 4),
  incident("done later", 1, "resolved", 5),
];

const order = (filter = NO_FILTER): [string, string[]][] =>
  arrange(ALL, filter).map(({ group, incidents }) => [group, incidents.map(({ id }) => id)]);

it("waiting comes before in hand before closed; the gravest first, then the newest; closed by time alone", () => {
  expect(order()).toEqual([
    ["waiting", ["grave later", "grave", "low"]],
    ["in_hand", ["sent"]],
    ["closed", ["done later", "done"]],
  ]);
});

it("what began anew moves up", () => {
  const renewed = ALL.map((each) => (each.id === "grave" ? { ...each, renewed_at: new Date(600_000).toISOString() } : each));
  expect(arrange(renewed, NO_FILTER)[0]?.incidents.map(({ id }) => id)).toEqual(["grave", "grave later", "low"]);
});

it("filters work together", () => {
  expect(order({ site: "club", behaviour: "aggression", state: "open" })).toEqual([["waiting", ["grave later"]]]);
  expect(order({ ...NO_FILTER, behaviour: "intrusion" })).toEqual([]);
  expect(order({ ...NO_FILTER, state: "resolved" })).toEqual([["closed", ["done later", "done"]]]);
});

it("news is what is new to everybody, or graver than before", () => {
  const fresh = incident("x", 2, "new", 1);
  expect(news(undefined, fresh)).toBe("new");
  expect(news(fresh, fresh)).toBeNull();
  expect(news(fresh, { ...fresh, severity: 3 })).toBe("graver");
  expect(news(undefined, { ...fresh, state: "acknowledged" })).toBeNull();
  expect(news(fresh, { ...fresh, severity: 4, state: "resolved" })).toBeNull();
  const renewed = { ...fresh, state: "acknowledged" as const, renewed_at: new Date(120_000).toISOString() };
  expect(news(fresh, renewed)).toBe("renewed");
  expect(news(renewed, renewed)).toBeNull();
});

it("the keys walk through what is not done; what is, only where it was asked for", () => {
  expect(queue(ALL, NO_FILTER)).toEqual(["grave later", "grave", "low", "sent"]);
  expect(queue(ALL, { ...NO_FILTER, state: "resolved" })).toEqual(["done later", "done"]);
});

it("where the selected one has left the queue, the keys go on from its place", () => {
  const ids = ["a", "b", "c"];
  expect(step(ids, "a", 0, 1)).toBe("b");
  expect(step(ids, "c", 2, 1)).toBe("c");
  expect(step(ids, null, 0, 1)).toBe("a");
  // "x" stood second; what stands second now is next, what stands first is before.
  expect(step(ids, "x", 1, 1)).toBe("b");
  expect(step(ids, "x", 1, -1)).toBe("a");
  expect(step(ids, "x", 9, 1)).toBe("c");
  expect(step([], "x", 1, 1)).toBeNull();
});

it("the next that waits is the first that nobody has taken, of those in view", () => {
  expect(nextWaiting(ALL, NO_FILTER, "grave later")).toBe("grave");
  expect(nextWaiting(ALL, NO_FILTER, "other")).toBe("grave later");
  expect(nextWaiting(ALL, { ...NO_FILTER, site: "park" }, "other")).toBe("grave");
  expect(nextWaiting(ALL.filter(({ id }) => id === "sent"), NO_FILTER, "other")).toBeNull();
});

it("an incident is done with when it is closed or was nothing", () => {
  expect(ended({ state: "verified", verdict: "false" })).toBe(true);
  expect(ended({ state: "resolved", verdict: "true" })).toBe(true);
  expect(ended({ state: "verified", verdict: "true" })).toBe(false);
});
