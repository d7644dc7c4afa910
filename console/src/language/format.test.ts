import { describe, expect, it } from "vitest";
import { clockTime, duration, fullTime, roughly, shortTime } from "./format";

const AT = Date.UTC(2026, 10, 22, 20, 5, 9);
const ZONE = "Asia/Almaty";

it("a clock shows the site's time, not the desk's", () => {
  expect(clockTime("en", AT, ZONE)).toBe("01:05:09");
  expect(clockTime("kk", AT, "UTC")).toBe("20:05:09");
});

it("another day is named, today is not", () => {
  const hour = 3_600_000;
  expect(shortTime("ru", AT, AT + hour, ZONE)).toBe("01:05:09");
  expect(shortTime("ru", AT, AT + 24 * hour, ZONE)).toBe("23.11, 01:05:09");
});

describe("a full time", () => {
  it("names the zone", () => {
    expect(fullTime("en", AT, ZONE)).toBe("23 November 2026 at 01:05:09 UTC+5");
  });

  it("is Kazakh in Kazakh, whatever the browser knows", () => {
    expect(fullTime("kk", AT, ZONE)).toBe("2026 ж. 23 қараша 01:05:09 UTC+5");
  });

  it("survives a zone that the browser does not know", () => {
    expect(fullTime("en", AT, "Mars/Olympus")).toContain("2026");
  });
});

it("durations are clocks without words", () => {
  expect([0, 59.9, 252, 3852].map(duration)).toEqual(["0:00", "0:59", "4:12", "1:04:12"]);
});

it("rough durations keep the one unit that matters", () => {
  expect(roughly("kk", 3 * 3600 + 59)).toBe("3 сағ");
  expect(roughly("en", 61)).toBe("1 min");
  expect(roughly("ru", 2 * 86_400)).toBe("2 дн.");
});
