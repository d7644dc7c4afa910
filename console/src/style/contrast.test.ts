// Text can be read on every surface that it stands on (WCAG 2.2, 1.4.3 and 1.4.11), in both themes.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const css = readFileSync(fileURLToPath(new URL("tokens.css", import.meta.url)), "utf-8");

function tokens(theme: string): Map<string, string> {
  const block = css.split(`[data-theme="${theme}"] {`)[1]?.split("}")[0] ?? "";
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((match) => [match[1] ?? "", match[2] ?? ""]));
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const TEXT = ["text", "dim", "accent", "grade-1", "grade-2", "grade-3", "grade-4", "good"];
const SURFACES = ["ground", "surface", "raised", "hover", "accent-soft"];
const OWN = ["grade-1", "grade-2", "grade-3", "grade-4", "good"];

describe.each(["dark", "light"])("in the %s theme", (theme) => {
  const token = tokens(theme);
  const ratio = (one: string, other: string): number => contrast(token.get(one) ?? "", token.get(other) ?? "");

  it.each(TEXT)("%s can be read", (name) => {
    for (const surface of SURFACES) expect(ratio(name, surface), `on ${surface}`).toBeGreaterThanOrEqual(4.5);
  });

  it.each(OWN)("%s can be read on its own soft ground", (name) => {
    expect(ratio(name, `${name}-soft`)).toBeGreaterThanOrEqual(4.5);
  });

  it("so can text on buttons and failures", () => {
    expect(ratio("accent-text", "accent")).toBeGreaterThanOrEqual(4.5);
    expect(ratio("text", "grade-4-soft")).toBeGreaterThanOrEqual(4.5);
  });

  it("edges of fields and the mark of the focus are seen", () => {
    for (const surface of ["ground", "surface", "raised"]) {
      expect(ratio("line-strong", surface), surface).toBeGreaterThanOrEqual(3);
      expect(ratio("focus", surface), surface).toBeGreaterThanOrEqual(3);
    }
  });
});
