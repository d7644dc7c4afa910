// A new password: of one's own will, or because the first one was for one use.

import { useState, type ReactNode } from "react";
import { api } from "../api/client";
import type { Session } from "../api/types";
import { useWords } from "../language/words";
import { explain } from "../shell/failure";

/** As the server asks. */
const SHORTEST = 10;

interface Props {
  user: string;
  /** Known right after signing in, so that nobody has to type it twice. */
  current: string | null;
  forced: boolean;
  onDone: (session: Session) => void;
  onCancel: () => void;
}

export function NewPassword({ user, current, forced, onDone, onCancel }: Props): ReactNode {
  const words = useWords();
  const { t } = words;
  const [old, setOld] = useState(current ?? "");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);

  const submit = async (): Promise<void> => {
    if (next.length < SHORTEST) {
      setFailure(t("console.password.short", { count: SHORTEST }));
      return;
    }
    if (next !== again) {
      setFailure(t("console.password.differs"));
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      onDone(await api.setPassword(old, next));
    } catch (error) {
      setFailure(explain(error, words));
      setBusy(false);
    }
  };

  return (
    <form
      className="card form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1>{t("console.password.title")}</h1>
      {forced && <p className="notice">{t("console.password.forced")}</p>}
      <input type="text" name="username" autoComplete="username" value={user} readOnly hidden />
      {current === null && (
        <label>
          <span>{t("console.password.current")}</span>
          <input
            name="current"
            type="password"
            autoComplete="current-password"
            required
            autoFocus
            value={old}
            onChange={(event) => {
              setOld(event.target.value);
            }}
          />
        </label>
      )}
      <label>
        <span>{t("console.password.new")}</span>
        <input
          name="new"
          type="password"
          autoComplete="new-password"
          required
          autoFocus={current !== null}
          aria-describedby="password-rule"
          value={next}
          onChange={(event) => {
            setNext(event.target.value);
          }}
        />
        <span id="password-rule" className="dim small">
          {t("console.password.rule", { count: SHORTEST })}
        </span>
      </label>
      <label>
        <span>{t("console.password.again")}</span>
        <input
          name="again"
          type="password"
          autoComplete="new-password"
          required
          value={again}
          onChange={(event) => {
            setAgain(event.target.value);
          }}
        />
      </label>
      {failure && (
        <p className="failure" role="alert">
          {failure}
        </p>
      )}
      <button type="submit" className="primary" disabled={busy}>
        {t("console.password.submit")}
      </button>
      <button type="button" className="plain" onClick={onCancel}>
        {t(forced ? "console.sign_out" : "console.cancel")}
      </button>
    </form>
  );
}
