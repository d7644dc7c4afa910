// Times and durations, in the site's time zone and the reader's language.

import type { Language } from "../api/types";

/**
 * The locale for figures. Chromium says that it knows Kazakh but writes "1970 M01 1" and "12,345.6" (156, measured),
 * so Kazakh figures are written as Russian ones, which look the same, and the names of months are our own.
 */
export function figures(language: Language): string {
  return language === "en" ? "en-GB" : "ru";
}

const KAZAKH_MONTHS = [
  "қаңтар",
  "ақпан",
  "наурыз",
  "сәуір",
  "мамыр",
  "маусым",
  "шілде",
  "тамыз",
  "қыркүйек",
  "қазан",
  "қараша",
  "желтоқсан",
];

const formats = new Map<string, Intl.DateTimeFormat>();

function format(language: Language, zone: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language}|${zone ?? ""}|${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) {
    const all: Intl.DateTimeFormatOptions = { hourCycle: "h23", ...options };
    try {
      found = new Intl.DateTimeFormat(figures(language), zone === undefined ? all : { ...all, timeZone: zone });
    } catch {
      found = new Intl.DateTimeFormat(figures(language), all);
    }
    formats.set(key, found);
  }
  return found;
}

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;

/** 14:05:09 */
export function clockTime(language: Language, at: number, zone?: string): string {
  return format(language, zone, CLOCK).format(at);
}

/** 14:05:09 today, 21.11, 14:05:09 on another day. */
export function shortTime(language: Language, at: number, now: number, zone?: string): string {
  const day = format("en", zone, { year: "numeric", month: "2-digit", day: "2-digit" });
  if (day.format(at) === day.format(now)) return clockTime(language, at, zone);
  return format(language, zone, { day: "2-digit", month: "2-digit", ...CLOCK }).format(at);
}

function kazakhDay(at: number, zone?: string): string {
  const parts = format("en", zone, { day: "numeric", month: "numeric", year: "numeric" }).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((each) => each.type === type)?.value ?? "";
  return `${part("year")} ж. ${part("day")} ${KAZAKH_MONTHS[Number(part("month")) - 1] ?? ""}`;
}

/** The whole date and time, with the zone's name. */
export function fullTime(language: Language, at: number, zone?: string): string {
  const text =
    language === "kk"
      ? `${kazakhDay(at, zone)} ${clockTime(language, at, zone)}`
      : format(language, zone, { day: "numeric", month: "long", year: "numeric", ...CLOCK }).format(at);
  const name = format("en", zone, { timeZoneName: "shortOffset", hour: "2-digit" })
    .formatToParts(at)
    .find((part) => part.type === "timeZoneName")?.value;
  return name ? `${text} ${name.replace("GMT", "UTC")}` : text;
}

/** 0:07, 4:12, 1:04:12: a clock needs no words. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

const UNITS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

/** "3 min", "2 hr": the one unit that matters. */
export function roughly(language: Language, seconds: number): string {
  const size = Math.max(0, seconds);
  const [unit, length] = UNITS.find(([, each]) => size >= each) ?? UNITS[3];
  const count = Math.floor(size / length);
  if (language === "kk") {
    const words = { day: "тәул.", hour: "сағ", minute: "мин", second: "с" };
    return `${count} ${words[unit]}`;
  }
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(count);
}
