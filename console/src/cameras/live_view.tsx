// What a camera sees now: live video, or single pictures where video cannot be had.

import { useEffect, useRef, useState, type ReactNode } from "react";
import { liveUrl } from "../api/client";
import type { Camera, Crowd } from "../api/types";
import { CrowdOverlay, FloorLines, Legend } from "../crowd/overlay";
import { useWords } from "../language/words";
import { Icon } from "../shell/icons";
import { shape } from "../shell/shape";
import { LivePlayer, type LiveState } from "./live";
import { Picture } from "./picture";

function useVisible(): boolean {
  const [visible, setVisible] = useState(!document.hidden);
  useEffect(() => {
    const change = (): void => {
      setVisible(!document.hidden);
    };
    document.addEventListener("visibilitychange", change);
    return () => {
      document.removeEventListener("visibilitychange", change);
    };
  }, []);
  return visible;
}

interface Props {
  camera: Camera;
  crowd: Crowd | null;
  /** Whether what is known of crowds can be laid over it. */
  overlays?: boolean;
}

export function LiveView({ camera, crowd, overlays = true }: Props): ReactNode {
  const { t, number } = useWords();
  const video = useRef<HTMLVideoElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<LiveState>("connecting");
  const [behind, setBehind] = useState<number | null>(null);
  const [attempt, setAttempt] = useState(0);
  const [ratio, setRatio] = useState(16 / 9);
  const [zones, setZones] = useState(true);
  const [grid, setGrid] = useState(false);
  const [density, setDensity] = useState(true);
  const [counts, setCounts] = useState(true);
  const visible = useVisible();
  const failed = state === "failed";
  const { id } = camera;

  // A camera that has come back is worth another try.
  const [seenAs, setSeenAs] = useState(camera.state);
  if (seenAs !== camera.state) {
    setSeenAs(camera.state);
    if (failed && camera.state === "live") {
      setState("connecting");
      setAttempt(attempt + 1);
    }
  }

  useEffect(() => {
    const element = video.current;
    if (!element || !visible) return;
    const player = new LivePlayer(element, liveUrl(id), {
      state: setState,
      behind: (seconds) => {
        setBehind(Math.round(seconds * 10) / 10);
      },
    });
    return () => {
      player.close();
    };
  }, [id, visible, attempt]);

  const waiting = state === "connecting" ? t("console.live.connecting") : state === "waiting" ? t("console.live.waiting") : "";
  return (
    <div className="clip">
      <div className="stage" ref={stage}>
        <div className="picture" style={shape(ratio)}>
          <video
            ref={video}
            muted
            playsInline
            autoPlay
            disablePictureInPicture
            hidden={failed}
            data-live={state}
            onResize={({ currentTarget: element }) => {
              setRatio(element.videoWidth / element.videoHeight || 16 / 9);
            }}
            aria-label={t("console.live.title", { name: camera.name })}
          />
          {failed && <Picture id={id} name={camera.name} always onRatio={setRatio} />}
          {zones && (
            <svg className="boxes" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
              {camera.zones.map((zone) => (
                <polygon key={zone.name} className="zone" points={zone.polygon.map((point) => point.join(",")).join(" ")} />
              ))}
            </svg>
          )}
          {grid && <FloorLines id={id} />}
          {crowd && <CrowdOverlay camera={camera} crowd={crowd} density={density} counts={counts} />}
          {camera.simulated && <p className="watermark">{t("console.camera.simulated")}</p>}
          {!failed && state !== "playing" && (
            <p className="veil low" role="status">
              <span className="spinner" aria-hidden="true" />
              {waiting}
            </p>
          )}
        </div>
      </div>
      <div className="controls">
        {failed ? (
          <>
            <span className="chip camera-degraded">{t("console.live.pictures")}</span>
            <button
              type="button"
              onClick={() => {
                setState("connecting");
                setAttempt(attempt + 1);
              }}
            >
              {t("console.live.again")}
            </button>
          </>
        ) : (
          <span className={`chip camera-${state === "playing" ? "live" : "connecting"}`}>
            <span className="dot" aria-hidden="true" />
            {t("console.live.live")}
            {state === "playing" && behind !== null && (
              <span className="figures dim"> −{number(behind, 1)} {t("console.unit.seconds")}</span>
            )}
          </span>
        )}
        {camera.zones.length > 0 && (
          <button
            type="button"
            aria-pressed={zones}
            onClick={() => {
              setZones(!zones);
            }}
          >
            {t("console.camera.zones")}
          </button>
        )}
        {overlays && (
          <>
            <button
              type="button"
              aria-pressed={counts}
              onClick={() => {
                setCounts(!counts);
              }}
            >
              {t("console.crowd.title")}
            </button>
            <button
              type="button"
              aria-pressed={density}
              onClick={() => {
                setDensity(!density);
              }}
            >
              {t("console.crowd.map")}
            </button>
            <button
              type="button"
              aria-pressed={grid}
              onClick={() => {
                setGrid(!grid);
              }}
            >
              {t("console.crowd.grid")}
            </button>
          </>
        )}
        <button
          type="button"
          aria-label={t("console.clip.full")}
          title={t("console.clip.full")}
          onClick={() => {
            if (document.fullscreenElement) void document.exitFullscreen();
            else void stage.current?.requestFullscreen().catch(() => undefined);
          }}
        >
          <Icon name="full" />
        </button>
        <span className="dim small blurred">{t("console.clip.anonymised")}</span>
      </div>
      {density && crowd?.map && <Legend map={crowd.map} />}
    </div>
  );
}
