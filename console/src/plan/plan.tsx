// A plan of where cameras and incidents are, drawn from coordinates alone: no tiles, no outside hosts.

import { useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { CameraState, GeoPosition, Severity } from "../api/types";
import { useWords } from "../language/words";
import { Icon } from "../shell/icons";
import { fit, project, scaleBar, type Point, type View } from "./projection";

export interface Mark {
  id: string;
  name: string;
  position: GeoPosition;
  href: string;
  /** The state of a camera, or how grave an incident is. */
  kind: { camera: CameraState; simulated: boolean } | { incident: Severity; open: boolean } | { site: true };
  /** What the plan is about: drawn above all else, always with its name. */
  chief?: boolean;
}

const NEAREST = 0.05;
const FARTHEST = 2000;

interface Placed {
  mark: Mark;
  x: number;
  y: number;
  label: boolean;
  /** Whether the name stands left of its pin, there being no room to the right. */
  left: boolean;
}

type Rectangle = readonly [left: number, top: number, right: number, bottom: number];

const apart = (a: Rectangle, b: Rectangle): boolean => a[2] < b[0] || a[0] > b[2] || a[3] < b[1] || a[1] > b[3];

/** The room that a mark's name takes: right of its pin, or under the cameras of a site. */
function nameBox({ mark, x, y, left }: Placed): Rectangle {
  if ("site" in mark.kind) return [x - mark.name.length * 4, y + 18, x + mark.name.length * 4, y + 36];
  const middle = "incident" in mark.kind ? y - 20 : y;
  const far = 18 + mark.name.length * 7;
  return left ? [x - far, middle - 8, x - 11, middle + 8] : [x + 11, middle - 8, x + far, middle + 8];
}

function pinBox({ mark, x, y }: Placed): Rectangle {
  return "incident" in mark.kind ? [x - 9, y - 29, x + 9, y - 3] : [x - 5, y - 5, x + 5, y + 5];
}

/** Who gets the better place: what the plan is about, then the gravest incidents. */
function weight(mark: Mark): number {
  return mark.chief === true ? 10 : "incident" in mark.kind ? mark.kind.incident : 0;
}

/** Where marks and their names go on the screen; names that would lie over others, or over pins, are left out. */
function place(marks: readonly Mark[], points: readonly Point[], view: View, width: number, height: number): Placed[] {
  const placed: Placed[] = [];
  const order = marks
    .map((mark, index) => ({ mark, point: points[index] ?? { x: 0, y: 0 } }))
    .sort((a, b) => weight(b.mark) - weight(a.mark));
  for (const { mark, point } of order) {
    const each: Placed = {
      mark,
      x: width / 2 + (point.x - view.x) / view.scale,
      y: height / 2 + (point.y - view.y) / view.scale,
      label: false,
      left: false,
    };
    if (!("site" in mark.kind)) {
      // Several in one place stand side by side, so that each can be seen and pressed.
      const incident = "incident" in mark.kind;
      const others = placed.filter(({ mark: other }) => incident === "incident" in other.kind && !("site" in other.kind));
      while (others.some((other) => !apart(pinBox(each), pinBox(other)))) each.x += incident ? 20 : 13;
      each.left = each.x + 18 + mark.name.length * 7 > width && each.x > width / 2;
    }
    placed.push(each);
  }
  const pins = placed.filter(({ mark }) => !("site" in mark.kind)).map((each) => ({ each, box: pinBox(each) }));
  const names: Rectangle[] = [];
  for (const each of placed) {
    const box = nameBox(each);
    const free = names.every((other) => apart(box, other)) && pins.every((pin) => pin.each === each || apart(box, pin.box));
    each.label = free || each.mark.chief === true;
    if (each.label) names.push(box);
  }
  return placed.reverse();
}

export function Plan({ marks, label }: { marks: readonly Mark[]; label: string }): ReactNode {
  const { t, number, find } = useWords();
  const frame = useRef<HTMLDivElement>(null);
  const surface = useRef<SVGSVGElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [chosen, setChosen] = useState<View | null>(null);
  const drag = useRef<{ x: number; y: number; view: View } | null>(null);

  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const measure = (): void => {
      setSize({ width: element.clientWidth, height: element.clientHeight });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, []);

  const origin = marks.find(({ chief }) => chief)?.position ?? marks[0]?.position;
  const points = useMemo(
    () => (origin ? marks.map(({ position }) => project(position, origin)) : []),
    [marks, origin],
  );
  const { width, height } = size;
  const whole = useMemo(() => fit(points, width, height), [points, width, height]);
  const view = chosen ?? whole;

  const zoom = (factor: number, atX = width / 2, atY = height / 2): void => {
    const scale = Math.min(FARTHEST, Math.max(NEAREST, view.scale * factor));
    const change = view.scale - scale;
    setChosen({ x: view.x + (atX - width / 2) * change, y: view.y + (atY - height / 2) * change, scale });
  };
  const pan = (right: number, down: number): void => {
    setChosen({ ...view, x: view.x + right * view.scale, y: view.y + down * view.scale });
  };

  const turn = useRef(zoom);
  useEffect(() => {
    turn.current = zoom;
  });
  // React's own wheel listener is passive and could not keep the page from scrolling.
  useEffect(() => {
    const element = surface.current;
    if (!element) return;
    const wheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && document.activeElement !== element) return;
      event.preventDefault();
      const box = element.getBoundingClientRect();
      turn.current(Math.exp(event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => {
      element.removeEventListener("wheel", wheel);
    };
  }, []);

  const bar = scaleBar(view.scale, 110);
  const grid = bar.pixels;
  const offset = (middle: number, extent: number): number => (((extent / 2 - middle / view.scale) % grid) + grid) % grid;
  const lines = (from: number, extent: number): number[] =>
    grid > 8 ? Array.from({ length: Math.ceil(extent / grid) + 1 }, (_, index) => from + (index - 1) * grid) : [];
  const placed = place(marks, points, view, width, height);
  const distance =
    bar.metres >= 1000
      ? `${number(bar.metres / 1000)} ${t("console.unit.kilometres")}`
      : `${number(bar.metres, 2)} ${t("console.unit.metres")}`;

  return (
    <div className="plan" ref={frame}>
      <svg
        ref={surface}
        width={width}
        height={height}
        tabIndex={0}
        role="group"
        aria-label={label}
        onKeyDown={(event) => {
          if (event.target !== event.currentTarget) return;
          const moves: Record<string, () => void> = {
            ArrowLeft: () => {
              pan(-60, 0);
            },
            ArrowRight: () => {
              pan(60, 0);
            },
            ArrowUp: () => {
              pan(0, -60);
            },
            ArrowDown: () => {
              pan(0, 60);
            },
            "+": () => {
              zoom(0.7);
            },
            "=": () => {
              zoom(0.7);
            },
            "-": () => {
              zoom(1.4);
            },
          };
          const move = moves[event.key];
          if (!move) return;
          event.preventDefault();
          event.stopPropagation();
          move();
        }}
        onPointerDown={(event) => {
          if ((event.target as Element).closest("a")) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: event.clientX, y: event.clientY, view };
        }}
        onPointerMove={(event) => {
          const from = drag.current;
          if (!from) return;
          setChosen({
            ...from.view,
            x: from.view.x - (event.clientX - from.x) * from.view.scale,
            y: from.view.y - (event.clientY - from.y) * from.view.scale,
          });
        }}
        onPointerUp={() => {
          drag.current = null;
        }}
        onPointerCancel={() => {
          drag.current = null;
        }}
      >
        {lines(offset(view.x, width), width).map((x) => (
          <line key={`x${x}`} className="plan-grid" x1={x} x2={x} y1="0" y2={height} />
        ))}
        {lines(offset(view.y, height), height).map((y) => (
          <line key={`y${y}`} className="plan-grid" x1="0" x2={width} y1={y} y2={y} />
        ))}
        {placed.map(({ mark, x, y, label: named, left }) => {
          const incident = "incident" in mark.kind;
          if ("site" in mark.kind) {
            return named ? (
              <text key={mark.id} className="plan-site" x={x} y={y + 30} textAnchor="middle">
                {mark.name}
              </text>
            ) : null;
          }
          const kind =
            "incident" in mark.kind
              ? `plan-incident severity-${mark.kind.incident}${mark.kind.open ? " open" : ""}`
              : `plan-camera camera-${mark.kind.camera}${mark.kind.simulated ? " simulated" : ""}`;
          const state =
            "camera" in mark.kind
              ? t(`console.camera.state.${mark.kind.camera}`)
              : t(`console.severity.${mark.kind.incident}`);
          return (
            <a key={mark.id} href={mark.href} aria-label={`${mark.name}, ${state}`} className={mark.chief ? "chief" : ""}>
              <g className={kind} transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}>
                {incident && <circle className="halo" cy="-20" r="15" />}
                {incident ? (
                  <path className="pin" d="M0-3C-3-10-9-13-9-20a9 9 0 0 1 18 0c0 7-6 10-9 17z" />
                ) : (
                  <rect className="pin" x="-5" y="-5" width="10" height="10" rx="3" />
                )}
                <circle className="reach" cy={incident ? -20 : 0} r="14" />
                {named && (
                  <text x={left ? -13 : 13} y={incident ? -16 : 4} textAnchor={left ? "end" : "start"}>
                    {mark.name}
                  </text>
                )}
              </g>
            </a>
          );
        })}
      </svg>
      {marks.length === 0 && <p className="empty dim">{t("console.map.nothing")}</p>}
      <div className="plan-north" aria-hidden="true">
        <svg viewBox="0 0 20 24">
          <path d="M10 1l6 14-6-3-6 3z" />
        </svg>
        {find("console.map.north")}
      </div>
      <div className="plan-scale" aria-hidden="true">
        <svg width={bar.pixels} height="6">
          <path d={`M.5 0v5.5H${(bar.pixels - 0.5).toFixed(1)}V0`} />
        </svg>
        {distance}
      </div>
      <div className="plan-zoom">
        <button
          type="button"
          aria-label={t("console.map.nearer")}
          title={t("console.map.nearer")}
          onClick={() => {
            zoom(0.6);
          }}
        >
          <Icon name="plus" />
        </button>
        <button
          type="button"
          aria-label={t("console.map.farther")}
          title={t("console.map.farther")}
          onClick={() => {
            zoom(1.6);
          }}
        >
          <Icon name="minus" />
        </button>
        <button
          type="button"
          aria-label={t("console.map.whole")}
          title={t("console.map.whole")}
          onClick={() => {
            setChosen(null);
          }}
        >
          <Icon name="fit" />
        </button>
      </div>
    </div>
  );
}
