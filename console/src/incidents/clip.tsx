// The clip of an incident: what happened, where in the picture, and how sure the signal was.

import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { clipUrl, stillUrl } from "../api/client";
import type { Box, IncidentDetail } from "../api/types";
import { useWords } from "../language/words";
import { Icon } from "../shell/icons";
import { useKeys } from "../shell/keys";
import { Curve } from "./curve";
import { shape } from "../shell/shape";
import { glance, timelineOf, type Timeline } from "./timeline";

const SPEEDS = [0.25, 0.5, 1, 2, 4];

interface Shown {
  id: string;
  box: Box;
  now: boolean;
}

/** The boxes of what is happening at that time; if nothing is, faintly of what will happen or has happened. */
function boxesAt(incident: IncidentDetail, timeline: Timeline, at: number | null): Shown[] {
  const shown = incident.events.flatMap((event, index) => {
    const span = timeline.spans[index];
    if (!event.box || !span) return [];
    return [{ id: event.id, box: event.box, now: at === null || (at >= span.start && at <= span.end + 0.5) }];
  });
  if (shown.length === 0 && incident.box) return [{ id: "incident", box: incident.box, now: true }];
  const current = shown.filter(({ now }) => now);
  return current.length > 0 ? current : shown;
}

function Boxes({ shown }: { shown: Shown[] }): ReactNode {
  return (
    <svg className="boxes" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
      {shown.map(({ id, box: [left, top, right, bottom], now }) => (
        <rect
          key={id}
          className={now ? "box now" : "box"}
          x={left}
          y={top}
          width={Math.max(0, right - left)}
          height={Math.max(0, bottom - top)}
        />
      ))}
    </svg>
  );
}

export function Clip({ incident, zone }: { incident: IncidentDetail; zone: string | undefined }): ReactNode {
  const { t, number } = useWords();
  const video = useRef<HTMLVideoElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const [length, setLength] = useState<number | null>(null);
  const [at, setAt] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [loop, setLoop] = useState(true);
  const [speed, setSpeed] = useState(1);
  const [boxes, setBoxes] = useState(true);
  const [broken, setBroken] = useState(false);
  const [noStill, setNoStill] = useState(false);
  const [ratio, setRatio] = useState(16 / 9);
  const frame = useRef(0.04);
  // It grows while the incident does: what is shown goes on from where it was.
  const version = incident.clip_ended_at;
  const [shownVersion, setShownVersion] = useState(version);
  if (shownVersion !== version) {
    setShownVersion(version);
    setBroken(false);
  }
  const ready = incident.clip === "ready" && !broken;
  const timeline = useMemo(() => timelineOf(incident, ready ? length : null), [incident, ready, length]);

  // The playhead follows the pictures that are really shown, and learns how long one lasts.
  useEffect(() => {
    const element = video.current;
    if (!ready || !element) return;
    let handle = 0;
    let before: number | null = null;
    const follow = (_now: number, { mediaTime }: VideoFrameCallbackMetadata): void => {
      const step = before === null ? 0 : mediaTime - before;
      if (step > 0.005 && step < 0.3) frame.current = Math.min(frame.current * 1.02, step);
      before = mediaTime;
      setAt(mediaTime);
      handle = element.requestVideoFrameCallback(follow);
    };
    if ("requestVideoFrameCallback" in element) handle = element.requestVideoFrameCallback(follow);
    return () => {
      if (handle) element.cancelVideoFrameCallback(handle);
    };
  }, [ready]);

  const seek = useCallback((seconds: number): void => {
    const element = video.current;
    if (!element) return;
    element.currentTime = seconds;
    setAt(seconds);
  }, []);
  const step = useCallback(
    (frames: number): void => {
      const element = video.current;
      if (!element) return;
      element.pause();
      const to = element.currentTime + frames * frame.current + (frames > 0 ? 0.001 : -0.001);
      seek(Math.min(element.duration || 0, Math.max(0, to)));
    },
    [seek],
  );
  const toggle = useCallback((): void => {
    const element = video.current;
    if (!element) return;
    if (element.paused) void element.play().catch(() => undefined);
    else element.pause();
  }, []);
  const pace = useCallback((value: number): void => {
    setSpeed(value);
    if (video.current) video.current.playbackRate = value;
  }, []);
  const fullscreen = useCallback((): void => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void stage.current?.requestFullscreen().catch(() => undefined);
  }, []);

  useKeys(
    ready
      ? {
          Space: toggle,
          ",": () => {
            step(-1);
          },
          ".": () => {
            step(1);
          },
          ArrowLeft: () => {
            seek(Math.max(0, at - 2));
          },
          ArrowRight: () => {
            seek(Math.min(length ?? 0, at + 2));
          },
          l: () => {
            setLoop(!loop);
          },
          b: () => {
            setBoxes(!boxes);
          },
          f: fullscreen,
        }
      : {},
  );

  const shown = boxesAt(incident, timeline, ready ? at : null);
  const hasStill = incident.still && !noStill;
  return (
    <div className="clip">
      <div className="stage" ref={stage}>
        <div className={ready || hasStill ? "picture" : "picture bare"} style={shape(ratio)}>
          {ready ? (
            <video
              key={incident.id}
              ref={video}
              src={clipUrl(incident.id, version)}
              {...(hasStill ? { poster: stillUrl(incident.id) } : {})}
              muted
              playsInline
              preload="auto"
              loop={loop}
              disablePictureInPicture
              aria-label={t("console.clip.title")}
              onClick={toggle}
              onLoadedMetadata={(event) => {
                const element = event.currentTarget;
                const seconds = Number.isFinite(element.duration) ? element.duration : 0;
                setLength(seconds);
                setRatio(element.videoWidth / element.videoHeight || 16 / 9);
                const from = at > 0 ? at : glance(timelineOf(incident, seconds));
                seek(Math.min(from, Math.max(0, seconds - 1)));
                element.playbackRate = speed;
                if (!window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
                  void element.play().catch(() => undefined);
                }
              }}
              onTimeUpdate={(event) => {
                setAt(event.currentTarget.currentTime);
              }}
              onPlay={() => {
                setPlaying(true);
              }}
              onPause={() => {
                setPlaying(false);
              }}
              onError={() => {
                setBroken(true);
              }}
            />
          ) : hasStill ? (
            <img
              src={stillUrl(incident.id)}
              alt={t("console.clip.still")}
              onLoad={({ currentTarget: image }) => {
                setRatio(image.naturalWidth / image.naturalHeight || 16 / 9);
              }}
              onError={() => {
                setNoStill(true);
              }}
            />
          ) : (
            <div className="nothing" />
          )}
          {boxes && (ready || hasStill) && <Boxes shown={shown} />}
          {!ready && (
            <p className={hasStill ? "veil low" : "veil"} role="status">
              {incident.clip === "pending" && <span className="spinner" aria-hidden="true" />}
              {t(broken ? "console.clip.broken" : `console.clip.${incident.clip === "ready" ? "pending" : incident.clip}`)}
            </p>
          )}
        </div>
      </div>
      {ready && (
        <div className="controls" role="group" aria-label={t("console.clip.title")}>
          <button type="button" onClick={toggle} aria-label={t(playing ? "console.clip.pause" : "console.clip.play")}>
            <Icon name={playing ? "pause" : "play"} />
          </button>
          <button
            type="button"
            aria-label={t("console.clip.frame_back")}
            title={t("console.clip.frame_back")}
            onClick={() => {
              step(-1);
            }}
          >
            <Icon name="back" />
          </button>
          <button
            type="button"
            aria-label={t("console.clip.frame_forward")}
            title={t("console.clip.frame_forward")}
            onClick={() => {
              step(1);
            }}
          >
            <Icon name="next" />
          </button>
          <span className="speeds" role="group" aria-label={t("console.clip.speed")}>
            {SPEEDS.map((value) => (
              <button
                key={value}
                type="button"
                aria-pressed={value === speed}
                onClick={() => {
                  pace(value);
                }}
              >
                {number(value, 2)}×
              </button>
            ))}
          </span>
          <button
            type="button"
            aria-pressed={loop}
            aria-label={t("console.clip.loop")}
            title={t("console.clip.loop")}
            onClick={() => {
              setLoop(!loop);
            }}
          >
            <Icon name="loop" />
          </button>
          <button
            type="button"
            aria-pressed={boxes}
            aria-label={t("console.clip.box")}
            title={t("console.clip.box")}
            onClick={() => {
              setBoxes(!boxes);
            }}
          >
            <Icon name="box" />
          </button>
          <button type="button" aria-label={t("console.clip.full")} title={t("console.clip.full")} onClick={fullscreen}>
            <Icon name="full" />
          </button>
          <span className="dim small blurred">{t("console.clip.anonymised")}</span>
        </div>
      )}
      {timeline.spans.some(({ curve }) => curve.length > 1) || ready ? (
        <Curve timeline={timeline} at={ready && length !== null ? at : null} zone={zone} onSeek={seek} />
      ) : null}
    </div>
  );
}
