// The reader's language, and everything that is written in it.

import { createContext, useContext, useEffect, useMemo, type ReactNode } from "react";
import { serverNow } from "../api/client";
import type { Language, Reason } from "../api/types";
import { humanised, lookup, type Key, type Values } from "./catalogue";
import { clockTime, figures, fullTime, roughly, shortTime } from "./format";

export interface Words {
  language: Language;
  t: (key: Key, values?: Values) => string;
  /** A text of another room, or null where the catalogue has none. */
  find: (key: string, values?: Values) => string | null;
  behaviour: (name: string) => string;
  reason: (reason: Reason) => string;
  clock: (at: string | number, zone?: string) => string;
  short: (at: string | number, zone?: string) => string;
  full: (at: string | number, zone?: string) => string;
  roughly: (seconds: number) => string;
  number: (value: number, digits?: number) => string;
  percent: (value: number) => string;
}

const milliseconds = (at: string | number): number => (typeof at === "number" ? at : Date.parse(at));

export function makeWords(language: Language): Words {
  const find = (key: string, values?: Values): string | null => lookup(language, key, values);
  return {
    language,
    find,
    t: (key, values) => find(key, values) ?? humanised(key),
    behaviour: (name) => find(`behaviour.${name}`) ?? humanised(name),
    reason: ({ key, values }) => {
      const full = key.startsWith("reason.") ? key : `reason.${key}`;
      const named: Values = { ...values };
      for (const [name, value] of Object.entries(values)) {
        // Values may be words of the catalogue themselves, such as a kind of fault.
        if (typeof value === "string") named[name] = find(`${name}.${value}`) ?? value;
      }
      return find(full, named) ?? humanised(key);
    },
    clock: (at, zone) => clockTime(language, milliseconds(at), zone),
    short: (at, zone) => shortTime(language, milliseconds(at), serverNow(), zone),
    full: (at, zone) => fullTime(language, milliseconds(at), zone),
    roughly: (seconds) => roughly(language, seconds),
    number: (value, digits = 0) =>
      new Intl.NumberFormat(figures(language), { maximumFractionDigits: digits }).format(value),
    percent: (value) =>
      new Intl.NumberFormat(figures(language), { style: "percent", maximumFractionDigits: 0 }).format(value),
  };
}

const WordsContext = createContext<Words>(makeWords("en"));

export function WordsProvider({ language, children }: { language: Language; children: ReactNode }): ReactNode {
  const words = useMemo(() => makeWords(language), [language]);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return <WordsContext value={words}>{children}</WordsContext>;
}

export function useWords(): Words {
  return useContext(WordsContext);
}
