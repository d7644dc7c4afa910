// The density map is clear where nobody is, and the more alarming the denser people stand.

import { expect, it } from "vitest";
import { colour, MARKS, pixels } from "./density";

it("is clear where nobody is", () => {
  expect(colour(0)[3]).toBe(0);
  expect(colour(-1)[3]).toBe(0);
});

it("covers more the denser it is, and stays at its last colour above the scale", () => {
  const covering = MARKS.map((mark) => colour(mark)[3]);
  expect([...covering].sort((a, b) => a - b)).toEqual(covering);
  expect(colour(9)).toEqual(colour(5));
  expect(colour(5)[0]).toBeGreaterThan(colour(5)[2]);
});

it("has a pixel for each cell, in their order", () => {
  const made = pixels([0, 5], true);
  expect([...made.slice(0, 4)][3]).toBe(0);
  expect([...made.slice(4)]).toEqual(colour(5));
});

it("without metres the scale ends at the fullest cell, and one person alone is no throng", () => {
  expect([...pixels([4, 2], false).slice(0, 4)]).toEqual(colour(5));
  expect([...pixels([0.2, 0], false).slice(0, 4)]).toEqual(colour(1));
});
