// The latest picture of a camera, about once a second while somebody can see it.

import { useEffect, useRef, useState, type ReactNode } from "react";
import { ApiError, picturePath, request, serverNow } from "../api/client";
import { useWords } from "../language/words";
import { useNow } from "../live/now";

const EVERY_MS = 1000;
const AFTER_FAILURE_MS = 5000;
const OLD_S = 5;

interface Shot {
  url: string;
  at: number;
}

/** Asks for pictures while `wanted`, one at a time, never faster than they arrive. */
function useShots(id: string, wanted: boolean): { shot: Shot | null; failed: boolean } {
  const [shot, setShot] = useState<Shot | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!wanted) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async (): Promise<void> => {
      let pause = EVERY_MS;
      if (!document.hidden) {
        try {
          const response = await request(picturePath(id), { signal: stop.signal, cache: "no-store" });
          const url = URL.createObjectURL(await response.blob());
          setShot({ url, at: serverNow() });
          setFailed(false);
        } catch (error) {
          if (stop.signal.aborted) return;
          setFailed(true);
          pause = error instanceof ApiError && error.retryAfter ? error.retryAfter * 1000 : AFTER_FAILURE_MS;
        }
      }
      if (!stop.signal.aborted) timer = setTimeout(() => void ask(), pause);
    };
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [id, wanted]);
  useEffect(() => {
    if (shot) return () => {
      URL.revokeObjectURL(shot.url);
    };
    return undefined;
  }, [shot]);
  return { shot, failed };
}

interface Props {
  id: string;
  name: string;
  /** Whether to ask even while nobody has scrolled to it. */
  always?: boolean;
  onRatio?: (ratio: number) => void;
}

export function Picture({ id, name, always = false, onRatio }: Props): ReactNode {
  const { t } = useWords();
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(always);
  const now = useNow();
  useEffect(() => {
    const element = box.current;
    if (always || !element) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        setSeen(entry?.isIntersecting ?? false);
      },
      { rootMargin: "80px" },
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, [always]);
  const { shot, failed } = useShots(id, seen);
  const age = shot ? (now - shot.at) / 1000 : 0;
  return (
    <div className="shot" ref={box}>
      {shot ? (
        <img
          src={shot.url}
          alt={t("console.camera.picture_of", { name })}
          onLoad={({ currentTarget: image }) => {
            onRatio?.(image.naturalWidth / image.naturalHeight || 16 / 9);
          }}
        />
      ) : (
        <p className="veil">{failed ? t("console.camera.no_picture") : ""}</p>
      )}
      {shot && failed && age > OLD_S && (
        <p className="veil low">{t("console.camera.picture_old", { seconds: Math.floor(age) })}</p>
      )}
    </div>
  );
}
