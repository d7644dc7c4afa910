// How an arrival sounds: short, soft tones, more and higher the graver it is. Made by the browser, no files.

import type { Severity } from "../api/types";

interface Tone {
  /** Seconds after the beginning. */
  at: number;
  hertz: number;
  seconds: number;
  gain: number;
}

export const CHIMES: Record<Severity, readonly Tone[]> = {
  1: [{ at: 0, hertz: 392, seconds: 0.35, gain: 0.1 }],
  2: [
    { at: 0, hertz: 440, seconds: 0.3, gain: 0.14 },
    { at: 0.18, hertz: 523, seconds: 0.4, gain: 0.14 },
  ],
  3: [
    { at: 0, hertz: 523, seconds: 0.25, gain: 0.2 },
    { at: 0.16, hertz: 659, seconds: 0.25, gain: 0.2 },
    { at: 0.32, hertz: 784, seconds: 0.45, gain: 0.2 },
  ],
  4: [0, 0.55, 1.1].flatMap((at) => [
    { at, hertz: 784, seconds: 0.2, gain: 0.28 },
    { at: at + 0.16, hertz: 1047, seconds: 0.3, gain: 0.28 },
  ]),
};

const QUIET_MS = 2000;
/** How often an arrival that nobody has taken sounds again, by severity; the lowest sounds once. */
export const AGAIN_MS: Record<Severity, number> = { 1: Infinity, 2: 60_000, 3: 20_000, 4: 8000 };
/** How long a desk can be muted at once: it comes back by itself. */
export const MUTE_MS = 15 * 60_000;
const KEY = "tynysh.mute";

export interface Mute {
  by: string;
  /** Milliseconds of this computer's clock. */
  until: number;
}

function stored(): Mute | null {
  try {
    const mute = JSON.parse(localStorage.getItem(KEY) ?? "null") as Mute | null;
    return mute !== null && typeof mute.by === "string" && mute.until - Date.now() <= MUTE_MS ? mute : null;
  } catch {
    return null;
  }
}

export class Sound {
  private context: AudioContext | null = null;
  private last: { at: number; severity: Severity } | null = null;
  private readonly listeners = new Set<() => void>();
  private mute = stored();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Who has muted this desk, and until when; null where it sounds. */
  readonly muted = (): Mute | null => {
    if (this.mute !== null && this.mute.until <= Date.now()) this.mute = null;
    return this.mute;
  };

  /** locked: the browser lets no page sound before somebody has clicked or typed in it. */
  readonly state = (): "muted" | "locked" | "on" => {
    if (this.muted() !== null) return "muted";
    return this.context?.state === "running" ? "on" : "locked";
  };

  /** To be called from a click or a key press. */
  async unlock(): Promise<void> {
    this.context ??= new AudioContext();
    if (this.context.state !== "running") await this.context.resume();
    this.tell();
  }

  /** Mutes for a while in the name of `by`, or ends that with null. */
  setMuted(by: string | null): void {
    this.mute = by === null ? null : { by, until: Date.now() + MUTE_MS };
    localStorage.setItem(KEY, JSON.stringify(this.mute));
    this.tell();
  }

  /** Sounds again for the gravest that nobody has taken, when it is time. */
  remind(severity: Severity, now: number): boolean {
    if (this.last !== null && now - this.last.at < AGAIN_MS[severity]) return false;
    return this.arrival(severity, now);
  }

  /** Several arrivals at once sound once, as the gravest of them. */
  arrival(severity: Severity, now: number): boolean {
    if (this.last && now - this.last.at < QUIET_MS && this.last.severity >= severity) return false;
    this.last = { at: now, severity };
    if (this.state() !== "on") return false;
    this.play(CHIMES[severity]);
    return true;
  }

  sample(): void {
    if (this.state() === "on") this.play(CHIMES[2]);
  }

  private play(tones: readonly Tone[]): void {
    const context = this.context;
    if (!context) return;
    for (const tone of tones) {
      const start = context.currentTime + 0.02 + tone.at;
      const oscillator = context.createOscillator();
      const gain = context.createGain();
      oscillator.type = "sine";
      oscillator.frequency.value = tone.hertz;
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(tone.gain, start + 0.015);
      gain.gain.exponentialRampToValueAtTime(0.0001, start + tone.seconds);
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(start);
      oscillator.stop(start + tone.seconds + 0.05);
    }
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
