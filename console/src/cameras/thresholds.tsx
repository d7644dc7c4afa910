// What a camera has learnt within its alarm budget, and what it costs: never more silently than this.

import { useCallback, type ReactNode } from "react";
import { api } from "../api/client";
import type { Threshold } from "../api/types";
import { usePolled } from "../crowd/polled";
import { useWords } from "../language/words";

const EVERY_MS = 60_000;

function Learnt({ learnt }: { learnt: Threshold }): ReactNode {
  const { t, behaviour, number, percent } = useWords();
  const rate =
    learnt.high === null
      ? t("console.budget.unknown")
      : t("console.budget.rate", {
          rate: number(learnt.false_per_day, 2),
          low: number(learnt.low, 2),
          high: number(learnt.high, 2),
          budget: number(learnt.budget, 2),
        });
  return (
    <li className="crowd-place" data-behaviour={learnt.behaviour} data-standing={learnt.standing}>
      <p className="crowd-place-head">
        <span className="clip-text">{behaviour(learnt.behaviour)}</span>
        <strong>{number(learnt.threshold, 2)}</strong>
      </p>
      <p className={learnt.standing === "floor" ? "failure" : "dim small"}>{t(`console.budget.${learnt.standing}`)}</p>
      <dl className="facts small">
        <div className="fact">
          <dt>{t("console.budget.false")}</dt>
          <dd>{rate}</dd>
        </div>
        <div className="fact">
          <dt>{t("console.budget.recall")}</dt>
          <dd>
            {learnt.recall === null
              ? t("console.budget.unmeasured")
              : t("console.budget.floored", { recall: percent(learnt.recall), floor: percent(learnt.recall_floor) })}
          </dd>
        </div>
        {learnt.verified > 0 && (
          <div className="fact">
            <dt>{t("console.budget.verified")}</dt>
            <dd>{t("console.budget.refound", { found: number(learnt.refound), verified: number(learnt.verified) })}</dd>
          </div>
        )}
      </dl>
    </li>
  );
}

export function Thresholds({ camera }: { camera: string }): ReactNode {
  const { t } = useWords();
  const ask = useCallback((signal: AbortSignal) => api.thresholds(camera, signal), [camera]);
  const { value } = usePolled(ask, EVERY_MS);
  if (value === null || value.length === 0) return null;
  return (
    <section className="panel thresholds">
      <h3>{t("console.budget.title")}</h3>
      <ul className="crowd-places">
        {value.map((learnt) => (
          <Learnt key={learnt.behaviour} learnt={learnt} />
        ))}
      </ul>
    </section>
  );
}
