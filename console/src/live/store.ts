// What the console knows now: incidents, cameras, sites, and how fresh that is.

import { useSyncExternalStore } from "react";
import { api, ApiError, serverNow, signedOut, updatesUrl } from "../api/client";
import type { Camera, Incident, Site } from "../api/types";
import { follow } from "./feed";

export interface Link {
  state: "connecting" | "open" | "lost";
  /** When it came to that state, milliseconds. */
  since: number;
  /** When the server was last heard, milliseconds. */
  heardAt: number | null;
}

export interface Known {
  incidents: ReadonlyMap<string, Incident>;
  cameras: ReadonlyMap<string, Camera>;
  sites: ReadonlyMap<string, Site>;
  link: Link;
  loaded: boolean;
  /** From where closed incidents go on that have not been loaded; null where all have been. */
  older: string | null;
  failure: ApiError | null;
}

export type ArrivalKind = "new" | "graver" | "renewed";
export type Arrival = (incident: Incident, kind: ArrivalKind) => void;

const NOTHING: Known = {
  incidents: new Map(),
  cameras: new Map(),
  sites: new Map(),
  link: { state: "connecting", since: 0, heardAt: null },
  loaded: false,
  older: null,
  failure: null,
};

const PAGE = 200;
const RECENT = 50;
const POLL_MS = 5000;

/** Whether an update is news to an operator: a new incident that nobody has, or one that is graver or began anew. */
export function news(before: Incident | undefined, now: Incident): ArrivalKind | null {
  if (now.state === "resolved") return null;
  if (!before) return now.state === "new" ? "new" : null;
  if (now.severity > before.severity) return "graver";
  return now.renewed_at !== null && now.renewed_at !== before.renewed_at ? "renewed" : null;
}

export class LiveStore {
  private known: Known = NOTHING;
  private readonly listeners = new Set<() => void>();
  private readonly arrivals = new Set<Arrival>();
  private stopper: AbortController | null = null;
  /** Incidents told of by an update while a list is on its way: the update is newer than the list. */
  private fresh: Set<string> | null = null;
  private publishing = false;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): Known => this.known;

  onArrival(listener: Arrival): () => void {
    this.arrivals.add(listener);
    return () => this.arrivals.delete(listener);
  }

  start(user: string, readsIncidents: boolean): void {
    this.stop();
    this.known = { ...NOTHING, link: { state: "connecting", since: serverNow(), heardAt: null } };
    this.publish();
    const stopper = new AbortController();
    this.stopper = stopper;
    if (!readsIncidents) {
      void this.poll(stopper.signal);
      return;
    }
    follow(
      updatesUrl(),
      user,
      {
        signedOut,
        opened: () => {
          this.link("open");
          void this.load(stopper.signal);
        },
        reload: () => {
          void this.load(stopper.signal);
        },
        heard: () => {
          this.known.link.heardAt = serverNow();
        },
        lost: () => {
          this.link("lost");
        },
        incident: (incident) => {
          this.fresh?.add(incident.id);
          this.put(incident);
        },
        camera: (camera) => {
          this.set({ cameras: new Map(this.known.cameras).set(camera.id, camera) });
        },
      },
      stopper.signal,
    );
  }

  stop(): void {
    this.stopper?.abort();
    this.stopper = null;
  }

  /** Takes in an incident that the server has told of, and announces it if it is news. */
  put(incident: Incident): void {
    const before = this.known.incidents.get(incident.id);
    this.set({ incidents: new Map(this.known.incidents).set(incident.id, incident) });
    if (!this.known.loaded) return;
    const kind = news(before, incident);
    if (kind) for (const listener of this.arrivals) listener(incident, kind);
  }

  /** Takes in incidents that were asked for, without announcing them. */
  add(incidents: readonly Incident[]): void {
    const all = new Map(this.known.incidents);
    for (const incident of incidents) all.set(incident.id, incident);
    this.set({ incidents: all });
  }

  private async load(stop: AbortSignal): Promise<void> {
    const again = this.known.loaded;
    const fresh = (this.fresh = new Set<string>());
    try {
      const [sites, cameras, open, recent] = await Promise.all([
        api.sites(),
        api.cameras(),
        this.open(),
        api.incidents({ state: "resolved", limit: RECENT }),
      ]);
      if (stop.aborted || this.fresh !== fresh) return;
      const listed = [...open, ...recent.items].filter(({ id }) => !fresh.has(id));
      const missed = again ? listed.filter((incident) => news(this.known.incidents.get(incident.id), incident)) : [];
      this.set({
        sites: new Map(sites.map((site) => [site.id, site])),
        cameras: new Map(cameras.map((camera) => [camera.id, camera])),
        loaded: true,
        older: recent.next,
        failure: null,
      });
      const quiet = listed.filter((incident) => !missed.includes(incident));
      this.add(quiet);
      missed.forEach((incident) => {
        this.put(incident);
      });
    } catch (error) {
      if (!stop.aborted && error instanceof ApiError) this.set({ failure: error });
    } finally {
      if (this.fresh === fresh) this.fresh = null;
    }
  }

  private async open(): Promise<Incident[]> {
    const found: Incident[] = [];
    let before: string | undefined;
    do {
      const page = await api.incidents({ open: true, limit: PAGE, ...(before === undefined ? {} : { before }) });
      found.push(...page.items);
      before = page.next ?? undefined;
    } while (before !== undefined);
    return found;
  }

  /** For those who may see cameras but no incidents: there is no feed for them, so ask now and then. */
  private async poll(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        const [sites, cameras] = await Promise.all([api.sites(), api.cameras()]);
        this.set({
          sites: new Map(sites.map((site) => [site.id, site])),
          cameras: new Map(cameras.map((camera) => [camera.id, camera])),
          loaded: true,
          failure: null,
        });
        if (this.known.link.state !== "open") this.link("open");
        this.known.link.heardAt = serverNow();
      } catch (error) {
        if (error instanceof ApiError) this.set({ failure: error });
        if (this.known.link.state !== "lost") this.link("lost");
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  private link(state: Link["state"]): void {
    const { link } = this.known;
    if (link.state === state) return;
    const now = serverNow();
    this.set({ link: { state, since: now, heardAt: state === "open" ? now : link.heardAt } });
  }

  private set(change: Partial<Known>): void {
    this.known = { ...this.known, ...change };
    this.publish();
  }

  /** A burst of updates becomes one rendering. */
  private publish(): void {
    if (this.publishing) return;
    this.publishing = true;
    queueMicrotask(() => {
      this.publishing = false;
      for (const listener of this.listeners) listener();
    });
  }
}

export const live = new LiveStore();

export function useKnown(): Known {
  return useSyncExternalStore(live.subscribe, live.snapshot);
}

/** The time zone of all sites, where they have one in common; else undefined, which is the desk's own. */
export function useCommonZone(): string | undefined {
  const { sites } = useKnown();
  const zones = new Set([...sites.values()].map((site) => site.time_zone));
  return zones.size === 1 ? [...zones][0] : undefined;
}
