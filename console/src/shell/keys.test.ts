import { expect, it } from "vitest";
import { keyName } from "./keys";
import { cameraHref, parseRoute } from "./route";

const key = (code: string, text: string, shiftKey = false): string => keyName({ code, key: text, shiftKey });

it("keys work by their place, in Cyrillic layouts as in Latin ones", () => {
  expect(key("KeyJ", "j")).toBe("j");
  expect(key("KeyJ", "о")).toBe("j");
  expect(key("Period", "ю")).toBe(".");
  expect(key("Numpad1", "1")).toBe("1");
});

it("the question mark is found where the layout has it", () => {
  expect(key("Slash", "?", true)).toBe("?");
  expect(key("Digit7", "?", true)).toBe("?");
});

it("other keys keep their names", () => {
  expect(key("Escape", "Escape")).toBe("Escape");
  expect(key("Space", " ")).toBe("Space");
});

it("addresses lead where they say, and nonsense leads to the incidents", () => {
  expect(parseRoute(cameraHref("north gate/1"))).toEqual({ page: "cameras", id: "north gate/1" });
  expect(parseRoute("#/incidents/17")).toEqual({ page: "incidents", id: "17" });
  expect(parseRoute("#/map")).toEqual({ page: "map" });
  expect(parseRoute("#/nowhere/4")).toEqual({ page: "incidents", id: null });
});
