// A new password: of one's own will, or because the first one was for one use.

import { useState, type ReactNode } from "react";
import { api } from "../api/client";
import type { Session } from "../api/types";
import { useWords } from "../language/words";
import { explain } from "../shell/failure";
import { PasswordField } from "./password_field";

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
        <PasswordField
          label={t("console.password.current")}
          name="current"
          kept="current-password"
          autoFocus
          value={old}
          onValue={setOld}
        />
      )}
      <PasswordField
        label={t("console.password.new")}
        name="new"
        kept="new-password"
        autoFocus={current !== null}
        rule={t("console.password.rule", { count: SHORTEST })}
        value={next}
        onValue={setNext}
      />
      <PasswordField
        label={t("console.password.again")}
        name="again"
        kept="new-password"
        value={again}
        onValue={setAgain}
      />
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
