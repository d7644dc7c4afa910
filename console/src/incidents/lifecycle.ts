// How an incident will stand after a step: the server's rules, foretold.

import type { Incident, StepRequest } from "../api/types";

type Handling = Pick<Incident, "state" | "verdict" | "owner">;

function after(incident: Handling, step: StepRequest, user: string): Handling {
  const { state, verdict } = incident;
  const owner = incident.owner ?? user;
  switch (step.action) {
    case "note":
      return incident;
    case "acknowledge":
      return { state: "acknowledged", verdict, owner };
    case "verify":
      return { state: state === "dispatched" ? state : "verified", verdict: step.verdict ?? verdict, owner };
    case "dispatch":
      return { state: "dispatched", verdict, owner };
    case "resolve":
      return { state: "resolved", verdict: step.verdict ?? verdict, owner };
    case "reopen":
      return { state: "acknowledged", verdict: null, owner: user };
  }
}

/** The incident as it will stand after `step`, for showing it before the server has answered. */
export function foretold<T extends Handling>(incident: T, step: StepRequest, user: string): T {
  const { state, verdict, owner } = after(incident, step, user);
  return { ...incident, state, verdict, owner };
}
