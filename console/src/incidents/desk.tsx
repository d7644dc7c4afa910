// The operator's desk: the list, the opened incident beside it, and the keys that work on both.

import { useMemo, useState, type ReactNode } from "react";
import type { Action, StepRequest, User } from "../api/types";
import { useWords } from "../language/words";
import { useKnown } from "../live/store";
import { mayHandle } from "../session/permissions";
import { useKeys } from "../shell/keys";
import { go, incidentHref } from "../shell/route";
import { useHandling } from "./handling";
import { IncidentList } from "./list";
import { arrange, NO_FILTER, type Filter } from "./order";
import { IncidentPage } from "./page";

interface Props {
  opened: string | null;
  user: User;
  lit: ReadonlySet<string>;
}

export function Desk({ opened, user, lit }: Props): ReactNode {
  const { t } = useWords();
  const { incidents } = useKnown();
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const [pointed, setPointed] = useState<string | null>(null);
  const handling = useHandling(user);
  const ids = useMemo(
    () => arrange(incidents.values(), filter).flatMap(({ incidents: rows }) => rows.map(({ id }) => id)),
    [incidents, filter],
  );
  const selected = opened ?? pointed;

  const move = (by: number): void => {
    const here = selected === null ? -1 : ids.indexOf(selected);
    const next = ids[here < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, here + by))];
    if (next === undefined) return;
    setPointed(next);
    if (opened !== null) go(incidentHref(next));
  };
  const take = (action: Action, rest: Partial<StepRequest> = {}): void => {
    // A verdict is given on what is in view; only "I have seen it" can be said from the list.
    const incident = incidents.get((action === "acknowledge" ? selected : opened) ?? "");
    if (!incident || !mayHandle(user.role) || !incident.actions.includes(action)) return;
    void handling.take(incident, { action, ...rest });
  };
  const close = (): void => {
    setPointed(opened);
    go("#/incidents");
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
      if (document.activeElement instanceof HTMLTextAreaElement) document.activeElement.blur();
      else if (opened !== null) close();
    },
    a: () => {
      take("acknowledge");
    },
    1: () => {
      take("verify", { verdict: "true" });
    },
    2: () => {
      take("verify", { verdict: "false" });
    },
    3: () => {
      take("verify", { verdict: "unclear" });
    },
    d: () => {
      take("dispatch");
    },
    r: () => {
      take("resolve");
    },
    n: () => {
      document.getElementById("note")?.focus();
    },
  });

  return (
    <div className={opened === null ? "desk" : "desk with-incident"}>
      <IncidentList filter={filter} onFilter={setFilter} selected={selected} opened={opened} arrived={lit} />
      <div className="detail">
        {opened === null ? (
          <p className="empty dim wide-only">{t("console.incident.choose")}</p>
        ) : (
          <IncidentPage key={opened} id={opened} user={user} handling={handling} onClose={close} />
        )}
        {opened === null && handling.failure && (
          <p className="failure" role="alert">
            {handling.failure}
          </p>
        )}
      </div>
    </div>
  );
}
