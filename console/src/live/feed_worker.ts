// Runs beside the tabs: holds the one stream of updates of each user, and tells all who listen.

import { listen, type UpdateListener } from "../api/updates";
import type { Asked, Told } from "./feed";

interface Stream {
  ports: Set<MessagePort>;
  stop: AbortController;
  /** Whether the server is being heard: those who join late are told. */
  state: "opened" | "lost" | null;
}

const streams = new Map<string, Stream>();

function begin(url: string, key: string): Stream {
  const stream: Stream = { ports: new Set(), stop: new AbortController(), state: null };
  const say = (told: Told): void => {
    for (const port of stream.ports) port.postMessage(told);
  };
  const listener: UpdateListener = {
    opened: () => {
      stream.state = "opened";
      say(["opened"]);
    },
    lost: () => {
      stream.state = "lost";
      say(["lost"]);
    },
    heard: () => {
      say(["heard"]);
    },
    reload: () => {
      say(["reload"]);
    },
    incident: (incident) => {
      say(["incident", incident]);
    },
    camera: (camera) => {
      say(["camera", camera]);
    },
    signedOut: () => {
      streams.delete(key);
      say(["signedOut"]);
    },
  };
  void listen(url, listener, stream.stop.signal);
  return stream;
}

function leave(port: MessagePort): void {
  for (const [key, stream] of streams) {
    if (!stream.ports.delete(port) || stream.ports.size > 0) continue;
    stream.stop.abort();
    streams.delete(key);
  }
}

function serve(port: MessagePort): void {
  port.onmessage = ({ data }: MessageEvent<Asked>) => {
    leave(port);
    if (data === null) return;
    const key = `${data.user} ${data.url}`;
    const stream = streams.get(key) ?? begin(data.url, key);
    streams.set(key, stream);
    stream.ports.add(port);
    if (stream.state !== null) port.postMessage([stream.state]);
  };
}

(globalThis as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = (event) => {
  for (const port of event.ports) serve(port);
};
