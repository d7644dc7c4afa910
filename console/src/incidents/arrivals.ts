// What happens when an incident arrives: it lights up in the list, sounds, and is read out.

import { useEffect, useState } from "react";
import { serverNow } from "../api/client";
import type { Incident } from "../api/types";
import { live } from "../live/store";
import type { Sound } from "../live/sound";

const LIT_MS = 15_000;

export interface Arrivals {
  lit: ReadonlySet<string>;
  latest: { incident: Incident; kind: "new" | "graver" } | null;
}

export function useArrivals(sound: Sound): Arrivals {
  const [lit, setLit] = useState<ReadonlySet<string>>(new Set());
  const [latest, setLatest] = useState<Arrivals["latest"]>(null);
  useEffect(() => {
    const timers = new Set<ReturnType<typeof setTimeout>>();
    const forget = live.onArrival((incident, kind) => {
      sound.arrival(incident.severity, serverNow());
      setLatest({ incident, kind });
      setLit((before) => new Set(before).add(incident.id));
      const timer = setTimeout(() => {
        timers.delete(timer);
        setLit((before) => new Set([...before].filter((id) => id !== incident.id)));
      }, LIT_MS);
      timers.add(timer);
    });
    return () => {
      forget();
      timers.forEach(clearTimeout);
    };
  }, [sound]);
  return { lit, latest };
}
