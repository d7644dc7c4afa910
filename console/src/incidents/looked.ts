// When each incident was last looked at on this desk, to tell what is new since.

const looked = new Map<string, number>();

/** Notes that the incident is looked at now; when it was before, milliseconds, or null. */
export function lookAt(incident: string, now: number): number | null {
  const before = looked.get(incident) ?? null;
  looked.set(incident, now);
  return before;
}

/** Notes that it was in view until now. */
export function leave(incident: string, now: number): void {
  looked.set(incident, now);
}
