// The colours of density: from nothing at all to where people are in danger.

/** Persons/m², red, green, blue, opacity. Above 5 persons/m² a crowd may crush (Fruin, 1993). */
const STOPS: readonly (readonly [density: number, red: number, green: number, blue: number, alpha: number])[] = [
  [0, 70, 130, 220, 0],
  [0.3, 70, 150, 220, 110],
  [1, 90, 200, 150, 150],
  [2, 240, 215, 80, 175],
  [3.5, 245, 140, 50, 200],
  [5, 215, 35, 45, 220],
];

/** The legend's marks, persons/m². */
export const MARKS = [0, 1, 2, 3.5, 5] as const;
export const MOST = 5;

/** Red, green, blue and opacity, each 0..255, of a density. */
export function colour(density: number): [number, number, number, number] {
  const at = Math.min(MOST, Math.max(0, density));
  const above = STOPS.findIndex(([stop]) => stop >= at);
  const high = STOPS[above] ?? STOPS[0];
  const low = STOPS[Math.max(0, above - 1)];
  if (!high || !low) return [0, 0, 0, 0];
  const part = high[0] === low[0] ? 0 : (at - low[0]) / (high[0] - low[0]);
  const mix = (index: 1 | 2 | 3 | 4): number => Math.round(low[index] + part * (high[index] - low[index]));
  return [mix(1), mix(2), mix(3), mix(4)];
}

/** What a value of a map stands for on the scale: itself in metres; else the fullest cell of `most` is the top. */
export function scaled(value: number, metric: boolean, most: number): number {
  return metric ? value : (value / Math.max(most, 1)) * MOST;
}

/** The pixels of a map, four bytes each. */
export function pixels(values: readonly number[], metric: boolean): Uint8ClampedArray<ArrayBuffer> {
  const most = Math.max(0, ...values);
  const made = new Uint8ClampedArray(4 * values.length);
  values.forEach((value, index) => {
    made.set(colour(scaled(value, metric, most)), 4 * index);
  });
  return made;
}
