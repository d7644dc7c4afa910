// One incident: what, where, since when, the clip, why, what to do, and everything that was done.

import { useCallback, useEffect, useMemo, useRef, useState, type MouseEvent, type ReactNode } from "react";
import { api, ApiError, serverNow } from "../api/client";
import type { Incident, IncidentDetail, StepRequest, User, Verdict } from "../api/types";
import { usePolled } from "../crowd/polled";
import { LiveView } from "../cameras/live_view";
import { duration } from "../language/format";
import { useWords } from "../language/words";
import { useNow } from "../live/now";
import { useKnown } from "../live/store";
import { cameraMarks, incidentMark, incidentPosition } from "../plan/marks";
import { Plan } from "../plan/plan";
import { leads, mayHandle, mayViewCameras, mayViewEvidence } from "../session/permissions";
import { Severity, Simulated, StateChip } from "../shell/badges";
import { explain } from "../shell/failure";
import { Icon } from "../shell/icons";
import { useKeys } from "../shell/keys";
import { cameraHref } from "../shell/route";
import { Clip } from "./clip";
import { DraftBook } from "./drafts";
import { may, take, useOutbox } from "./handling";
import { leave, leftAt } from "./looked";
import { isOpen } from "./order";
import { Waiting } from "./row";
import { did, wanted } from "./unsent";

const VERDICTS: readonly Verdict[] = ["true", "false", "unclear"];

/** The incident with its events and steps, asked for anew whenever an update says that it has changed. */
function useDetail(id: string): { detail: IncidentDetail | null; failure: unknown } {
  const known = useKnown().incidents.get(id);
  const [loaded, setLoaded] = useState<IncidentDetail | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  useEffect(() => {
    const stop = new AbortController();
    api.incident(id, stop.signal).then(
      (detail) => {
        setLoaded(detail);
        setFailure(null);
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setFailure(error);
      },
    );
    return () => {
      stop.abort();
    };
  }, [id, known]);
  const detail = useMemo(
    () => (loaded?.id === id ? { ...loaded, ...known, events: loaded.events, steps: loaded.steps } : null),
    [loaded, known, id],
  );
  return { detail, failure: detail ? null : failure };
}

interface ActionsProps {
  incident: Incident;
  user: User;
  asking: boolean;
  onTake: (step: StepRequest) => void;
}

/** A second click of a double click is meant for what was there before. */
const once =
  (act: () => void) =>
  (event: MouseEvent): void => {
    if (event.detail < 2) act();
  };

/** What can be done. Each step has its own place, which no other step takes. */
function Actions({ incident, user, asking, onTake }: ActionsProps): ReactNode {
  const words = useWords();
  const { t } = words;
  const unsent = useOutbox().unsent.find(({ incident: id, step }) => id === incident.id && step.action !== "note");
  const disabled = (action: StepRequest["action"]): boolean => unsent !== undefined || !may(user, incident, action);
  const others = incident.owner !== null && incident.owner !== user.name && isOpen(incident);
  const first = others ? "take_over" : "acknowledge";
  return (
    <div className="actions" role="group" aria-label={t("console.step.title")} aria-busy={unsent !== undefined}>
      <button
        type="button"
        className={incident.state === "new" || others ? "primary first" : "first"}
        disabled={disabled(first)}
        onClick={once(() => {
          onTake({ action: first });
        })}
      >
        {t(`console.step.${first}`)} <kbd>{others ? "T" : "A"}</kbd>
      </button>
      <span className={asking ? "verdicts asked" : "verdicts"} role="group" aria-label={t("console.step.verify")}>
        {VERDICTS.map((verdict, index) => (
          <button
            key={verdict}
            type="button"
            className={`verdict-button verdict-${verdict}`}
            aria-pressed={incident.verdict === verdict}
            disabled={disabled(asking ? "resolve" : "verify")}
            onClick={once(() => {
              onTake({ action: asking ? "resolve" : "verify", verdict });
            })}
          >
            {t(`console.step.verify.${verdict}`)} <kbd>{index + 1}</kbd>
          </button>
        ))}
      </span>
      <button
        type="button"
        disabled={disabled("dispatch")}
        onClick={once(() => {
          onTake({ action: "dispatch" });
        })}
      >
        {t("console.step.dispatch")} <kbd>D</kbd>
      </button>
      <button
        type="button"
        aria-expanded={asking}
        disabled={disabled("resolve")}
        onClick={once(() => {
          onTake({ action: "resolve" });
        })}
      >
        {t("console.step.resolve")} <kbd>R</kbd>
      </button>
      {incident.state === "resolved" && (
        <button
          type="button"
          disabled={disabled("reopen")}
          onClick={once(() => {
            onTake({ action: "reopen" });
          })}
        >
          {t("console.step.reopen")}
        </button>
      )}
      <span className="dim small saving" role="status">
        {unsent
          ? t("console.step.not_yet", { step: wanted(words, unsent.step) })
          : asking
            ? t("console.step.which")
            : others && !leads(user.role)
              ? t("console.step.others", { owner: incident.owner ?? "" })
              : ""}
      </span>
    </div>
  );
}

function Note({ incident, user }: { incident: Incident; user: User }): ReactNode {
  const { t } = useWords();
  const drafts = useMemo(() => new DraftBook(user.name), [user.name]);
  const [text, setText] = useState(() => drafts.get(incident.id));
  const change = (next: string): void => {
    setText(next);
    drafts.set(incident.id, next);
  };
  const send = (): void => {
    const note = text.trim();
    if (note !== "" && take(incident, { action: "note", note })) change("");
  };
  return (
    <form
      className="note"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label>
        <span className="unseen">{t("console.note.label")}</span>
        <textarea
          id="note"
          rows={2}
          maxLength={2000}
          placeholder={t("console.note.label")}
          value={text}
          onChange={(event) => {
            change(event.target.value);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
            if (event.key === "Escape") {
              // Out of the note, not out of the incident; what was written stays.
              event.stopPropagation();
              event.nativeEvent.stopImmediatePropagation();
              event.currentTarget.blur();
            }
          }}
        />
      </label>
      <button type="submit" disabled={text.trim() === ""}>
        {t("console.note.add")}
      </button>
    </form>
  );
}

function History({ incident, zone }: { incident: IncidentDetail; zone: string | undefined }): ReactNode {
  const words = useWords();
  const { t, short, full } = words;
  return (
    <ol className="history">
      <li>
        <time dateTime={incident.opened_at} title={full(incident.opened_at, zone)}>
          {short(incident.opened_at, zone)}
        </time>
        <span>{t("console.did.opened")}</span>
      </li>
      {incident.steps.map((step) => (
        <li key={`${step.at} ${step.action}`}>
          <time dateTime={step.at} title={full(step.at, zone)}>
            {short(step.at, zone)}
          </time>
          <span>
            <strong>{step.user}</strong> {did(words, step)}
            {step.note && <q>{step.note}</q>}
          </span>
        </li>
      ))}
    </ol>
  );
}

function Where({ incident }: { incident: Incident }): ReactNode {
  const { t, behaviour } = useWords();
  const { cameras, sites } = useKnown();
  const site = sites.get(incident.site.id);
  const marks = useMemo(() => {
    const position = incidentPosition(incident, cameras, sites);
    if (!position) return [];
    const near = [...cameras.values()].filter((camera) => camera.site.id === incident.site.id);
    return [incidentMark(incident, position, behaviour(incident.behaviour), true), ...cameraMarks(near, sites)];
  }, [incident, cameras, sites, behaviour]);
  const position = incidentPosition(incident, cameras, sites);
  return (
    <section className="panel where">
      <h3>{t("console.incident.where")}</h3>
      <p>
        {incident.site.name}
        {site?.address ? `, ${site.address}` : ""}
        {position && (
          <span className="dim figures">
            {" "}
            {position.latitude.toFixed(5)}, {position.longitude.toFixed(5)}
          </span>
        )}
      </p>
      {position ? (
        <Plan marks={marks} label={t("console.incident.where")} />
      ) : (
        <p className="dim">{t("console.map.nowhere")}</p>
      )}
    </section>
  );
}

const LOOKING_MS = 10_000;

/** Who else has it open: two who handle one incident should know of each other. */
function Others({ id }: { id: string }): ReactNode {
  const { t } = useWords();
  const ask = useCallback((signal: AbortSignal) => api.looking(id, signal), [id]);
  const others = usePolled(ask, LOOKING_MS).value?.others ?? [];
  if (others.length === 0) return null;
  return <p className="chip others">{t("console.incident.others", { names: others.join(", ") })}</p>;
}

/** That it is not over, and for how long it has lasted. */
function GoingOn({ since }: { since: string }): ReactNode {
  const { t } = useWords();
  const now = useNow();
  return (
    <strong className="going-on">
      {t("console.incident.going_on", { time: duration((now - Date.parse(since)) / 1000) })}
    </strong>
  );
}

/** Since when what happens is new to whoever looks: from the last time that the incident was left. */
function useLooked(id: string): number | null {
  const [since] = useState(() => leftAt(id));
  useEffect(
    () => () => {
      leave(id, serverNow());
    },
    [id],
  );
  return since;
}

function Why({ incident, zone }: { incident: IncidentDetail; zone: string | undefined }): ReactNode {
  const { t, behaviour, reason, clock, percent } = useWords();
  const since = useLooked(incident.id);
  const events = incident.events.length;
  return (
    <section className="panel why">
      <h3>{t("console.incident.why")}</h3>
      {incident.reason && <p className="reason">{reason(incident.reason)}</p>}
      <ul className="events">
        {incident.events.map((event, index) => (
          <li key={event.id} className={`hue-${index % 4}`}>
            <i aria-hidden="true" />
            <span>
              <strong>{behaviour(event.behaviour)}</strong>{" "}
              {since !== null && Date.parse(event.decided_at) > since && (
                <span className="chip">{t("console.event.new")}</span>
              )}{" "}
              <span className="figures">
                {clock(event.started_at, zone)}–{event.ended_at ? clock(event.ended_at, zone) : t("console.event.going_on")}
              </span>{" "}
              <span className="dim">
                {t("console.event.score", { score: percent(event.score) })}
                {event.people > 0 && ` · ${t("console.incident.people", { count: event.people })}`}
                {event.zone && ` · ${t("console.event.zone", { name: event.zone })}`}
              </span>
              {event.reason && events > 1 && <span className="dim event-reason">{reason(event.reason)}</span>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What is to be seen of it: its camera now from the first second, and the recording as soon as there is one. */
function Pictures({ incident, user, zone }: { incident: IncidentDetail; user: User; zone: string | undefined }): ReactNode {
  const { t } = useWords();
  const camera = useKnown().cameras.get(incident.camera.id);
  const [chosen, setChosen] = useState<boolean | null>(null);
  const possible = camera !== undefined && mayViewCameras(user.role);
  const sees = camera?.state === "live" || camera?.state === "degraded";
  const live = possible && (chosen ?? (sees && isOpen(incident) && incident.clip !== "ready"));
  const toggle = (): void => {
    if (possible) setChosen(!live);
  };
  useKeys({ v: toggle });
  const clip = mayViewEvidence(user.role) ? (
    <Clip incident={incident} zone={zone} />
  ) : (
    <p className="dim">{t("console.clip.forbidden")}</p>
  );
  return (
    <>
      <div className={live ? "pictures with-live" : "pictures"}>
        {live && <LiveView camera={camera} crowd={null} overlays={false} />}
        {clip}
      </div>
      {possible && (
        <button type="button" className="plain live-toggle" aria-pressed={live} onClick={toggle}>
          {t("console.incident.live")} <kbd>V</kbd>
        </button>
      )}
    </>
  );
}

interface Props {
  id: string;
  user: User;
  /** Whether resolving waits for a verdict. */
  asking: boolean;
  onTake: (step: StepRequest) => void;
  onClose: () => void;
}

export function IncidentPage({ id, user, asking, onTake, onClose }: Props): ReactNode {
  const words = useWords();
  const { t, behaviour, full, find, number, clock } = words;
  const { sites } = useKnown();
  const { detail, failure } = useDetail(id);
  const heading = useRef<HTMLHeadingElement>(null);
  const there = detail !== null;
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, [id, there]);

  const back = (
    <button type="button" className="ghost back" onClick={onClose} aria-label={t("console.back")} title={t("console.back")}>
      <Icon name="back" />
    </button>
  );
  if (!detail) {
    const gone = failure instanceof ApiError && failure.status === 404;
    return (
      <article className="incident">
        <header className="incident-head">{back}</header>
        <p className="empty dim" role="status">
          {failure === null ? t("console.loading") : gone ? t("console.incident.gone") : explain(failure, words)}
        </p>
      </article>
    );
  }

  const zone = sites.get(detail.site.id)?.time_zone;
  const response = find(`response.${detail.behaviour}`);
  return (
    <article className={`incident grade-${detail.severity}`} data-opened={detail.id} aria-label={t("console.incident.title")}>
      <header className="incident-head">
        {back}
        <div>
          <h2 ref={heading} tabIndex={-1}>
            <Severity grade={detail.severity} word />
            <span className="dim figures">{t("console.incident.number", { number: detail.id })}</span>{" "}
            {detail.behaviours.length > 0 ? detail.behaviours.map(behaviour).join(" + ") : behaviour(detail.behaviour)}
          </h2>
          <p>
            {detail.camera.simulated && <Simulated />}
            <a href={cameraHref(detail.camera.id)}>{detail.camera.name}</a>
            <span className="dim"> · {detail.site.name}</span>
            {detail.people > 0 && <span className="dim"> · {t("console.incident.people", { count: detail.people })}</span>}
            {detail.zone && <span className="dim"> · {t("console.event.zone", { name: detail.zone })}</span>}
          </p>
          <p className="dim">
            <time dateTime={detail.started_at}>{full(detail.started_at, zone)}</time>
            {detail.ended_at &&
              ` · ${t("console.incident.lasted", {
                time: duration((Date.parse(detail.ended_at) - Date.parse(detail.started_at)) / 1000),
              })}`}
            {!detail.ended_at && <GoingOn since={detail.started_at} />}
            {detail.renewed_at && ` · ${t("console.incident.renewed", { time: clock(detail.renewed_at, zone) })}`}
          </p>
        </div>
        <div className="standing">
          <StateChip incident={detail} />
          {isOpen(detail) && <Waiting since={detail.opened_at} />}
          {detail.owner && <span className="dim small">{t("console.incident.owner", { name: detail.owner })}</span>}
          {mayHandle(user.role) && <Others id={detail.id} />}
        </div>
      </header>

      {mayHandle(user.role) ? (
        <Actions incident={detail} user={user} asking={asking} onTake={onTake} />
      ) : (
        <p className="dim small readonly">{t("console.incident.read_only")}</p>
      )}
      <Pictures key={detail.id} incident={detail} user={user} zone={zone} />

      <div className="panels">
        <div>
          {response && (
            <section className="panel response">
              <h3>{t("console.incident.response")}</h3>
              <p>{response}</p>
            </section>
          )}
          <Why incident={detail} zone={zone} />
          <section className="panel">
            <h3>
              {t("console.incident.history")} <span className="count">{number(detail.steps.length + 1)}</span>
            </h3>
            <History incident={detail} zone={zone} />
            {mayHandle(user.role) && <Note incident={detail} user={user} />}
          </section>
        </div>
        <Where incident={detail} />
      </div>
    </article>
  );
}
