// Steps that the server has not taken yet: kept over reloads, sent again until it answers, and taken once.
//
// A step is never shown as made before the server says so. What waits stands in the browser's storage, so that
// neither a reload nor a closed tab loses it; the key of each makes sending it twice harmless.

import { ApiError } from "../api/client";
import type { Incident, IncidentDetail, StepRequest } from "../api/types";

export interface Unsent {
  key: string;
  incident: string;
  /** Of the incident, as it was seen. */
  version: number;
  step: StepRequest;
  /** When it was decided, milliseconds of this computer's clock. */
  at: number;
  /** How often it was sent without an answer. */
  tries: number;
}

export interface Refused {
  unsent: Unsent;
  error: ApiError;
}

export interface Outgoing {
  unsent: readonly Unsent[];
  refused: readonly Refused[];
}

export interface Port {
  send: (incident: string, body: StepRequest, signal: AbortSignal) => Promise<IncidentDetail>;
  /** The server has taken a step; the incident as it is now. */
  taken: (unsent: Unsent, now: IncidentDetail) => void;
  refused: (refused: Refused) => void;
}

const KEY = "tynysh.unsent.";
/** How long an answer is waited for before the step is sent again. */
export const PATIENCE_MS = 5000;
const RETRY_MS = [300, 1000, 2000, 4000, 5000];
/** A tab sends its own steps; after this long it sends those of a tab that has gone. */
const ADOPT_MS = 15_000;
const NOTHING: Outgoing = { unsent: [], refused: [] };

/** Whether sending it again may help: the server was not reached, did not answer, or was not able to. */
export function passing(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status === 0 || error.status === 429 || error.status >= 500;
}

export class Outbox {
  private waiting: Outgoing = NOTHING;
  private user: string | null = null;
  private readonly own = new Set<string>();
  private readonly sending = new Set<string>();
  private readonly listeners = new Set<() => void>();
  private stopper = new AbortController();
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly port: Port,
    private readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem"> = localStorage,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): Outgoing => this.waiting;

  /** Begins to send what `user` has left. Another's steps stay where they are until that user is back. */
  start(user: string): void {
    this.stop();
    this.user = user;
    this.stopper = new AbortController();
    this.set({ unsent: this.stored(), refused: [] });
    for (const { key } of this.waiting.unsent) this.own.add(key);
    this.pump();
    this.timer = setInterval(() => {
      this.set({ unsent: this.stored(), refused: this.waiting.refused });
      this.pump();
    }, 2000);
  }

  stop(): void {
    this.stopper.abort();
    clearInterval(this.timer);
    this.user = null;
    this.own.clear();
    this.set(NOTHING);
  }

  /** Puts a step into the queue. False where one of the same incident waits already: it comes first. */
  push(incident: Pick<Incident, "id" | "version">, step: StepRequest, key: string, at: number): boolean {
    if (this.of(incident.id) !== undefined && step.action !== "note") return false;
    const unsent: Unsent = { key, incident: incident.id, version: incident.version, step, at, tries: 0 };
    this.own.add(key);
    this.store([...this.stored(), unsent]);
    this.pump();
    return true;
  }

  of(incident: string): Unsent | undefined {
    return this.waiting.unsent.find((each) => each.incident === incident && each.step.action !== "note");
  }

  /** The message of a refusal has been read. */
  forget(key: string): void {
    this.set({ ...this.waiting, refused: this.waiting.refused.filter(({ unsent }) => unsent.key !== key) });
  }

  private pump(): void {
    const now = Date.now();
    const busy = new Set<string>();
    for (const unsent of this.waiting.unsent) {
      // Those of one incident go one after another, those of others beside them.
      const first = !busy.has(unsent.incident);
      busy.add(unsent.incident);
      if (!first || this.sending.has(unsent.key)) continue;
      if (!this.own.has(unsent.key) && now - unsent.at < ADOPT_MS) continue;
      this.sending.add(unsent.key);
      void this.deliver(unsent).finally(() => this.sending.delete(unsent.key));
    }
  }

  private async deliver(unsent: Unsent): Promise<void> {
    const { signal } = this.stopper;
    const stopped = (): boolean => signal.aborted;
    const body: StepRequest = { ...unsent.step, key: unsent.key, version: unsent.version };
    for (let tries = unsent.tries; !stopped(); ) {
      const patience = new AbortController();
      const giveUp = (): void => {
        patience.abort();
      };
      const timer = setTimeout(giveUp, PATIENCE_MS);
      signal.addEventListener("abort", giveUp);
      try {
        const now = await this.port.send(unsent.incident, body, patience.signal);
        if (stopped()) return;
        this.remove(unsent.key);
        this.port.taken(unsent, now);
        this.pump();
        return;
      } catch (error) {
        if (stopped()) return;
        // Signed out: it waits for the same user to be back.
        if (error instanceof ApiError && error.status === 401) return;
        if (!passing(error)) {
          const refused = { unsent, error: error as ApiError };
          this.remove(unsent.key);
          this.set({ ...this.waiting, refused: [...this.waiting.refused, refused] });
          this.port.refused(refused);
          this.pump();
          return;
        }
        tries += 1;
        this.store(this.stored().map((each) => (each.key === unsent.key ? { ...each, tries } : each)));
        const wait = error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0;
        await pause(Math.max(wait, RETRY_MS[Math.min(tries, RETRY_MS.length) - 1] ?? 5000), signal);
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
      }
    }
  }

  private remove(key: string): void {
    this.own.delete(key);
    this.store(this.stored().filter((each) => each.key !== key));
  }

  /** What stands in the storage: other tabs of this browser put theirs there too. */
  private stored(): Unsent[] {
    if (this.user === null) return [];
    try {
      const read: unknown = JSON.parse(this.storage.getItem(KEY + this.user) ?? "[]");
      return Array.isArray(read) ? (read as Unsent[]) : [];
    } catch {
      return [];
    }
  }

  private store(unsent: Unsent[]): void {
    if (this.user === null) return;
    if (unsent.length > 0) this.storage.setItem(KEY + this.user, JSON.stringify(unsent));
    else this.storage.removeItem(KEY + this.user);
    this.set({ ...this.waiting, unsent });
  }

  private set(waiting: Outgoing): void {
    if (JSON.stringify(waiting) === JSON.stringify(this.waiting)) return;
    this.waiting = waiting;
    for (const listener of this.listeners) listener();
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
