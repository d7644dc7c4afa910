// Taking steps: shown at once, marked as on their way, taken back if the server says no.

import { useCallback, useRef, useState } from "react";
import { api, ApiError } from "../api/client";
import type { Action, Incident, StepRequest, User } from "../api/types";
import { useWords } from "../language/words";
import { live } from "../live/store";
import { explain } from "../shell/failure";
import { foretold } from "./lifecycle";

export interface Handling {
  /** The step that is on its way, if any. */
  busy: Action | null;
  failure: string | null;
  take: (incident: Incident, step: StepRequest) => Promise<boolean>;
  forget: () => void;
}

export function useHandling(user: User): Handling {
  const words = useWords();
  const [busy, setBusy] = useState<Action | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const underway = useRef(false);

  const take = useCallback(
    async (incident: Incident, step: StepRequest): Promise<boolean> => {
      if (underway.current) return false;
      underway.current = true;
      setBusy(step.action);
      setFailure(null);
      live.add([foretold(incident, step, user.name)]);
      try {
        live.add([await api.step(incident.id, step)]);
        return true;
      } catch (error) {
        live.add([incident]);
        const reason = explain(error, words);
        try {
          // What it is now is worth more than what it was: somebody else may have been quicker.
          const now = await api.incident(incident.id);
          live.add([now]);
          const conflict = error instanceof ApiError && error.status === 409;
          setFailure(
            conflict
              ? words.t("console.step.conflict", {
                  reason,
                  state: words.t(`console.state.${now.state}`),
                  owner: now.owner,
                })
              : reason,
          );
        } catch {
          setFailure(reason);
        }
        return false;
      } finally {
        underway.current = false;
        setBusy(null);
      }
    },
    [user.name, words],
  );

  const forget = useCallback(() => {
    setFailure(null);
  }, []);
  return { busy, failure, take, forget };
}
