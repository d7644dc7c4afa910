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
  people: number;
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
