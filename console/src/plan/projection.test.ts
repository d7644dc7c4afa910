import { expect, it } from "vitest";
import { fit, project, scaleBar } from "./projection";

const ASTANA = { latitude: 51.1283, longitude: 71.4304 };

it("a step north goes up, a step east goes right, in metres", () => {
  const north = project({ ...ASTANA, latitude: ASTANA.latitude + 0.001 }, ASTANA);
  const east = project({ ...ASTANA, longitude: ASTANA.longitude + 0.001 }, ASTANA);
  expect(north.y).toBeCloseTo(-111.3, 0);
  expect(east.x).toBeCloseTo(69.9, 0);
});

it("a view holds all points", () => {
  const view = fit([{ x: -500, y: 0 }, { x: 500, y: 100 }], 600, 400);
  expect(view.x).toBe(0);
  expect(1000 / view.scale).toBeLessThan(600);
});

it("one point alone is not looked at through a microscope", () => {
  expect(fit([{ x: 3, y: 4 }], 400, 300).scale).toBeGreaterThan(0.1);
});

it("the scale bar is a round length that fits", () => {
  for (const scale of [0.07, 0.5, 1.3, 40]) {
    const bar = scaleBar(scale, 110);
    expect(bar.pixels).toBeLessThanOrEqual(110);
    expect(bar.pixels).toBeGreaterThan(40);
    expect(String(bar.metres / 10 ** Math.floor(Math.log10(bar.metres)))).toMatch(/^[125]/);
  }
});
