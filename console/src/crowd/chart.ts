// Where the points of a history lie on a chart: bands, and gaps where nobody looked.

import type { History, HistoryStep } from "../api/types";

export const WIDTH = 1000;
export const HEIGHT = 220;

export interface Chart {
  /** Stretches without a gap; each is drawn for itself. */
  runs: HistoryStep[][];
  /** Stretches in which nobody looked, milliseconds. */
  gaps: { begin: number; end: number }[];
  most: number;
  ticks: number[];
  x: (at: number) => number;
  y: (value: number) => number;
}

/** A round number that is no less than `value`. */
export function roundUp(value: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((each) => each * size >= value) ?? 10) * size;
}

/** The highest that a step shows. */
export function top(step: HistoryStep): number {
  return Math.max(step.most ?? 0, step.high ?? 0, step.ins ?? 0, step.outs ?? 0);
}

export function chart(history: History): Chart {
  const begin = Date.parse(history.begin);
  const end = Date.parse(history.end);
  const step = history.step_s * 1000;
  const runs: HistoryStep[][] = [];
  const gaps: Chart["gaps"] = [];
  let due = begin;
  for (const each of history.steps) {
    const at = Date.parse(each.at);
    const run = runs[runs.length - 1];
    if (run && at - due < step / 2) {
      run.push(each);
    } else {
      if (at > due) gaps.push({ begin: due, end: at });
      runs.push([each]);
    }
    due = at + step;
  }
  // The step that runs has not been told yet: that is no gap.
  if (end - due > 2 * Math.max(step, 60_000)) gaps.push({ begin: due, end });
  const most = roundUp(Math.max(4, history.capacity ?? 0, ...history.steps.map(top)));
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => part * most).filter((tick) => most >= 8 || Number.isInteger(tick));
  return {
    runs,
    gaps,
    most,
    ticks,
    x: (at) => ((Math.min(end, Math.max(begin, at)) - begin) / (end - begin)) * WIDTH,
    y: (value) => HEIGHT - (Math.min(value, most) / most) * HEIGHT,
  };
}

type Along = (step: HistoryStep) => number | null;

/** The points of a line through the middles of its steps. */
export function line({ x, y }: Chart, run: readonly HistoryStep[], step_s: number, value: Along): string {
  return run
    .map((each) => ({ at: Date.parse(each.at) + step_s * 500, value: value(each) }))
    .flatMap(({ at, value: known }) => (known === null ? [] : [`${x(at).toFixed(1)},${y(known).toFixed(1)}`]))
    .join(" ");
}

/** The corners of a band: along its upper side, and back along its lower one. */
export function band(drawn: Chart, run: readonly HistoryStep[], step_s: number): string {
  const upper = line(drawn, run, step_s, (step) => step.high);
  const lower = line(drawn, [...run].reverse(), step_s, (step) => step.low);
  return `${upper} ${lower}`.trim();
}
