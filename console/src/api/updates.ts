// What changed, as it changes: server-sent events with resume from the last id.
//
// Read with fetch and not with EventSource, because EventSource hides the server's heartbeat (comments) and the
// status of a refusal: a line that died silently would look alive, and a session that ended like a bad network.

import type { Camera, Incident } from "./types";

export interface Message {
  event: string;
  data: string;
}

/** Splits a stream of text into server-sent messages (WHATWG HTML, 9.2.6); comments count as signs of life only. */
export class MessageParser {
  /** The last id of which all has been read: to resume from. Ids come without data too. */
  lastId: string | null = null;
  private rest = "";
  private event = "";
  private id: string | null = null;
  private data: string[] = [];

  push(text: string): Message[] {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    const messages: Message[] = [];
    for (const line of lines) {
      if (line === "") {
        if (this.data.length > 0) {
          messages.push({ event: this.event || "message", data: this.data.join("\n") });
        }
        this.lastId = this.id;
        this.event = "";
        this.data = [];
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") this.data.push(value);
      else if (field === "event") this.event = value;
      else if (field === "id") this.id = value;
    }
    return messages;
  }
}

export interface UpdateListener {
  opened: () => void;
  heard: () => void;
  lost: () => void;
  incident: (incident: Incident) => void;
  camera: (camera: Camera) => void;
  /** Too much was missed: the lists are to be loaded anew. */
  reload: () => void;
  /** The session has ended; nothing more comes. */
  signedOut: () => void;
}

/** Longer than two of the server's heartbeats (one every 1.5 s). */
const SILENCE_MS = 3500;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

export function retryDelay(attempt: number, random: number): number {
  const base = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 8000;
  return base * (0.75 + random / 2);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const early = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", early, { once: true });
    // Coming back online or to the desk is a reason to try at once.
    globalThis.addEventListener("online", early, { once: true });
  });
}

/** Listens at `url` until `stop` is aborted or the session ends, reconnecting for ever. */
export async function listen(url: string, listener: UpdateListener, stop: AbortSignal): Promise<void> {
  const ended = (): boolean => stop.aborted;
  let lastId: string | null = null;
  for (let attempt = 0; !ended(); attempt += 1) {
    const line = new AbortController();
    const end = (): void => {
      line.abort();
    };
    stop.addEventListener("abort", end, { once: true });
    let watchdog = setTimeout(end, SILENCE_MS);
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (lastId !== null) headers["Last-Event-ID"] = lastId;
      const response = await fetch(url, { headers, signal: line.signal, cache: "no-store", credentials: "same-origin" });
      if (response.status === 401) {
        listener.signedOut();
        return;
      }
      if (!response.ok || !response.body) throw new Error(response.statusText);
      listener.opened();
      attempt = -1;
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      const parser = new MessageParser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(watchdog);
        watchdog = setTimeout(end, SILENCE_MS);
        listener.heard();
        for (const message of parser.push(decoder.decode(value, { stream: true }))) {
          if (message.event === "incident") listener.incident(JSON.parse(message.data) as Incident);
          else if (message.event === "camera") listener.camera(JSON.parse(message.data) as Camera);
          else if (message.event === "reload") listener.reload();
        }
        lastId = parser.lastId ?? lastId;
      }
    } catch {
      // Whatever it was, the line is to be built anew.
    } finally {
      clearTimeout(watchdog);
      stop.removeEventListener("abort", end);
      line.abort();
    }
    if (ended()) return;
    listener.lost();
    await pause(retryDelay(Math.max(0, attempt), Math.random()), stop);
  }
}
