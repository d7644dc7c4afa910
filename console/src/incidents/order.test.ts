import { expect, it } from "vitest";
import type { Incident, IncidentState, Severity } from "../api/types";
import { news } from "../live/store";
import { foretold } from "./lifecycle";
import { arrange, NO_FILTER } from "./order";

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
});

it("a step is foretold as the server will take it", () => {
  const fresh = incident("x", 2, "new", 1);
  expect(foretold(fresh, { action: "acknowledge" }, "me")).toMatchObject({ state: "acknowledged", owner: "me" });
  const sent = { ...fresh, state: "dispatched" as const, owner: "her" };
  expect(foretold(sent, { action: "verify", verdict: "true" }, "me")).toMatchObject({
    state: "dispatched",
    verdict: "true",
    owner: "her",
  });
  const closed = { ...fresh, state: "resolved" as const, verdict: "false" as const, owner: "her" };
  expect(foretold(closed, { action: "reopen" }, "me")).toMatchObject({
    state: "acknowledged",
    verdict: null,
    owner: "me",
  });
});
