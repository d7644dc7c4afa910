// The console: who is signed in decides what is shown.

import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { api, ApiError, speak, whenSignedOut } from "./api/client";
import type { Language, Session } from "./api/types";
import { outbox } from "./incidents/handling";
import { useWords, WordsProvider } from "./language/words";
import { Sound } from "./live/sound";
import { live } from "./live/store";
import { NewPassword } from "./session/password";
import { mayReadIncidents } from "./session/permissions";
import { SignIn } from "./session/sign_in";
import { explain } from "./shell/failure";
import { Frame } from "./shell/frame";
import { firstLanguage, LanguagePicker, rememberLanguage, ThemeButton, useTheme, type Theme } from "./shell/settings";

const sound = new Sound();

type Standing =
  | { at: "asking" }
  | { at: "unreachable"; error: unknown }
  | { at: "signed_out"; expired: boolean }
  | { at: "signed_in"; session: Session; password: string | null; changing: boolean };

interface GateProps {
  theme: Theme;
  onTheme: () => void;
  onLanguage: (language: Language) => void;
  children: ReactNode;
}

/** What is shown before anybody is in: the name of the house, and a choice of language. */
function Gate({ theme, onTheme, onLanguage, children }: GateProps): ReactNode {
  const { t } = useWords();
  return (
    <div className="gate">
      <header>
        <span className="brand">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M3 18h7l3-8 5 14 3-9 1.5 3H29" />
          </svg>
          Tynysh
        </span>
        <span className="tools">
          <ThemeButton theme={theme} onToggle={onTheme} />
          <LanguagePicker onPick={onLanguage} />
        </span>
      </header>
      <main id="main">{children}</main>
      <footer className="dim small">{t("console.motto")}</footer>
    </div>
  );
}

function Unreachable({ error, onRetry }: { error: unknown; onRetry: () => void }): ReactNode {
  const words = useWords();
  useEffect(() => {
    const timer = setInterval(onRetry, 5000);
    return () => {
      clearInterval(timer);
    };
  }, [onRetry]);
  return (
    <div className="card form">
      <p className="failure" role="alert">
        {explain(error, words)}
      </p>
      <button type="button" className="primary" onClick={onRetry}>
        {words.t("console.again")}
      </button>
    </div>
  );
}

export function App(): ReactNode {
  const [language, setLanguage] = useState<Language>(firstLanguage);
  const [theme, toggleTheme] = useTheme();
  const [standing, setStanding] = useState<Standing>({ at: "asking" });
  const picked = useRef<Language | null>(null);
  speak(language);

  const enter = useCallback((session: Session, password: string | null): void => {
    // Desks are shared: the account's language counts, unless another was picked just now to sign in with.
    if (picked.current === null) setLanguage(session.user.language);
    else if (picked.current !== session.user.language) void api.setLanguage(picked.current).catch(() => undefined);
    setStanding({ at: "signed_in", session, password, changing: session.user.must_change_password });
  }, []);

  const ask = useCallback((): void => {
    api.session().then(
      (session) => {
        enter(session, null);
      },
      (error: unknown) => {
        const refused = error instanceof ApiError && error.status === 401;
        setStanding(refused ? { at: "signed_out", expired: false } : { at: "unreachable", error });
      },
    );
  }, [enter]);

  useEffect(ask, [ask]);
  useEffect(() => {
    whenSignedOut(() => {
      setStanding((before) => (before.at === "signed_in" ? { at: "signed_out", expired: true } : before));
    });
  }, []);

  const signedIn = standing.at === "signed_in" && !standing.session.user.must_change_password;
  const role = standing.at === "signed_in" ? standing.session.user.role : null;
  const name = standing.at === "signed_in" ? standing.session.user.name : null;
  useEffect(() => {
    if (!signedIn || role === null || name === null) return;
    live.start(name, mayReadIncidents(role));
    outbox.start(name);
    return () => {
      live.stop();
      outbox.stop();
    };
  }, [signedIn, role, name]);

  const pick = (wanted: Language): void => {
    setLanguage(wanted);
    rememberLanguage(wanted);
    picked.current = wanted;
    if (standing.at === "signed_in") void api.setLanguage(wanted).catch(() => undefined);
  };
  const signOut = (): void => {
    void api.signOut().catch(() => undefined);
    picked.current = null;
    setStanding({ at: "signed_out", expired: false });
  };

  let inside: ReactNode = null;
  if (standing.at === "signed_out") {
    inside = <SignIn expired={standing.expired} onSession={enter} />;
  } else if (standing.at === "unreachable") {
    inside = <Unreachable error={standing.error} onRetry={ask} />;
  } else if (standing.at === "signed_in" && standing.changing) {
    const { session, password } = standing;
    const forced = session.user.must_change_password;
    inside = (
      <NewPassword
        user={session.user.name}
        current={password}
        forced={forced}
        onDone={(changed) => {
          setStanding({ at: "signed_in", session: changed, password: null, changing: false });
        }}
        onCancel={() => {
          if (forced) signOut();
          else setStanding({ ...standing, changing: false });
        }}
      />
    );
  } else if (standing.at === "signed_in") {
    const { session } = standing;
    return (
      <WordsProvider language={language}>
        <Frame
          user={session.user}
          sound={sound}
          theme={theme}
          onTheme={toggleTheme}
          onLanguage={pick}
          onPassword={() => {
            setStanding({ ...standing, password: null, changing: true });
          }}
          onSignOut={signOut}
        />
      </WordsProvider>
    );
  }
  return (
    <WordsProvider language={language}>
      <Gate theme={theme} onTheme={toggleTheme} onLanguage={pick}>
        {inside}
      </Gate>
    </WordsProvider>
  );
}
