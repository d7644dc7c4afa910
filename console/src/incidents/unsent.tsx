// On every page: steps that the server has not taken yet, those that it refused, and the last one to take back.

import type { ReactNode } from "react";
import { useWords, type Words } from "../language/words";
import { useNow } from "../live/now";
import { useKnown } from "../live/store";
import { explain } from "../shell/failure";
import { Icon } from "../shell/icons";
import { incidentHref } from "../shell/route";
import { outbox, undo, UNDO_MS, useDone, useOutbox } from "./handling";
import type { Refused, Unsent } from "./outbox";

/** A step in words, as the history tells it. */
export function did({ t }: Words, { action, verdict }: Pick<Unsent["step"], "action" | "verdict">): string {
  if (action !== "verify") return t(`console.did.${action}`);
  return verdict ? t(`console.did.verify.${verdict}`) : t("console.state.verified");
}

/** A step in words, as its button tells it. */
export function wanted({ t }: Words, { action, verdict }: Unsent["step"]): string {
  if (action === "note") return t("console.note.label");
  return action === "verify" && verdict ? t(`console.step.verify.${verdict}`) : t(`console.step.${action}`);
}

function About({ incident }: { incident: string }): ReactNode {
  const { t, behaviour } = useWords();
  const known = useKnown().incidents.get(incident);
  return (
    <a href={incidentHref(incident)}>
      {t("console.incident.number", { number: incident })}
      {known && ` ${behaviour(known.behaviour)}, ${known.camera.name}`}
    </a>
  );
}

function Refusal({ refused }: { refused: Refused }): ReactNode {
  const words = useWords();
  const { t } = words;
  const now = useKnown().incidents.get(refused.unsent.incident);
  return (
    <li className="failure" role="alert">
      <span>
        {t("console.unsent.refused", { step: wanted(words, refused.unsent.step) })} <About incident={refused.unsent.incident} />
        {". "}
        {explain(refused.error, words)}
        {now &&
          refused.error.status === 409 &&
          ` ${t(now.owner === null ? "console.unsent.now" : "console.unsent.now_with", {
            state: t(`console.state.${now.state}`),
            owner: now.owner ?? "",
          })}`}
      </span>
      <button
        type="button"
        className="ghost"
        aria-label={t("console.close")}
        onClick={() => {
          outbox.forget(refused.unsent.key);
        }}
      >
        <Icon name="close" />
      </button>
    </li>
  );
}

export function UnsentSteps(): ReactNode {
  const words = useWords();
  const { t } = words;
  const { unsent, refused } = useOutbox();
  // One that has just been pressed is shown where it was pressed; here stands what does not get through.
  const late = unsent.filter(({ tries }) => tries > 0);
  if (late.length === 0 && refused.length === 0) return null;
  return (
    <section className="unsent-steps" aria-label={t("console.unsent.title")}>
      {late.length > 0 && (
        <div className="banner" role="alert">
          <span className="spinner" aria-hidden="true" />
          <span>
            <strong>{t("console.unsent.waiting", { count: late.length })}</strong>
            {late.map((each) => (
              <span key={each.key} className="unsent-step">
                {" "}
                {wanted(words, each.step)}: <About incident={each.incident} />
              </span>
            ))}
          </span>
        </div>
      )}
      {refused.length > 0 && (
        <ul className="refused">
          {refused.map((each) => (
            <Refusal key={each.unsent.key} refused={each} />
          ))}
        </ul>
      )}
    </section>
  );
}

export function UndoOffer(): ReactNode {
  const words = useWords();
  const { t } = words;
  const done = useDone();
  useNow();
  if (done === null) return null;
  const left = Math.min(UNDO_MS / 1000, Math.max(0, Math.ceil((done.until - Date.now()) / 1000)));
  const waiting = outbox.of(done.now.id) !== undefined;
  return (
    <div className="undo card">
      <span role="status">
        {wanted(words, done.unsent.step)}: <About incident={done.now.id} />
      </span>
      <button type="button" disabled={waiting} onClick={undo}>
        {t("console.undo")} <kbd>Z</kbd> <span className="figures" aria-hidden="true">{left}</span>
      </button>
    </div>
  );
}
