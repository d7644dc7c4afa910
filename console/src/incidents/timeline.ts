// How an incident's clip, its events and their signals lie on one line of time.

import type { IncidentDetail } from "../api/types";

export interface Sample {
  /** Seconds after the beginning of the timeline. */
  at: number;
  score: number;
}

export interface Span {
  id: string;
  behaviour: string;
  start: number;
  /** The end of the timeline where the event goes on. */
  end: number;
  decided: number;
  curve: Sample[];
}

export interface Timeline {
  /** Unix milliseconds of its beginning. */
  origin: number;
  /** Seconds. */
  length: number;
  spans: Span[];
}

/** Unix milliseconds of a time that is ISO 8601 or Unix seconds. */
export function moment(at: string | number): number {
  return typeof at === "number" ? at * 1000 : Date.parse(at);
}

/**
 * The timeline of an incident: of its clip, when the clip's length is known, else of everything that happened,
 * with a little air around it.
 */
export function timelineOf(incident: IncidentDetail, clipSeconds: number | null): Timeline {
  const { events } = incident;
  const times = events.flatMap((event) => [
    moment(event.started_at),
    moment(event.decided_at),
    ...(event.ended_at === null ? [] : [moment(event.ended_at)]),
    ...event.curve.map(([at]) => moment(at)),
  ]);
  const first = Math.min(moment(incident.started_at), ...times);
  const last = Math.max(moment(incident.ended_at ?? incident.started_at), ...times);
  const hasClip = incident.clip_started_at !== null && clipSeconds !== null && clipSeconds > 0;
  const origin = hasClip ? moment(incident.clip_started_at ?? "") : first - 1000;
  const length = hasClip ? clipSeconds : Math.max(2, (last - origin) / 1000 + 1);
  const within = (at: number): number => (at - origin) / 1000;
  const clamped = (at: number): number => Math.min(length, Math.max(0, at));
  return {
    origin,
    length,
    spans: events.map((event) => ({
      id: event.id,
      behaviour: event.behaviour,
      start: clamped(within(moment(event.started_at))),
      end: event.ended_at === null ? length : clamped(within(moment(event.ended_at))),
      decided: within(moment(event.decided_at)),
      curve: event.curve
        .map(([at, score]) => ({ at: within(moment(at)), score }))
        .filter(({ at }) => at >= 0 && at <= length)
        .sort((a, b) => a.at - b.at),
    })),
  };
}

/** Seconds into the clip from which it says most at one glance: shortly before the onset. */
export function glance(timeline: Timeline): number {
  const onset = Math.min(...timeline.spans.map(({ start }) => start));
  return Number.isFinite(onset) ? Math.max(0, onset - 2) : 0;
}
