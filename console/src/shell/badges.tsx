// Small marks that say one thing each: gravity, state, verdict, simulated.

import type { ReactNode } from "react";
import type { CameraState, Incident, Severity as Grade } from "../api/types";
import { useWords } from "../language/words";
import { useKnown } from "../live/store";

/** Bars as well as colour, and a word for those who see neither. */
export function Severity({ grade, word = false }: { grade: Grade; word?: boolean }): ReactNode {
  const { t } = useWords();
  const label = t(`console.severity.${grade}`);
  return (
    <span className={`severity severity-${grade}`} title={label}>
      <svg viewBox="0 0 18 16" aria-hidden="true">
        {[1, 2, 3, 4].map((bar) => (
          <rect
            key={bar}
            className={bar <= grade ? "bar-on" : "bar-off"}
            x={(bar - 1) * 4.6}
            y={16 - bar * 4}
            width="3.4"
            height={bar * 4}
            rx="0.8"
          />
        ))}
      </svg>
      <span className={word ? "severity-word" : "unseen"}>{label}</span>
    </span>
  );
}

export function StateChip({ incident }: { incident: Pick<Incident, "state" | "verdict"> }): ReactNode {
  const { t } = useWords();
  const { state, verdict } = incident;
  return (
    <span className="chips">
      <span className={`chip state-${state}`}>{t(`console.state.${state}`)}</span>
      {verdict && <span className={`chip verdict-${verdict}`}>{t(`console.verdict.${verdict}`)}</span>}
    </span>
  );
}

export function Simulated(): ReactNode {
  const { t } = useWords();
  return (
    <span className="chip simulated" title={t("console.camera.simulated_hint")}>
      {t("console.camera.simulated")}
    </span>
  );
}

/** How a camera is doing. While nothing is heard of the server nobody knows, and none is said to be live. */
export function CameraChip({ state }: { state: CameraState }): ReactNode {
  const { t } = useWords();
  const { link } = useKnown();
  const shown = link.state === "lost" ? "unknown" : state;
  return (
    <span className={`chip camera-${shown}`}>
      <span className="dot" aria-hidden="true" />
      {t(`console.camera.state.${shown}`)}
    </span>
  );
}
