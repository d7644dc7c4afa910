// When each incident was last looked at on this desk, to tell what is new since.

const left = new Map<string, number>();

/** When the incident was last left, milliseconds; null where it has not been opened yet. */
export const leftAt = (incident: string): number | null => left.get(incident) ?? null;

/** Notes that it was in view until now. */
export function leave(incident: string, now: number): void {
  left.set(incident, now);
}
