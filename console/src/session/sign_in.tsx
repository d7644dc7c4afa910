// Who is there: name and password.

import { useState, type ReactNode } from "react";
import { api, ApiError } from "../api/client";
import type { Session } from "../api/types";
import { useWords } from "../language/words";
import { explain } from "../shell/failure";
import { PasswordField } from "./password_field";

interface Props {
  expired: boolean;
  onSession: (session: Session, password: string) => void;
}

export function SignIn({ expired, onSession }: Props): ReactNode {
  const words = useWords();
  const { t } = words;
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);

  const submit = async (): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      onSession(await api.signIn(name.trim(), password), password);
    } catch (error) {
      setFailure(error instanceof ApiError ? error : new ApiError(0, "unknown", ""));
      if (error instanceof ApiError && error.status === 401) setPassword("");
    } finally {
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
      <h1>{t("console.sign_in.title")}</h1>
      {expired && !failure && (
        <p className="notice" role="status">
          {t("console.sign_in.expired")}
        </p>
      )}
      <label>
        <span>{t("console.sign_in.name")}</span>
        <input
          name="name"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          autoFocus
          value={name}
          onChange={(event) => {
            setName(event.target.value);
          }}
        />
      </label>
      <PasswordField
        label={t("console.sign_in.password")}
        name="password"
        kept="current-password"
        value={password}
        onValue={setPassword}
      />
      {failure && (
        <p className="failure" role="alert">
          {failure.status === 401 ? t("console.sign_in.wrong") : explain(failure, words)}
        </p>
      )}
      <button type="submit" className="primary" disabled={busy}>
        {t(busy ? "console.sign_in.busy" : "console.sign_in.submit")}
      </button>
      <p className="dim small">{t("console.sign_in.recorded")}</p>
    </form>
  );
}
