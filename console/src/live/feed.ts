// One stream of updates for all tabs of this browser: HTTP/1.1 allows six connections to a server, and each stream
// takes one for good. A shared worker holds it; where there are none, each tab holds its own.

import { listen, type UpdateListener } from "../api/updates";

/** What the worker tells its tabs: the name of a listener's method, and what it is told. */
export type Told = { [Name in keyof UpdateListener]: [Name, ...Parameters<UpdateListener[Name]>] }[keyof UpdateListener];

/** What a tab asks of the worker: the stream of `user` at `url`, or no longer. */
export type Asked = { url: string; user: string } | null;

export function tell(listener: UpdateListener, told: Told): void {
  (listener[told[0]] as (...values: unknown[]) => void)(...told.slice(1));
}

/** Listens to what changes for `user` until `stop` is aborted. */
export function follow(url: string, user: string, listener: UpdateListener, stop: AbortSignal): void {
  const alone = (): void => void listen(url, listener, stop);
  if (typeof SharedWorker === "undefined") {
    alone();
    return;
  }
  const worker = new SharedWorker(new URL("./feed_worker.ts", import.meta.url), { type: "module", name: "tynysh" });
  const ask = (asked: Asked): void => {
    worker.port.postMessage(asked);
  };
  const leave = (): void => {
    ask(null);
  };
  const join = (): void => {
    ask({ url, user });
  };
  const back = (event: PageTransitionEvent): void => {
    if (event.persisted) join();
  };
  const end = (): void => {
    leave();
    worker.port.close();
    window.removeEventListener("pagehide", leave);
    window.removeEventListener("pageshow", back);
  };
  worker.port.onmessage = ({ data }: MessageEvent<Told>) => {
    if (!stop.aborted) tell(listener, data);
  };
  worker.onerror = () => {
    end();
    if (!stop.aborted) alone();
  };
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", back);
  stop.addEventListener("abort", end, { once: true });
  join();
}
