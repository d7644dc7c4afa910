// How full a place is: a bar, its words, and a mark where it is full.

import type { ReactNode } from "react";
import { useWords } from "../language/words";
import { fullness, grade, type Counted } from "./number";

const WORDS = { good: "console.places.good", near: "console.places.near", full: "console.places.over" } as const;

export function Meter({ counted, capacity, name }: { counted: Counted; capacity: number; name: string }): ReactNode {
  const { t, percent, number } = useWords();
  const part = fullness(counted, capacity);
  const state = grade(part);
  const width = (value: number): string => `${Math.min(100, (100 * value) / Math.max(capacity, counted.high))}%`;
  return (
    <div className={`meter meter-${state}`}>
      <div
        className="meter-bar"
        role="meter"
        aria-label={name}
        aria-valuemin={0}
        aria-valuemax={capacity}
        aria-valuenow={Math.round(Math.min(capacity, part * capacity))}
        aria-valuetext={`${counted.rough ? "≥ " : ""}${percent(part)}, ${t(WORDS[state])}`}
      >
        <span className="meter-fill" style={{ width: width(part * capacity) }} />
        {!counted.rough && (
          <span className="meter-band" style={{ left: width(counted.low), right: `calc(100% - ${width(counted.high)})` }} />
        )}
        <span className="meter-end" style={{ left: width(capacity) }} />
      </div>
      <span className="meter-words small">
        {t("console.places.capacity", { capacity: number(capacity) })} · {t(WORDS[state])}
      </span>
    </div>
  );
}
