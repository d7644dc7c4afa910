// One password to type, with its label.

import type { ReactNode } from "react";

interface Props {
  label: string;
  name: string;
  /** Which of the browser's kept passwords belongs here. */
  kept: "current-password" | "new-password";
  value: string;
  onValue: (value: string) => void;
  autoFocus?: boolean;
  /** A rule to be kept to, shown below and read out with the field. */
  rule?: string;
}

export function PasswordField({ label, name, kept, value, onValue, autoFocus = false, rule }: Props): ReactNode {
  const ruleId = `${name}-rule`;
  return (
    <label>
      <span>{label}</span>
      <input
        name={name}
        type="password"
        autoComplete={kept}
        required
        autoFocus={autoFocus}
        aria-describedby={rule === undefined ? undefined : ruleId}
        value={value}
        onChange={(event) => {
          onValue(event.target.value);
        }}
      />
      {rule !== undefined && (
        <span id={ruleId} className="dim small">
          {rule}
        </span>
      )}
    </label>
  );
}
