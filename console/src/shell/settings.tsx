// Light or dark, and which language, before anybody has signed in and after.

import { useEffect, useState, type ReactNode } from "react";
import type { Language } from "../api/types";
import { LANGUAGE_NAMES, LANGUAGES, preferredLanguage } from "../language/catalogue";
import { useWords } from "../language/words";
import { Icon } from "./icons";

export type Theme = "dark" | "light";

const THEME = "tynysh.theme";
const LANGUAGE = "tynysh.language";

export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(() => (localStorage.getItem(THEME) === "light" ? "light" : "dark"));
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    localStorage.setItem(THEME, theme);
  }, [theme]);
  return [
    theme,
    () => {
      setTheme(theme === "dark" ? "light" : "dark");
    },
  ];
}

export function firstLanguage(): Language {
  const chosen = localStorage.getItem(LANGUAGE);
  return LANGUAGES.find((language) => language === chosen) ?? preferredLanguage(navigator.languages);
}

export function rememberLanguage(language: Language): void {
  localStorage.setItem(LANGUAGE, language);
}

export function LanguagePicker({ onPick }: { onPick: (language: Language) => void }): ReactNode {
  const { language, t } = useWords();
  return (
    <select
      className="language"
      aria-label={t("console.language")}
      value={language}
      onChange={(event) => {
        onPick(event.target.value as Language);
      }}
    >
      {LANGUAGES.map((each) => (
        <option key={each} value={each} lang={each}>
          {LANGUAGE_NAMES[each]}
        </option>
      ))}
    </select>
  );
}

export function ThemeButton({ theme, onToggle }: { theme: Theme; onToggle: () => void }): ReactNode {
  const { t } = useWords();
  const label = t(theme === "dark" ? "console.theme.light" : "console.theme.dark");
  return (
    <button type="button" className="ghost" onClick={onToggle} aria-label={label} title={label}>
      <Icon name={theme === "dark" ? "light" : "dark"} />
    </button>
  );
}
