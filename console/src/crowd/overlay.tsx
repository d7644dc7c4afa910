// What is known of the crowd, laid over the picture: density, counts by zone, crossings by line, the floor.

import { useCallback, useEffect, useRef, type ReactNode } from "react";
import { api } from "../api/client";
import type { Camera, Crowd, DensityMap, PlaceCrowd } from "../api/types";
import { useWords } from "../language/words";
import { colour, MARKS, pixels } from "./density";
import { people } from "./number";
import { usePolled } from "./polled";

/** The name under which the whole picture is counted. */
export const PICTURE = "picture";

function Density({ map }: { map: DensityMap }): ReactNode {
  const { t } = useWords();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { columns, rows, metric, values } = map;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    context.putImageData(new ImageData(pixels(values, metric), columns, rows), 0, 0);
  }, [columns, rows, metric, values]);
  return (
    <canvas ref={canvas} className="density" width={columns} height={rows} role="img" aria-label={t("console.crowd.map_of")} />
  );
}

/** Beside the edges a label hangs inwards, so that all of it is seen. */
function Label({ x, y, children }: { x: number; y: number; children: ReactNode }): ReactNode {
  const side = x < 0.3 ? "from-left" : x > 0.7 ? "from-right" : "";
  const place = (share: number): string => `${100 * Math.min(0.98, Math.max(0.02, share))}%`;
  const along = side === "from-right" ? { right: place(1 - x) } : { left: place(x) };
  return (
    <span className={`crowd-label ${side}`} style={{ ...along, top: `${100 * Math.min(0.96, Math.max(0.04, y))}%` }}>
      {children}
    </span>
  );
}

function CountLabel({ place, name }: { place: PlaceCrowd; name: string }): ReactNode {
  const words = useWords();
  const { t, number } = words;
  return (
    <>
      <b>{name}</b> {people(place, words)}
      {place.density !== null && (
        <span className="crowd-label-more">
          {" "}
          · {t("console.crowd.per_m2", { density: number(place.density, 1) })}
        </span>
      )}
    </>
  );
}

interface Props {
  camera: Camera;
  crowd: Crowd;
  density: boolean;
  counts: boolean;
}

export function CrowdOverlay({ camera, crowd, density, counts }: Props): ReactNode {
  const { t } = useWords();
  return (
    <div className="crowd-overlay">
      {density && crowd.map && <Density map={crowd.map} />}
      {counts && (
        <>
          <svg className="boxes" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
            {camera.lines.map(({ name, begin, end }) => (
              <line key={name} className="gate" x1={begin[0]} y1={begin[1]} x2={end[0]} y2={end[1]} />
            ))}
          </svg>
          {camera.zones.map((zone) => {
            const place = crowd.places.find(({ name }) => name === zone.name);
            if (!place) return null;
            const x = zone.polygon.reduce((sum, [each]) => sum + each, 0) / zone.polygon.length;
            const y = Math.min(...zone.polygon.map(([, each]) => each));
            return (
              <Label key={zone.name} x={x} y={y}>
                <CountLabel place={place} name={zone.name} />
              </Label>
            );
          })}
          {camera.lines.map(({ name, begin, end }) => {
            const line = crowd.lines.find((each) => each.name === name);
            return line ? (
              <Label key={name} x={(begin[0] + end[0]) / 2} y={(begin[1] + end[1]) / 2}>
                <b>{name}</b> {t("console.crowd.ins_outs", { ins: line.ins, outs: line.outs })}
              </Label>
            ) : null;
          })}
          {crowd.places
            .filter(({ name }) => name === PICTURE)
            .map((place) => (
              <span key={place.name} className="crowd-label crowd-total">
                <CountLabel place={place} name={t("console.crowd.picture")} />
              </span>
            ))}
        </>
      )}
    </div>
  );
}

const GRID_MS = 10_000;

/** The floor as the camera's calibration has it: where the grid lies wrong, metres are wrong. */
export function FloorLines({ id }: { id: string }): ReactNode {
  const { t, number } = useWords();
  const ask = useCallback((signal: AbortSignal) => api.grid(id, signal), [id]);
  const { value } = usePolled(ask, GRID_MS);
  if (!value) return null;
  return (
    <>
      <svg className="boxes floor-grid" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
        {value.lines.map((points, index) => (
          <path key={index} d={`M${points.map((point) => point.join(" ")).join("L")}`} />
        ))}
      </svg>
      <span className="crowd-label grid-unit" role="status">
        {value.lines.length > 0
          ? t("console.crowd.grid_unit", { metres: number(value.step_m, 1) })
          : t("console.crowd.uncalibrated")}
      </span>
    </>
  );
}

/** What the colours over the picture mean. */
export function Legend({ map }: { map: DensityMap }): ReactNode {
  const { t, number } = useWords();
  return (
    <p className="density-legend small" aria-label={t("console.crowd.legend")}>
      <span className="dim">{t("console.crowd.density")}</span>
      {MARKS.filter((mark) => mark > 0).map((mark) => {
        const [red, green, blue] = colour(mark);
        return (
          <span key={mark}>
            <i aria-hidden="true" style={{ background: `rgb(${red} ${green} ${blue})` }} />
            {map.metric ? (mark === MARKS[MARKS.length - 1] ? `≥ ${number(mark, 1)}` : number(mark, 1)) : ""}
          </span>
        );
      })}
      <span className="dim">{t(map.metric ? "console.crowd.unit_m2" : "console.crowd.unit_cell")}</span>
    </p>
  );
}
