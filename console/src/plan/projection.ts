// Positions on the earth as metres on a plan: good to a millimetre over a city, and no tiles needed.

import type { GeoPosition } from "../api/types";

/** Metres, x to the east and y to the south. */
export interface Point {
  x: number;
  y: number;
}

const METRES_PER_DEGREE = 111_320;

export function project(position: GeoPosition, origin: GeoPosition): Point {
  const shrink = Math.cos((origin.latitude * Math.PI) / 180);
  return {
    x: (position.longitude - origin.longitude) * METRES_PER_DEGREE * shrink,
    y: (origin.latitude - position.latitude) * METRES_PER_DEGREE,
  };
}

/** What part of the plan is seen: its middle in metres and metres per pixel. */
export interface View {
  x: number;
  y: number;
  scale: number;
}

/** The view that shows all points with a margin, no nearer than a street's width. */
export function fit(points: readonly Point[], width: number, height: number): View {
  if (points.length === 0) return { x: 0, y: 0, scale: 1 };
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const room = (size: number): number => Math.max(40, size - 120);
  return {
    x: (left + right) / 2,
    y: (top + bottom) / 2,
    scale: Math.max((right - left) / room(width), (bottom - top) / room(height), 80 / Math.max(80, width)),
  };
}

/** The longest of 1, 2, 5, 10, ... metres that is at most `pixels` long. */
export function scaleBar(metresPerPixel: number, pixels: number): { metres: number; pixels: number } {
  const most = metresPerPixel * pixels;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].map((factor) => factor * power).find((length) => length <= most) ?? power;
  return { metres, pixels: metres / metresPerPixel };
}
