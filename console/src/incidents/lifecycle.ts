// What may be done to an incident, and what it will look like then: the server's rules, foretold.

import type { Action, Incident, StepRequest } from "../api/types";

type Standing = Pick<Incident, "state" | "verdict" | "owner">;

export function allows({ state, verdict }: Pick<Standing, "state" | "verdict">, action: Action): boolean {
  switch (action) {
    case "note":
      return true;
    case "reopen":
      return state === "resolved";
    case "acknowledge":
      return state === "new";
    case "dispatch":
      return state !== "resolved" && state !== "dispatched" && verdict !== "false";
    case "verify":
    case "resolve":
      return state !== "resolved";
  }
}

/** How the incident will stand after `step`, for showing it before the server has answered. */
export function foretold<T extends Standing>(incident: T, step: StepRequest, user: string): T {
  const owner = incident.owner ?? user;
  switch (step.action) {
    case "note":
      return incident;
    case "acknowledge":
      return { ...incident, state: "acknowledged", owner };
    case "verify":
      return {
        ...incident,
        state: incident.state === "dispatched" ? "dispatched" : "verified",
        verdict: step.verdict ?? incident.verdict,
        owner,
      };
    case "dispatch":
      return { ...incident, state: "dispatched", owner };
    case "resolve":
      return { ...incident, state: "resolved", verdict: step.verdict ?? incident.verdict, owner };
    case "reopen":
      return { ...incident, state: "acknowledged", verdict: null, owner: user };
  }
}
