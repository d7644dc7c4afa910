// What the server says now, asked for again and again while somebody looks.

import { useEffect, useState } from "react";
import { ApiError } from "../api/client";

const AFTER_FAILURE_MS = 5000;

export interface Polled<T> {
  value: T | null;
  failed: boolean;
}

/** Asks every `everyMs` while the page is seen and `wanted`; `ask` must keep its identity for as long as its question. */
export function usePolled<T>(ask: (signal: AbortSignal) => Promise<T>, everyMs: number, wanted = true): Polled<T> {
  const [polled, setPolled] = useState<Polled<T>>({ value: null, failed: false });
  useEffect(() => {
    if (!wanted) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const again = async (): Promise<void> => {
      let pause = everyMs;
      if (!document.hidden) {
        try {
          const value = await ask(stop.signal);
          setPolled({ value, failed: false });
        } catch (error) {
          if (stop.signal.aborted) return;
          setPolled((before) => ({ ...before, failed: true }));
          pause = error instanceof ApiError && error.retryAfter ? error.retryAfter * 1000 : AFTER_FAILURE_MS;
        }
      }
      if (!stop.signal.aborted) timer = setTimeout(() => void again(), pause);
    };
    void again();
    return () => {
      stop.abort();
      clearTimeout(timer);
      setPolled({ value: null, failed: false });
    };
  }, [ask, everyMs, wanted]);
  return polled;
}
