import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import type { IncidentDetail, StepRequest } from "../api/types";
import { Outbox, PATIENCE_MS, type Refused, type Unsent } from "./outbox";

class Store {
  private readonly kept = new Map<string, string>();
  getItem = (key: string): string | null => this.kept.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.kept.set(key, value);
  removeItem = (key: string): void => void this.kept.delete(key);
}

const incident = { id: "7", version: 3 };
const verify: StepRequest = { action: "verify", verdict: "false" };

function setting(store = new Store()) {
  const sent: [string, StepRequest][] = [];
  const taken: Unsent[] = [];
  const refused: Refused[] = [];
  let answer: (body: StepRequest, signal: AbortSignal) => Promise<IncidentDetail> = () =>
    Promise.resolve({} as IncidentDetail);
  const outbox = new Outbox(
    {
      send: (id, body, signal) => {
        sent.push([id, body]);
        return answer(body, signal);
      },
      taken: (unsent) => taken.push(unsent),
      refused: (each) => refused.push(each),
    },
    store,
  );
  return { outbox, sent, taken, refused, store, answers: (how: typeof answer) => (answer = how) };
}

const unreachable = () => Promise.reject(new ApiError(0, "unreachable", ""));
const hangs = (_: StepRequest, signal: AbortSignal) =>
  new Promise<IncidentDetail>((_resolve, reject) => {
    signal.addEventListener("abort", () => {
      reject(new DOMException("", "TimeoutError"));
    });
  });

describe("steps that wait for the server", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("says on what and by which key a step was taken, and forgets it once it is", async () => {
    const { outbox, sent, taken } = setting();
    outbox.start("aigerim");
    expect(outbox.push(incident, verify, "k1", 0)).toBe(true);
    expect(outbox.snapshot().unsent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toEqual([["7", { ...verify, key: "k1", version: 3 }]]);
    expect(taken.map(({ key }) => key)).toEqual(["k1"]);
    expect(outbox.snapshot().unsent).toEqual([]);
    outbox.stop();
  });

  it.each([
    ["cut", unreachable],
    ["refusing for now", () => Promise.reject(new ApiError(503, "store_unavailable", ""))],
    ["hanging", hangs],
  ])("tries again until a line that is %s is back, with the same key", async (_name, broken) => {
    const { outbox, sent, taken, answers } = setting();
    answers(broken);
    outbox.start("aigerim");
    outbox.push(incident, verify, "k1", 0);
    await vi.advanceTimersByTimeAsync(3 * PATIENCE_MS);
    expect(sent.length).toBeGreaterThan(1);
    expect(outbox.of("7")?.key).toBe("k1");
    expect(taken).toEqual([]);
    answers(() => Promise.resolve({} as IncidentDetail));
    await vi.advanceTimersByTimeAsync(3 * PATIENCE_MS);
    expect(taken).toHaveLength(1);
    expect(new Set(sent.map(([, body]) => body.key))).toEqual(new Set(["k1"]));
    outbox.stop();
  });

  it("keeps what waits over a reload, for the same user only", async () => {
    const { outbox, store, answers } = setting();
    answers(unreachable);
    outbox.start("aigerim");
    outbox.push(incident, verify, "k1", 0);
    await vi.advanceTimersByTimeAsync(10);
    outbox.stop();

    const other = setting(store);
    other.outbox.start("bolat");
    await vi.advanceTimersByTimeAsync(10);
    expect(other.sent).toEqual([]);
    other.outbox.stop();

    const again = setting(store);
    again.outbox.start("aigerim");
    await vi.advanceTimersByTimeAsync(10);
    expect(again.taken.map(({ key }) => key)).toEqual(["k1"]);
    again.outbox.stop();
  });

  it("tells a refusal once, and does not send it again", async () => {
    const { outbox, sent, refused, answers } = setting();
    answers(() => Promise.reject(new ApiError(409, "changed", "")));
    outbox.start("aigerim");
    outbox.push(incident, verify, "k1", 0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(1);
    expect(refused).toHaveLength(1);
    expect(outbox.snapshot().refused.map(({ error }) => error.code)).toEqual(["changed"]);
    outbox.forget("k1");
    expect(outbox.snapshot().refused).toEqual([]);
    outbox.stop();
  });

  it("holds back no other incident while one hangs, but a second step of the same", async () => {
    const { outbox, sent, answers } = setting();
    answers((body, signal) => (body.key === "k1" ? hangs(body, signal) : Promise.resolve({} as IncidentDetail)));
    outbox.start("aigerim");
    outbox.push(incident, verify, "k1", 0);
    expect(outbox.push(incident, { action: "resolve" }, "k2", 0)).toBe(false);
    expect(outbox.push({ id: "8", version: 0 }, verify, "k3", 0)).toBe(true);
    await vi.advanceTimersByTimeAsync(10);
    expect(sent.map(([id]) => id)).toEqual(["7", "8"]);
    expect(outbox.snapshot().unsent.map(({ key }) => key)).toEqual(["k1"]);
    outbox.stop();
  });

  it("waits for the user to sign in again where the session has ended", async () => {
    const { outbox, sent, answers } = setting();
    answers(() => Promise.reject(new ApiError(401, "signed_out", "")));
    outbox.start("aigerim");
    outbox.push(incident, verify, "k1", 0);
    await vi.advanceTimersByTimeAsync(10);
    expect(outbox.snapshot().unsent).toHaveLength(1);
    outbox.stop();
    answers(() => Promise.resolve({} as IncidentDetail));
    outbox.start("aigerim");
    await vi.advanceTimersByTimeAsync(10);
    expect(sent).toHaveLength(2);
    expect(outbox.snapshot().unsent).toEqual([]);
    outbox.stop();
  });
});
