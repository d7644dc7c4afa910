// Every word that the console or the server may ask for is there, in all three languages.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { catalogue, fill, humanised, LANGUAGES, learn, lookup, preferredLanguage } from "./catalogue";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

function sources(folder: string, ending: RegExp): string {
  return readdirSync(folder, { recursive: true, encoding: "utf-8" })
    .filter((name) => ending.test(name) && !name.includes(".test."))
    .map((name) => readFileSync(`${folder}/${name}`, "utf-8"))
    .join("\n");
}

function found(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ""))].sort();
}

const written = sources(here(".."), /\.tsx?$/);
const python = sources(here("../../../src/tynysh/behaviour"), /\.py$/);
const behaviours = found(python, /\bshipped\("(\w+)"\)/g);
const reasons = found(python, /Reason\(\s*"([\w.]+)"/g);

describe.each(LANGUAGES)("in %s", (language) => {
  const has = (key: string): boolean => key in catalogue[language];

  it("each text that the console names is there", () => {
    const keys = found(written, /"(console\.[\w.]+)"/g);
    expect(keys.length).toBeGreaterThan(100);
    expect(keys.filter((key) => !has(key))).toEqual([]);
  });

  it("each family of texts that the console builds keys for is there", () => {
    const families = found(written, /`(console\.[\w.]+)\.\$\{/g);
    expect(families.length).toBeGreaterThan(10);
    const all = Object.keys(catalogue[language]);
    expect(families.filter((family) => !all.some((key) => key.startsWith(`${family}.`)))).toEqual([]);
  });

  it("each behaviour has a name and a suggested response", () => {
    expect(behaviours).toContain("fight");
    expect(behaviours.filter((name) => !has(`behaviour.${name}`) || !has(`response.${name}`))).toEqual([]);
  });

  it("each reason that an analyser gives has words", () => {
    expect(reasons.length).toBeGreaterThan(5);
    const key = (reason: string): string => (reason.startsWith("reason.") ? reason : `reason.${reason}`);
    expect(reasons.filter((reason) => !has(key(reason)))).toEqual([]);
  });
});

it("no text of the console is left that nothing asks for", () => {
  const exact = new Set(found(written, /"(console\.[\w.]+)"/g));
  const families = found(written, /`(console\.[\w.]+)\.\$\{/g);
  const own = Object.keys(catalogue.en).filter((key) => key.startsWith("console."));
  expect(own.filter((key) => !exact.has(key) && !families.some((family) => key.startsWith(`${family}.`)))).toEqual([]);
});

describe("places", () => {
  it("take words and numbers as the language writes them", () => {
    expect(fill("{name}: {count}", { name: "A", count: 1234.5 }, "ru")).toBe("A: 1\u00a0234,5");
    expect(fill("{count}", { count: 1234.5 }, "en")).toBe("1,234.5");
  });

  it("understand the formats of Python", () => {
    expect(fill("{score:.0%} {speed:.1f} {n:d}", { score: 0.934, speed: 2.25, n: 3 }, "en")).toBe("93% 2.3 3");
  });

  it("show a dash where a value is missing", () => {
    expect(fill("with {owner}", { owner: null }, "en")).toBe("with –");
  });
});

describe("a key without a text", () => {
  it("is told apart from one with a text", () => {
    expect(lookup("kk", "console.nothing.like.this")).toBeNull();
    expect(lookup("kk", "console.yes")).toBe("Иә");
  });

  it("is made readable", () => {
    expect(humanised("reason.person_down.still_lying")).toBe("Still lying");
  });
});

it("texts that the server adds are known from then on, and take none of the build's away", () => {
  const added = { "behaviour.platform_edge": "Beyond the edge", "console.yes": "Quite" };
  expect(lookup("en", "behaviour.platform_edge")).toBeNull();
  learn({ en: added, ru: {}, kk: {} });
  expect(lookup("en", "behaviour.platform_edge")).toBe("Beyond the edge");
  expect(lookup("en", "console.yes")).toBe("Yes");
});

it("the browser's first language that we speak is taken", () => {
  expect(preferredLanguage(["de-DE", "kk-KZ", "ru"])).toBe("kk");
  expect(preferredLanguage(["de"])).toBe("en");
});
