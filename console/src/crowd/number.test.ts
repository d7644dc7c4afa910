// A number of people is shown as exactly as it is known, and never more.

import { describe, expect, it } from "vitest";
import { LANGUAGES } from "../language/catalogue";
import { makeWords } from "../language/words";
import { floorRound, fullness, grade, people } from "./number";

const words = makeWords("en");

describe("a number of people", () => {
  it("stands alone where it is sure", () => {
    expect(people({ count: 12, low: 12, high: 12, rough: false }, words)).toBe("12");
  });

  it("comes with its band where it is not", () => {
    expect(people({ count: 12.2, low: 10.4, high: 14.6, rough: false }, words)).toBe("12 (10–15)");
  });

  it.each(LANGUAGES)("is never precise where it is rough, in %s", (language) => {
    const text = people({ count: 47, low: 43, high: 80, rough: true }, makeWords(language));
    expect(text).toContain("40");
    expect(text).not.toMatch(/4[1-9]|80/);
  });

  it("is a word where even the least is unknown", () => {
    expect(people({ count: 4, low: 2, high: 30, rough: true }, words)).not.toMatch(/\d/);
  });
});

it("rounds down to what nobody takes for precise", () => {
  expect([3, 17, 47, 260, 1234].map(floorRound)).toEqual([0, 15, 40, 250, 1200]);
});

it("counts the least towards the capacity where the number is rough", () => {
  expect(fullness({ count: 50, low: 30, high: 90, rough: true }, 60)).toBe(0.5);
  expect([0.5, 0.85, 1, 1.4].map(grade)).toEqual(["good", "near", "full", "full"]);
});
