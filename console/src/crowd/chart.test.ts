// A chart of history shows what was seen, leaves gaps where nobody looked, and ends at a round number.

import { describe, expect, it } from "vitest";
import type { History, HistoryStep } from "../api/types";
import { band, chart, HEIGHT, line, roundUp, WIDTH } from "./chart";

const BEGIN = Date.parse("2026-11-22T10:00:00Z");

function step(minute: number, count: number): HistoryStep {
  return {
    at: new Date(BEGIN + minute * 60_000).toISOString(),
    seen_s: 60,
    count,
    low: count - 1,
    high: count + 2,
    most: count + 1,
    rough: 0,
    density: null,
    densest: null,
    level: null,
    speed: null,
    pressure: null,
    ins: null,
    outs: null,
  };
}

function history(steps: HistoryStep[], capacity: number | null = null): History {
  const [begin, end] = [0, 60].map((minute) => new Date(BEGIN + minute * 60_000).toISOString()) as [string, string];
  return { kind: "zone", name: "picture", begin, end, step_s: 60, capacity, steps };
}

describe("a chart", () => {
  it("breaks where nobody looked, and says where", () => {
    const drawn = chart(history([step(0, 3), step(1, 4), step(10, 5), step(11, 5)]));
    expect(drawn.runs.map((run) => run.length)).toEqual([2, 2]);
    expect(drawn.gaps.map(({ begin, end }) => [(begin - BEGIN) / 60_000, (end - BEGIN) / 60_000])).toEqual([
      [2, 10],
      [12, 60],
    ]);
  });

  it("takes the minute that still runs for no gap", () => {
    const steps = Array.from({ length: 59 }, (_, minute) => step(minute, 1));
    expect(chart(history(steps)).gaps).toEqual([]);
  });

  it("holds the band, the highest and the capacity", () => {
    expect(chart(history([step(0, 5)])).most).toBe(8);
    expect(chart(history([step(0, 5)], 400)).most).toBe(400);
    expect([1, 7, 11, 41, 1234].map(roundUp)).toEqual([1, 8, 15, 50, 1500]);
  });

  it("draws time to the right and people upwards", () => {
    const drawn = chart(history([step(0, 0), step(59, 8)]));
    expect(drawn.x(BEGIN + 1_800_000)).toBe(WIDTH / 2);
    expect(drawn.y(0)).toBe(HEIGHT);
    expect(drawn.y(drawn.most)).toBe(0);
    expect(line(drawn, [step(0, 0)], 60, (each) => each.count)).toBe(`8.3,${HEIGHT}.0`);
    expect(band(drawn, [step(0, 1), step(1, 1)], 60).split(" ")).toHaveLength(4);
  });

  it("leaves out what is not known", () => {
    expect(line(chart(history([])), [step(0, 1)], 60, (each) => each.density)).toBe("");
  });
});
