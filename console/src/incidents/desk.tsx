// The operator's desk: the list, the opened incident beside it, and the keys that work on both.

import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { StepRequest, User } from "../api/types";
import { useWords } from "../language/words";
import { useKnown } from "../live/store";
import { mayHandle } from "../session/permissions";
import { useKeys } from "../shell/keys";
import { go, incidentHref } from "../shell/route";
import { may, take, undo, whenTaken } from "./handling";
import { IncidentList } from "./list";
import { ended, nextWaiting, queue, step, type Filter } from "./order";
import { IncidentPage } from "./page";

interface Props {
  opened: string | null;
  user: User;
  lit: ReadonlySet<string>;
  filter: Filter;
  onFilter: (filter: Filter) => void;
}

export function Desk({ opened, user, lit, filter, onFilter }: Props): ReactNode {
  const { t } = useWords();
  const { incidents } = useKnown();
  const [pointed, setPointed] = useState<string | null>(null);
  const [asking, setAsking] = useState<string | null>(null);
  const ids = useMemo(() => queue(incidents.values(), filter), [incidents, filter]);
  const selected = pointed ?? opened;
  // Where the selected one stood, for when it is no longer in the queue.
  const place = useRef(0);
  if (selected !== null && ids.includes(selected)) place.current = ids.indexOf(selected);

  useEffect(() => {
    if (opened !== null) setPointed(null);
    setAsking(null);
  }, [opened]);

  // After a step the next that waits is at hand; what needs nothing more of this operator makes way for it.
  useEffect(
    () =>
      whenTaken((unsent, now) => {
        if (unsent.incident !== opened || !["verify", "dispatch", "resolve"].includes(unsent.step.action)) return;
        const next = nextWaiting(incidents.values(), filter, now.id);
        if (next === null) return;
        if (ended(now)) go(incidentHref(next));
        else setPointed(next);
      }),
    [opened, incidents, filter],
  );

  const move = (by: number): void => {
    const next = step(ids, selected, place.current, by);
    if (next === null) return;
    if (opened !== null) go(incidentHref(next));
    else setPointed(next);
  };
  const act = (wanted: StepRequest): void => {
    // Another is being opened: what was meant for it must not fall on the one that is still on the screen.
    if (opened !== null && window.location.hash !== incidentHref(opened)) return;
    // A verdict is given on what is in view; only "I have seen it" can be said from the list.
    const incident = incidents.get((wanted.action === "acknowledge" ? (opened ?? selected) : opened) ?? "");
    if (!incident || !mayHandle(user.role) || !may(user, incident, wanted.action)) return;
    if (wanted.action === "resolve" && !wanted.verdict && incident.verdict === null) {
      setAsking(asking === incident.id ? null : incident.id);
      return;
    }
    take(incident, wanted);
    setAsking(null);
  };
  const decide = (verdict: "true" | "false" | "unclear"): void => {
    act({ action: asking === null ? "verify" : "resolve", verdict });
  };
  const close = (): void => {
    go("#/incidents");
    setPointed(opened);
  };

  useKeys({
    j: () => {
      move(1);
    },
    ArrowDown: () => {
      move(1);
    },
    k: () => {
      move(-1);
    },
    ArrowUp: () => {
      move(-1);
    },
    Enter: () => {
      if (selected !== null) go(incidentHref(selected));
    },
    Escape: () => {
      if (asking !== null) setAsking(null);
      else if (opened !== null) close();
    },
    a: () => {
      act({ action: "acknowledge" });
    },
    t: () => {
      act({ action: "take_over" });
    },
    1: () => {
      decide("true");
    },
    2: () => {
      decide("false");
    },
    3: () => {
      decide("unclear");
    },
    d: () => {
      act({ action: "dispatch" });
    },
    r: () => {
      act({ action: "resolve" });
    },
    z: undo,
    n: () => {
      document.getElementById("note")?.focus();
    },
  });

  return (
    <div className={opened === null ? "desk" : "desk with-incident"}>
      <IncidentList filter={filter} onFilter={onFilter} selected={selected} opened={opened} arrived={lit} />
      <div className="detail">
        {opened === null ? (
          <p className="empty dim wide-only">{t("console.incident.choose")}</p>
        ) : (
          <IncidentPage
            key={opened}
            id={opened}
            user={user}
            asking={asking === opened}
            onTake={act}
            onClose={close}
          />
        )}
      </div>
    </div>
  );
}
