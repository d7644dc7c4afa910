// The signal over time, and the clip's slider in one.

import { useId, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { duration } from "../language/format";
import { useWords } from "../language/words";
import type { Timeline } from "./timeline";

const WIDTH = 1000;
const HEIGHT = 100;

interface Props {
  timeline: Timeline;
  /** Seconds; null where there is no clip to be at a time of. */
  at: number | null;
  zone: string | undefined;
  onSeek: (seconds: number) => void;
}

function tick(length: number): number {
  return [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((step) => length / step <= 8) ?? 1200;
}

export function Curve({ timeline, at, zone, onSeek }: Props): ReactNode {
  const { t, behaviour, clock, percent } = useWords();
  const gradient = useId();
  const { length, spans, origin } = timeline;
  const x = (seconds: number): number => (seconds / length) * WIDTH;
  const y = (score: number): number => HEIGHT - Math.min(1, Math.max(0, score)) * (HEIGHT - 6);
  const step = tick(length);
  const ticks = Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => index * step);

  const seekTo = (event: PointerEvent<SVGSVGElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    onSeek(Math.min(length, Math.max(0, ((event.clientX - box.left) / box.width) * length)));
  };
  const key = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 }[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? length : by === undefined ? null : (at ?? 0) + by;
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    onSeek(Math.min(length, Math.max(0, to)));
  };
  const seekable = at !== null;

  return (
    <figure className="curve">
      <div className="curve-body">
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          className={seekable ? "seekable" : ""}
          tabIndex={seekable ? 0 : -1}
          role={seekable ? "slider" : "img"}
          aria-label={t("console.clip.timeline")}
          {...(seekable
            ? {
                "aria-valuemin": 0,
                "aria-valuemax": Math.round(length),
                "aria-valuenow": Math.round(at),
                "aria-valuetext": clock(origin + at * 1000, zone),
                onKeyDown: key,
                onPointerDown: (event: PointerEvent<SVGSVGElement>) => {
                  event.currentTarget.setPointerCapture(event.pointerId);
                  seekTo(event);
                },
                onPointerMove: (event: PointerEvent<SVGSVGElement>) => {
                  if (event.buttons === 1) seekTo(event);
                },
              }
            : {})}
        >
          <defs>
            <linearGradient id={gradient} x1="0" y1="0" x2="0" y2="1">
              <stop className="curve-top" offset="0" />
              <stop className="curve-bottom" offset="1" />
            </linearGradient>
          </defs>
          {[0.25, 0.5, 0.75].map((level) => (
            <line key={level} className="curve-grid" x1="0" x2={WIDTH} y1={y(level)} y2={y(level)} />
          ))}
          {ticks.map((seconds) => (
            <line key={seconds} className="curve-grid" x1={x(seconds)} x2={x(seconds)} y1="0" y2={HEIGHT} />
          ))}
          {spans.map((span, index) => {
            const first = span.curve[0];
            const last = span.curve[span.curve.length - 1];
            const points = span.curve.map((sample) => `${x(sample.at).toFixed(1)},${y(sample.score).toFixed(1)}`);
            return (
              <g key={span.id} className={`hue-${index % 4}`}>
                <rect
                  className="curve-span"
                  x={x(span.start)}
                  width={Math.max(2, x(span.end) - x(span.start))}
                  y="0"
                  height={HEIGHT}
                />
                {first && last && (
                  <>
                    <polygon
                      fill={`url(#${gradient})`}
                      points={`${x(first.at).toFixed(1)},${HEIGHT} ${points.join(" ")} ${x(last.at).toFixed(1)},${HEIGHT}`}
                    />
                    <polyline className="curve-line" points={points.join(" ")} />
                  </>
                )}
                {span.decided >= 0 && span.decided <= length && (
                  <line className="curve-decided" x1={x(span.decided)} x2={x(span.decided)} y1="0" y2={HEIGHT} />
                )}
              </g>
            );
          })}
          {at !== null && <line className="curve-head" x1={x(at)} x2={x(at)} y1="0" y2={HEIGHT} />}
        </svg>
        <span className="curve-scale" aria-hidden="true">
          <span>{percent(1)}</span>
          <span>{percent(0.5)}</span>
          <span>0</span>
        </span>
      </div>
      <div className="curve-times" aria-hidden="true">
        <span>{clock(origin, zone)}</span>
        <span>{at === null ? "" : `${duration(at)} / ${duration(length)}`}</span>
        <span>{clock(origin + length * 1000, zone)}</span>
      </div>
      <figcaption className="legend">
        {spans.map((span, index) => (
          <span key={span.id} className={`hue-${index % 4}`}>
            <i aria-hidden="true" />
            {behaviour(span.behaviour)}
          </span>
        ))}
        <span className="dim">{t("console.clip.decided")}</span>
      </figcaption>
    </figure>
  );
}
