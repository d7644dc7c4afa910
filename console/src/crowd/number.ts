// How many people: as exactly as it is known, and never more.

import type { Words } from "../language/words";

export interface Counted {
  count: number;
  low: number;
  high: number;
  rough: boolean;
}

/** Rounded down to a number that nobody takes for a precise one: 5, 10, 50, 200. */
export function floorRound(value: number): number {
  const step = value < 20 ? 5 : value < 100 ? 10 : value < 500 ? 50 : 100;
  return Math.floor(value / step) * step;
}

/** "more than 40", or that they are several: for people who cannot be told apart. */
export function atLeast(low: number, { t }: Pick<Words, "t">): string {
  const least = floorRound(low);
  return least > 0 ? t("console.crowd.more_than", { count: least }) : t("console.crowd.uncounted");
}

/** "12", "12 (10–15)", "more than 40". */
export function people({ count, low, high, rough }: Counted, { t, number }: Words): string {
  if (rough) return atLeast(low, { t });
  const [few, many] = [Math.floor(low + 0.05), Math.ceil(high - 0.05)];
  const best = number(Math.round(count));
  return few === many ? best : t("console.crowd.band", { count: best, low: number(few), high: number(many) });
}

/** How full a place is, 0..1 and more; the least of it where the number is rough. */
export function fullness(counted: Counted, capacity: number): number {
  return (counted.rough ? counted.low : counted.count) / capacity;
}

export function grade(part: number): "good" | "near" | "full" {
  return part >= 1 ? "full" : part >= 0.85 ? "near" : "good";
}
