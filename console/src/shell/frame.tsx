// The frame around every page: where to go, how fresh the data is, sound, language, and who is signed in.

import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore, type ReactNode } from "react";
import { api } from "../api/client";
import type { Incident, Language, User } from "../api/types";
import { CameraGrid } from "../cameras/grid";
import { CameraPage } from "../cameras/page";
import { usePolled } from "../crowd/polled";
import { useArrivals } from "../incidents/arrivals";
import { Desk } from "../incidents/desk";
import { NO_FILTER, type Filter } from "../incidents/order";
import { UndoOffer, UnsentSteps } from "../incidents/unsent";
import { WaitingBanner } from "../incidents/waiting";
import { clockTime, duration } from "../language/format";
import { useWords } from "../language/words";
import { useNow } from "../live/now";
import type { Sound } from "../live/sound";
import { useCommonZone, useKnown, type ArrivalKind } from "../live/store";
import { PlacesPage } from "../places/page";
import { MapPage } from "../plan/page";
import { mayReadIncidents } from "../session/permissions";
import { Help } from "./help";
import { Icon } from "./icons";
import { useKeys } from "./keys";
import { go, incidentHref, useRoute } from "./route";
import { LanguagePicker, ThemeButton, type Theme } from "./settings";

interface Props {
  user: User;
  sound: Sound;
  theme: Theme;
  onTheme: () => void;
  onLanguage: (language: Language) => void;
  onPassword: () => void;
  onSignOut: () => void;
}

const CLOCK_MS = 60_000;

/** Says when what is shown may be out of date, and how old it is; or that the server's clock is in doubt. */
function Banner(): ReactNode {
  const { t, clock, number } = useWords();
  const doubt = usePolled(api.clock, CLOCK_MS).value;
  const { link } = useKnown();
  const zone = useCommonZone();
  const now = useNow();
  // A short break that mends itself is no news.
  if (link.state !== "lost" || now - link.since < 300) {
    return doubt?.doubted ? (
      <div className="banner" role="status">
        {t("console.clock.doubted", { days: number(doubt.ahead_s / 86_400, 1) })}
      </div>
    ) : null;
  }
  return (
    <div className="banner" role="alert">
      <span className="spinner" aria-hidden="true" />
      <span>
        {t("console.link.lost", { time: clock(link.since, zone) })}{" "}
        {link.heardAt !== null && (
          <span className="figures" aria-hidden="true">
            {t("console.link.age", { age: duration((now - link.heardAt) / 1000) })}
          </span>
        )}
      </span>
    </div>
  );
}

const NAMED = 4;

/** Says which cameras nobody watches, on every page; read out when that changes. */
function UnwatchedBanner(): ReactNode {
  const { t, number } = useWords();
  const { cameras, link } = useKnown();
  // What a lost line last said may not hold any more, and that is said already.
  const lost = link.state === "lost" ? [] : [...cameras.values()].filter(({ state }) => state === "lost");
  lost.sort((a, b) => a.site.name.localeCompare(b.site.name) || a.name.localeCompare(b.name));
  const named = lost.slice(0, NAMED).map(({ name, site }) => `${site.name}: ${name}`);
  if (lost.length > NAMED) named.push(t("console.unwatched.more", { count: number(lost.length - NAMED) }));
  return (
    <div className="unwatched" role="status">
      {lost.length > 0 && <a href="#/places">{t("console.unwatched.title", { cameras: named.join(", ") })}</a>}
    </div>
  );
}

function Clock(): ReactNode {
  const { language, t } = useWords();
  const { link } = useKnown();
  const now = useNow();
  const zone = useCommonZone();
  const label = t(`console.link.${link.state}`);
  return (
    <span className={`clock link-${link.state}`} title={label}>
      <span className="dot" aria-hidden="true" />
      <span className="unseen">{label}</span>
      <time className="figures">{clockTime(language, now, zone)}</time>
    </span>
  );
}

function SoundButton({ sound, user }: { sound: Sound; user: User }): ReactNode {
  const { t, clock } = useWords();
  const zone = useCommonZone();
  const state = useSyncExternalStore(sound.subscribe, sound.state);
  // A mute ends by itself.
  useNow();
  const mute = sound.muted();
  const label = mute
    ? t("console.sound.muted", { name: mute.by, time: clock(mute.until, zone) })
    : t(state === "on" ? "console.sound.on" : "console.sound.locked");
  // The press itself unlocks the sound, and the button becomes narrower under the finger: a click may not follow.
  const before = useRef(state);
  const press = (): void => {
    before.current = sound.state();
    if (before.current === "locked") {
      void sound.unlock().then(() => {
        sound.sample();
      });
    }
  };
  const click = (): void => {
    if (before.current === "locked") {
      void sound.unlock();
    } else {
      sound.setMuted(before.current === "on" ? user.name : null);
      sound.sample();
    }
    before.current = sound.state();
  };
  return (
    <button
      type="button"
      onPointerDown={press}
      onKeyDown={press}
      onClick={click}
      className={`ghost sound-${mute ? "muted" : state}`}
      aria-pressed={mute === null}
      aria-label={label}
      title={label}
    >
      <Icon name={state === "on" ? "sound" : "muted"} />
      {(state === "locked" || mute) && <span className="roomy-only small">{label}</span>}
    </button>
  );
}

function Menu({ user, onPassword, onSignOut }: Pick<Props, "user" | "onPassword" | "onSignOut">): ReactNode {
  const { t } = useWords();
  const details = useRef<HTMLDetailsElement>(null);
  return (
    <details
      className="menu"
      ref={details}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) event.currentTarget.open = false;
      }}
    >
      <summary aria-label={t("console.user.menu", { name: user.name })}>
        <Icon name="user" />
        <span className="wide-only clip-text">{user.name}</span>
      </summary>
      <div className="menu-body">
        <p>
          <strong>{user.name}</strong>
          <br />
          <span className="dim">{t(`console.role.${user.role}`)}</span>
        </p>
        {typeof Notification !== "undefined" && Notification.permission === "default" && (
          <button
            type="button"
            className="plain"
            onClick={() => {
              if (details.current) details.current.open = false;
              void Notification.requestPermission();
            }}
          >
            {t("console.notify")}
          </button>
        )}
        <button
          type="button"
          className="plain"
          onClick={() => {
            if (details.current) details.current.open = false;
            onPassword();
          }}
        >
          {t("console.password.title")}
        </button>
        <button type="button" className="plain" onClick={onSignOut}>
          {t("console.sign_out")}
        </button>
      </div>
    </details>
  );
}

export function Frame({ user, sound, theme, onTheme, onLanguage, onPassword, onSignOut }: Props): ReactNode {
  const { t, behaviour, number } = useWords();
  const route = useRoute();
  const { cameras } = useKnown();
  const reads = mayReadIncidents(user.role);
  const announced = useCallback(
    (incident: Incident, kind: ArrivalKind): string =>
      t(`console.arrival.${kind}`, {
        behaviour: behaviour(incident.behaviour),
        severity: t(`console.severity.${incident.severity}`),
        camera: incident.camera.name,
        site: incident.site.name,
      }),
    [t, behaviour],
  );
  const { lit, latest, waiting: untaken } = useArrivals(sound, announced);
  const waiting = untaken.length;
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const [help, setHelp] = useState(false);
  const lost = useMemo(() => [...cameras.values()].filter(({ state }) => state === "lost").length, [cameras]);

  useEffect(() => {
    document.title = waiting > 0 ? `(${waiting}) Tynysh` : "Tynysh";
    return () => {
      document.title = "Tynysh";
    };
  }, [waiting]);

  useEffect(() => {
    // Browsers let a page sound only after a gesture: any will do.
    const gesture = (): void => {
      void sound.unlock();
    };
    window.addEventListener("pointerdown", gesture);
    window.addEventListener("keydown", gesture);
    return () => {
      window.removeEventListener("pointerdown", gesture);
      window.removeEventListener("keydown", gesture);
    };
  }, [sound]);

  useKeys({
    "?": () => {
      setHelp(true);
    },
    ...(reads
      ? {
          i: () => {
            go("#/incidents");
          },
        }
      : {}),
    c: () => {
      go("#/cameras");
    },
    p: () => {
      go("#/places");
    },
    m: () => {
      go("#/map");
    },
    s: () => {
      sound.setMuted(sound.muted() === null ? user.name : null);
    },
    g: () => {
      const first = untaken[0];
      if (reads && first) go(incidentHref(first.id));
    },
  });

  const page = route.page === "incidents" && !reads ? { page: "cameras" as const, id: null } : route;
  const announcement = latest ? announced(latest.incident, latest.kind) : "";
  const urgent = latest?.incident.severity === 4;

  return (
    <div className="frame">
      <a className="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}>
        {t("console.skip")}
      </a>
      <header className="top">
        <span className="brand">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M3 18h7l3-8 5 14 3-9 1.5 3H29" />
          </svg>
          <span className="wide-only">Tynysh</span>
        </span>
        <nav aria-label={t("console.nav.title")}>
          {reads && (
            <a href="#/incidents" aria-current={page.page === "incidents" ? "page" : undefined}>
              <Icon name="incidents" />
              <span>{t("console.nav.incidents")}</span>
              {waiting > 0 && <span className="badge">{number(waiting)}</span>}
            </a>
          )}
          <a href="#/cameras" aria-current={page.page === "cameras" ? "page" : undefined}>
            <Icon name="cameras" />
            <span>{t("console.nav.cameras")}</span>
            {lost > 0 && (
              <span className="badge quiet" title={t("console.camera.lost_count", { count: lost })}>
                {number(lost)}
              </span>
            )}
          </a>
          <a href="#/places" aria-current={page.page === "places" ? "page" : undefined}>
            <Icon name="places" />
            <span>{t("console.nav.places")}</span>
          </a>
          <a href="#/map" aria-current={page.page === "map" ? "page" : undefined}>
            <Icon name="map" />
            <span>{t("console.nav.map")}</span>
          </a>
        </nav>
        <div className="tools">
          <Clock />
          <SoundButton sound={sound} user={user} />
          <ThemeButton theme={theme} onToggle={onTheme} />
          <button
            type="button"
            className="ghost wide-only"
            aria-label={t("console.keys.title")}
            title={`${t("console.keys.title")} (?)`}
            onClick={() => {
              setHelp(true);
            }}
          >
            <Icon name="help" />
          </button>
          <LanguagePicker onPick={onLanguage} />
          <Menu user={user} onPassword={onPassword} onSignOut={onSignOut} />
        </div>
      </header>
      <div className="banners">
        <Banner />
        <UnwatchedBanner />
        <UnsentSteps />
        {reads && (
          <WaitingBanner
            waiting={untaken}
            filter={page.page === "incidents" ? filter : null}
            onFilter={setFilter}
            opened={page.page === "incidents" ? page.id : null}
          />
        )}
      </div>
      <main id="main" tabIndex={-1}>
        {page.page === "incidents" && (
          <Desk opened={page.id} user={user} lit={lit} filter={filter} onFilter={setFilter} />
        )}
        {page.page === "cameras" && (page.id === null ? <CameraGrid user={user} /> : <CameraPage id={page.id} user={user} />)}
        {page.page === "places" && <PlacesPage />}
        {page.page === "map" && <MapPage />}
      </main>
      <UndoOffer />
      <div className="unseen" aria-live="polite">
        {urgent ? "" : announcement}
      </div>
      <div className="unseen" aria-live="assertive">
        {urgent ? announcement : ""}
      </div>
      {help && (
        <Help
          onClose={() => {
            setHelp(false);
          }}
        />
      )}
    </div>
  );
}
