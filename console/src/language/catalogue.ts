// The texts that people read, from the same files that Python reads.

import type consoleTexts from "@translations/en/console.json";
import type { Language } from "../api/types";
import { figures } from "./format";

export type Key = keyof typeof consoleTexts;
export type Values = Record<string, string | number | null | undefined>;

export const LANGUAGES: readonly Language[] = ["kk", "ru", "en"];
export const LANGUAGE_NAMES: Record<Language, string> = { kk: "Қазақша", ru: "Русский", en: "English" };

const rooms = import.meta.glob<Record<string, string>>("@translations/*/*.json", {
  eager: true,
  import: "default",
});

export const catalogue: Record<Language, Record<string, string>> = { kk: {}, ru: {}, en: {} };
for (const [path, texts] of Object.entries(rooms)) {
  const language = /\/(kk|ru|en)\/[^/]+\.json$/.exec(path)?.[1] as Language | undefined;
  if (language) Object.assign(catalogue[language], texts);
}

/** Texts that installed analysers add, as the server tells them with the session; those of the build stand. */
export function learn(words: Record<string, Record<string, string>>): void {
  for (const language of LANGUAGES) catalogue[language] = { ...words[language], ...catalogue[language] };
}

/** The browser's choice among our languages, Russian-speaking neighbours included; English if it has none. */
export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split("-")[0];
    const known = LANGUAGES.find((candidate) => candidate === language);
    if (known) return known;
  }
  return "en";
}

function formatted(value: string | number | null | undefined, spec: string, language: Language): string {
  if (typeof value !== "number") return value ?? "–";
  const match = /^\.?(\d*)([%fd]?)$/.exec(spec);
  const digits = match?.[1] ? Number(match[1]) : undefined;
  const options: Intl.NumberFormatOptions =
    digits === undefined
      ? { maximumFractionDigits: match?.[2] === "d" || match?.[2] === "%" ? 0 : 2 }
      : { minimumFractionDigits: digits, maximumFractionDigits: digits };
  if (match?.[2] === "%") options.style = "percent";
  return new Intl.NumberFormat(figures(language), options).format(value);
}

/** Fills `{name}` and `{name:.0%}` places as Python's str.format does; an unknown place shows a dash. */
export function fill(template: string, values: Values, language: Language): string {
  return template.replace(/\{\{|\}\}|\{(\w+)(?::([^}]*))?\}/g, (whole, name?: string, spec?: string) =>
    name === undefined ? (whole[0] ?? "") : formatted(values[name], spec ?? "", language),
  );
}

/** The text of a key that may be missing: in the language, else in English, else null. */
export function lookup(language: Language, key: string, values: Values = {}): string | null {
  const template = catalogue[language][key] ?? catalogue.en[key];
  return template === undefined ? null : fill(template, values, language);
}

/** A key made readable, for words that the catalogue does not have yet: `person_down` becomes `Person down`. */
export function humanised(key: string): string {
  const words = (key.split(".").pop() ?? key).replaceAll("_", " ").trim();
  return words === "" ? key : words.charAt(0).toUpperCase() + words.slice(1);
}
