// One way to the server: same origin, session cookie, CSRF token on changes, errors with a code.

import { learn } from "../language/catalogue";
import type { Answer, Language, Session, StepRequest } from "./types";

// The scripts lie in assets/ of wherever a proxy shows the console.
const HERE = import.meta.url;
export const BASE = import.meta.env.DEV ? "/api/v1" : new URL("../api/v1", HERE).pathname;

/** What went wrong: `status` 0 means that the server was not reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

let csrf = "";
let clockOffset = 0;
let language: Language = "en";
let onSignedOut: () => void = () => undefined;

/** The server's time in milliseconds, so that a wrong clock on the desk does not show wrong waiting times. */
export function serverNow(): number {
  return Date.now() + clockOffset;
}

/** The language in which the server writes its errors. */
export function speak(wanted: Language): void {
  language = wanted;
}

export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

export function signedOut(): void {
  onSignedOut();
}

function learnClock(response: Response): void {
  const date = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(date)) return;
  const offset = date + 500 - Date.now();
  clockOffset = Math.abs(offset) > 2500 ? offset : 0;
}

async function failure(response: Response): Promise<ApiError> {
  const retry = Number(response.headers.get("retry-after"));
  const retryAfter = Number.isFinite(retry) && retry > 0 ? retry : null;
  try {
    const body = (await response.json()) as { error?: { code?: string; message?: string } };
    return new ApiError(response.status, body.error?.code ?? "unknown", body.error?.message ?? "", retryAfter);
  } catch {
    return new ApiError(response.status, "unknown", response.statusText, retryAfter);
  }
}

/** Ask the server; throws ApiError. A 401 outside of signing in ends the session here too. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const method = init.method ?? "GET";
  const headers = new Headers(init.headers);
  headers.set("Accept-Language", language);
  if (method !== "GET") headers.set("X-CSRF-Token", csrf);
  if (typeof init.body === "string") headers.set("Content-Type", "application/json");
  let response: Response;
  try {
    response = await fetch(BASE + path, { ...init, method, headers, credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "");
  }
  learnClock(response);
  if (response.ok) return response;
  const reason = await failure(response);
  if (response.status === 401 && path !== "/session") onSignedOut();
  throw reason;
}

async function json<T>(path: string, init?: RequestInit): Promise<T> {
  return (await (await request(path, init)).json()) as T;
}

function change(method: "POST" | "PATCH", body: unknown): RequestInit {
  return { method, body: JSON.stringify(body) };
}

async function session(init?: RequestInit): Promise<Session> {
  const answer = await json<Session>("/session", init);
  csrf = answer.csrf;
  learn(answer.words);
  return answer;
}

export interface IncidentQuery {
  open?: boolean;
  state?: string;
  site?: string;
  behaviour?: string;
  before?: string;
  limit?: number;
}

export function queryString(query: IncidentQuery): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
}

export const api = {
  session: () => session(),
  signIn: (name: string, password: string) => session(change("POST", { name, password })),
  signOut: () => request("/session", { method: "DELETE" }),
  setLanguage: (language: Language) => session(change("PATCH", { language })),
  setPassword: (password: string, next: string) =>
    session(change("PATCH", { password, new_password: next })),
  incidents: (query: IncidentQuery) => json<Answer<"/api/v1/incidents">>(`/incidents?${queryString(query)}`),
  incident: (id: string, signal?: AbortSignal) =>
    json<Answer<"/api/v1/incidents/{incident_id}">>(`/incidents/${encodeURIComponent(id)}`, signal ? { signal } : {}),
  looking: (id: string, signal: AbortSignal) =>
    json<Answer<"/api/v1/incidents/{incident_id}/looking", "post">>(`/incidents/${encodeURIComponent(id)}/looking`, {
      method: "POST",
      signal,
    }),
  step: (id: string, body: StepRequest, signal: AbortSignal) =>
    json<Answer<"/api/v1/incidents/{incident_id}/steps", "post">>(`/incidents/${encodeURIComponent(id)}/steps`, {
      ...change("POST", body),
      signal,
    }),
  sites: () => json<Answer<"/api/v1/sites">>("/sites"),
  cameras: () => json<Answer<"/api/v1/cameras">>("/cameras"),
  crowd: (id: string, signal: AbortSignal) =>
    json<Answer<"/api/v1/cameras/{camera_id}/crowd">>(`/cameras/${encodeURIComponent(id)}/crowd`, { signal }),
  grid: (id: string, signal: AbortSignal) =>
    json<Answer<"/api/v1/cameras/{camera_id}/grid">>(`/cameras/${encodeURIComponent(id)}/grid`, { signal }),
  places: (signal: AbortSignal) => json<Answer<"/api/v1/places">>("/places", { signal }),
  thresholds: (id: string, signal: AbortSignal) =>
    json<Answer<"/api/v1/cameras/{camera_id}/thresholds">>(`/cameras/${encodeURIComponent(id)}/thresholds`, { signal }),
  blindness: (signal: AbortSignal) => json<Answer<"/api/v1/blindness">>("/blindness", { signal }),
  clock: (signal: AbortSignal) => json<Answer<"/api/v1/clock">>("/clock", { signal }),
  history: (path: string, signal: AbortSignal) =>
    json<Answer<"/api/v1/cameras/{camera_id}/crowd/history">>(path, { signal }),
};

/** Of what history is asked: of a zone or a line of a camera, or of a place of a site. */
export type Subject =
  | { camera: string; place: string }
  | { camera: string; line: string }
  | { site: string; place: string };

/** The path of a history from `begin` to `end`, milliseconds; with `format`, of its table. */
export function historyPath(subject: Subject, begin: number, end: number, format?: "csv" | "parquet"): string {
  const query = new URLSearchParams({ from: new Date(begin).toISOString(), to: new Date(end).toISOString() });
  if (format) query.set("format", format);
  if ("site" in subject) {
    return `/places/${encodeURIComponent(subject.site)}/${encodeURIComponent(subject.place)}/history?${query.toString()}`;
  }
  if ("line" in subject) query.set("line", subject.line);
  else query.set("place", subject.place);
  return `/cameras/${encodeURIComponent(subject.camera)}/crowd/history?${query.toString()}`;
}

/** `version`: until when it shows; another is another address, so that the browser does not mix the two. */
export const clipUrl = (id: string, version: string | null): string =>
  `${BASE}/incidents/${encodeURIComponent(id)}/clip?until=${encodeURIComponent(version ?? "")}`;
export const stillUrl = (id: string): string => `${BASE}/incidents/${encodeURIComponent(id)}/still`;
export const updatesUrl = (): string => new URL(`${BASE}/updates`, window.location.href).href;
export const picturePath = (id: string): string => `/cameras/${encodeURIComponent(id)}/picture`;

export function liveUrl(id: string): string {
  const url = new URL(`${BASE}/cameras/${encodeURIComponent(id)}/live`, window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
