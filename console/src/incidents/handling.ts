// Taking steps: into the queue at once, shown as made once the server has said so, and taken back within ten seconds.

import { useSyncExternalStore } from "react";
import { api } from "../api/client";
import type { Incident, IncidentDetail, StepRequest, User } from "../api/types";
import { live } from "../live/store";
import { leads } from "../session/permissions";
import { Outbox, type Refused, type Unsent } from "./outbox";

/** A step of one's own that can still be taken back. */
export interface Done {
  unsent: Unsent;
  now: IncidentDetail;
  /** Until when it can be taken back, milliseconds of this computer's clock. */
  until: number;
}

/** How long it is offered to take a step back. The server grants some seconds more for a slow line. */
export const UNDO_MS = 10_000;

let done: Done | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
const onDone = new Set<() => void>();
const onTaken = new Set<(unsent: Unsent, now: IncidentDetail) => void>();

function setDone(next: Done | null): void {
  clearTimeout(timer);
  done = next;
  if (next !== null) {
    timer = setTimeout(() => {
      setDone(null);
    }, next.until - Date.now());
  }
  for (const listener of onDone) listener();
}

export const outbox = new Outbox({
  send: api.step,
  taken: (unsent, now) => {
    live.add([now]);
    const { action } = unsent.step;
    if (action === "undo") setDone(null);
    else if (action !== "note") setDone({ unsent, now, until: Date.now() + UNDO_MS });
    for (const listener of onTaken) listener(unsent, now);
  },
  refused: ({ unsent }: Refused) => {
    // What it is now is worth more than what it was: somebody else may have been quicker.
    void api.incident(unsent.incident).then(
      (now) => {
        live.add([now]);
      },
      () => undefined,
    );
  },
});

/** Calls `listener` whenever the server has taken a step of this desk. */
export function whenTaken(listener: (unsent: Unsent, now: IncidentDetail) => void): () => void {
  onTaken.add(listener);
  return () => onTaken.delete(listener);
}

export function useOutbox(): ReturnType<typeof outbox.snapshot> {
  return useSyncExternalStore(outbox.subscribe, outbox.snapshot);
}

export function useDone(): Done | null {
  return useSyncExternalStore(
    (listener) => {
      onDone.add(listener);
      return () => onDone.delete(listener);
    },
    () => done,
  );
}

/** A random name (RFC 9562, version 4) for a step. `crypto.randomUUID` is for secure contexts alone. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Puts a step on what is shown of `incident` into the queue; false where one of the same incident waits. */
export function take(incident: Pick<Incident, "id" | "version">, step: StepRequest): boolean {
  return outbox.push(incident, step, newKey(), Date.now());
}

/** Takes back the step that was taken last, while that is offered. */
export function undo(): void {
  if (done === null) return;
  take(live.snapshot().incidents.get(done.now.id) ?? done.now, { action: "undo" });
}

const OWNERS: readonly StepRequest["action"][] = ["verify", "dispatch", "resolve"];

/** Whether `user` may do `action` to the incident as it stands. */
export function may(user: User, incident: Incident, action: StepRequest["action"]): boolean {
  const mine = incident.owner === null || incident.owner === user.name;
  if (action === "take_over") return !mine && incident.actions.includes(action);
  return incident.actions.includes(action) && (mine || leads(user.role) || !OWNERS.includes(action));
}
