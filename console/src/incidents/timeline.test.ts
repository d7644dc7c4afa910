import { expect, it } from "vitest";
import type { IncidentDetail } from "../api/types";
import { glance, timelineOf } from "./timeline";

const iso = (second: number): string => new Date(second * 1000).toISOString();

function detail(change: Partial<IncidentDetail> = {}): IncidentDetail {
  const event = {
    id: "e",
    behaviour: "fight",
    started_at: iso(1010),
    decided_at: iso(1012),
    ended_at: null,
    score: 0.9,
    box: null,
    people: 2,
    zone: null,
    reason: null,
    curve: [
      [1012, 0.9],
      [iso(1009), 0.4],
      [900, 0.1],
    ] as [string | number, number][],
  };
  return {
    started_at: iso(1010),
    ended_at: null,
    clip_started_at: iso(1000),
    events: [event],
    ...change,
  } as unknown as IncidentDetail;
}

it("with a clip, time runs from the clip's first picture to its last", () => {
  const timeline = timelineOf(detail(), 30);
  expect(timeline.origin).toBe(1_000_000);
  expect(timeline.length).toBe(30);
  expect(timeline.spans[0]).toMatchObject({ start: 10, end: 30, decided: 12 });
  expect(timeline.spans[0]?.curve).toEqual([
    { at: 9, score: 0.4 },
    { at: 12, score: 0.9 },
  ]);
});

it("without a clip, it runs over all that happened", () => {
  const timeline = timelineOf(detail(), null);
  expect(timeline.origin).toBe(899_000);
  expect(timeline.length).toBe(114);
});

it("the clip opens shortly before the onset", () => {
  expect(glance(timelineOf(detail(), 30))).toBe(8);
  expect(glance(timelineOf(detail({ events: [] }), 30))).toBe(0);
});
