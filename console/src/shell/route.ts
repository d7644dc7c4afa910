// Where in the console somebody is: the part of the address behind #, so that any server can serve it.

import { useSyncExternalStore } from "react";

export type Route =
  | { page: "incidents"; id: string | null }
  | { page: "cameras"; id: string | null }
  | { page: "places" }
  | { page: "map" };

export function parseRoute(hash: string): Route {
  const [page, id] = hash.replace(/^#\/?/, "").split("/");
  if (page === "cameras") return { page, id: id ? decodeURIComponent(id) : null };
  if (page === "map" || page === "places") return { page };
  return { page: "incidents", id: page === "incidents" && id ? decodeURIComponent(id) : null };
}

export const incidentHref = (id: string): string => `#/incidents/${encodeURIComponent(id)}`;
export const cameraHref = (id: string): string => `#/cameras/${encodeURIComponent(id)}`;

export function go(href: string): void {
  window.location.hash = href;
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(
    (listener) => {
      window.addEventListener("hashchange", listener);
      return () => {
        window.removeEventListener("hashchange", listener);
      };
    },
    () => window.location.hash,
  );
  return parseRoute(hash);
}
