// What the server says, as in docs/developer/architecture.md. Times are ISO 8601 in UTC.

export type Language = "kk" | "ru" | "en";
export type Role = "admin" | "lead" | "operator" | "venue" | "analyst" | "auditor" | "installer";
export type IncidentState = "new" | "acknowledged" | "verified" | "dispatched" | "resolved";
export type Verdict = "true" | "false" | "unclear";
export type Severity = 1 | 2 | 3 | 4;
export type CameraState = "connecting" | "live" | "degraded" | "lost";
export type Action = "acknowledge" | "verify" | "dispatch" | "resolve" | "reopen" | "note";
export type Box = readonly [left: number, top: number, right: number, bottom: number];

export interface Position {
  latitude: number;
  longitude: number;
}

export interface Reason {
  key: string;
  values: Record<string, string | number>;
}

export interface User {
  name: string;
  role: Role;
  language: Language;
  must_change_password: boolean;
}

export interface Session {
  user: User;
  csrf: string;
  words: Record<Language, Record<string, string>>;
}

export interface Incident {
  id: string;
  site: { id: string; name: string };
  camera: { id: string; name: string; simulated: boolean };
  behaviour: string;
  behaviours: string[];
  severity: Severity;
  state: IncidentState;
  verdict: Verdict | null;
  owner: string | null;
  opened_at: string;
  started_at: string;
  ended_at: string | null;
  people: number;
  score: number;
  box: Box | null;
  zone: string | null;
  reason: Reason | null;
  clip: "pending" | "ready" | "failed" | "none";
  still: boolean;
  position: Position | null;
  /** What may be done to it now. */
  actions: Action[];
}

export interface IncidentEvent {
  id: string;
  behaviour: string;
  started_at: string;
  decided_at: string;
  ended_at: string | null;
  score: number;
  box: Box | null;
  people: number;
  zone: string | null;
  reason: Reason | null;
  curve: [time: string | number, score: number][];
}

export interface Step {
  at: string;
  user: string | null;
  action: Action;
  from_state: IncidentState | null;
  to_state: IncidentState | null;
  verdict: Verdict | null;
  note: string | null;
}

export interface IncidentDetail extends Incident {
  events: IncidentEvent[];
  clip_started_at: string | null;
  steps: Step[];
}

export interface Zone {
  name: string;
  kind: string;
  polygon: [x: number, y: number][];
  capacity: number | null;
}

export interface Line {
  name: string;
  begin: [x: number, y: number];
  end: [x: number, y: number];
}

export interface Camera {
  id: string;
  name: string;
  site: { id: string; name: string; kind: string };
  simulated: boolean;
  state: CameraState;
  since: string | null;
  detail: string | null;
  position: Position | null;
  zones: Zone[];
  lines: Line[];
  people: number;
  /** At least so many: they cannot be told apart. */
  people_rough: boolean;
  counters: Record<string, number>;
  fps: number;
  recording: boolean;
}

export interface Site {
  id: string;
  name: string;
  kind: string;
  address: string | null;
  position: Position | null;
  time_zone: string;
  cameras: number;
}

export interface Page {
  items: Incident[];
  next: string | null;
}

export interface StepRequest {
  action: Action;
  verdict?: Verdict;
  note?: string;
}

export type Level = "A" | "B" | "C" | "D" | "E" | "F";

export interface PlaceCrowd {
  name: string;
  count: number;
  low: number;
  high: number;
  /** Too many, too small or too hidden to be told apart: never shown as a precise number. */
  rough: boolean;
  density: number | null;
  density_low: number | null;
  density_high: number | null;
  level: Level | null;
  area_m2: number | null;
  capacity: number | null;
  speed: number | null;
  heading: number | null;
  stopped: number | null;
  counterflow: number | null;
  pressure: number | null;
  densest: number | null;
}

export interface DensityMap {
  columns: number;
  rows: number;
  metric: boolean;
  values: number[];
}

export interface Crowd {
  at: string | null;
  places: PlaceCrowd[];
  lines: { name: string; ins: number; outs: number }[];
  map: DensityMap | null;
  calibrated: boolean;
  error: number | null;
}

export interface FloorGrid {
  step_m: number;
  lines: [x: number, y: number][][];
}

export interface HistoryStep {
  at: string;
  seen_s: number;
  count: number | null;
  low: number | null;
  high: number | null;
  most: number | null;
  rough: number | null;
  density: number | null;
  densest: number | null;
  level: Level | null;
  ins: number | null;
  outs: number | null;
}

export interface History {
  kind: "zone" | "line" | "place";
  name: string;
  begin: string;
  end: string;
  step_s: number;
  capacity: number | null;
  steps: HistoryStep[];
}

export interface PlaceNow {
  site: { id: string; name: string };
  name: string;
  capacity: number | null;
  area_m2: number | null;
  at: string | null;
  count: number | null;
  low: number | null;
  high: number | null;
  rough: boolean;
  /** People more, or fewer, a minute. */
  trend: number | null;
  gates: { camera: { id: string; name: string }; line: string }[];
}

export interface Threshold {
  behaviour: string;
  threshold: number;
  usual: number;
  standing: "learning" | "kept" | "raised" | "floor";
  budget: number;
  false_per_day: number;
  low: number;
  high: number | null;
  quiet_days: number;
  recall: number | null;
  recall_floor: number;
  verified: number;
  refound: number;
  updated_at: string;
}

export interface Blindness {
  site: { id: string; name: string; kind: string };
  cameras: number;
  blind: number;
  since: string | null;
  faulty: {
    camera: { id: string; name: string };
    blind: boolean;
    since: string | null;
    faults: { kind: string; blinds: boolean; since: string; incident: string | null; reason: Reason | null }[];
    zones: { name: string; kind: string; seen_by: { id: string; name: string }[] }[];
    behaviours: string[];
  }[];
  seeing: { id: string; name: string }[];
}
