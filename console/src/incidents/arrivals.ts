// What happens when an incident arrives: it lights up in the list, sounds until somebody takes it, and is read out.

import { useEffect, useMemo, useState } from "react";
import { serverNow } from "../api/client";
import type { Incident } from "../api/types";
import { useNow } from "../live/now";
import { live, useKnown, type ArrivalKind } from "../live/store";
import type { Sound } from "../live/sound";
import { go, incidentHref } from "../shell/route";
import { arrange, NO_FILTER } from "./order";

const LIT_MS = 15_000;

export interface Arrivals {
  lit: ReadonlySet<string>;
  latest: { incident: Incident; kind: ArrivalKind } | null;
  /** Those that nobody has taken, the gravest and newest first. */
  waiting: readonly Incident[];
}

/** Shows the arrival outside the browser where it was allowed to, and nobody is looking at the page. */
function notify(title: string, incident: Incident): void {
  if (!document.hidden || typeof Notification === "undefined" || Notification.permission !== "granted") return;
  const notice = new Notification(title, { tag: `tynysh-${incident.id}`, requireInteraction: incident.severity === 4 });
  notice.onclick = () => {
    window.focus();
    go(incidentHref(incident.id));
    notice.close();
  };
}

export function useArrivals(sound: Sound, words: (incident: Incident, kind: ArrivalKind) => string): Arrivals {
  const [lit, setLit] = useState<ReadonlySet<string>>(new Set());
  const [latest, setLatest] = useState<Arrivals["latest"]>(null);
  useEffect(() => {
    const timers = new Set<ReturnType<typeof setTimeout>>();
    const forget = live.onArrival((incident, kind) => {
      notify(words(incident, kind), incident);
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
  }, [sound, words]);

  const { incidents } = useKnown();
  const waiting = useMemo(
    () => arrange(incidents.values(), NO_FILTER).find(({ group }) => group === "waiting")?.incidents ?? [],
    [incidents],
  );
  const now = useNow();
  const gravest = waiting[0]?.severity;
  useEffect(() => {
    if (gravest !== undefined) sound.remind(gravest, now);
  }, [gravest, now, sound]);
  return { lit, latest, waiting };
}
