// Cameras and incidents as marks on a plan.

import type { Camera, GeoPosition, Incident, Site } from "../api/types";
import { cameraHref, incidentHref } from "../shell/route";
import type { Mark } from "./plan";

type Sites = ReadonlyMap<string, Site>;

/** A camera without a position of its own is where its site is. */
export function positionOf(camera: Camera, sites: Sites): GeoPosition | null {
  return camera.position ?? sites.get(camera.site.id)?.position ?? null;
}

export function cameraMarks(cameras: Iterable<Camera>, sites: Sites): Mark[] {
  return [...cameras].flatMap((camera) => {
    const position = positionOf(camera, sites);
    if (!position) return [];
    return [
      {
        id: `camera ${camera.id}`,
        name: camera.name,
        position,
        href: cameraHref(camera.id),
        kind: { camera: camera.state, simulated: camera.simulated },
      },
    ];
  });
}

export function incidentPosition(
  incident: Incident,
  cameras: ReadonlyMap<string, Camera>,
  sites: Sites,
): GeoPosition | null {
  const camera = cameras.get(incident.camera.id);
  return incident.position ?? (camera ? positionOf(camera, sites) : null) ?? sites.get(incident.site.id)?.position ?? null;
}

export function incidentMark(incident: Incident, position: GeoPosition, name: string, chief = false): Mark {
  return {
    id: `incident ${incident.id}`,
    name,
    position,
    href: incidentHref(incident.id),
    kind: { incident: incident.severity, open: incident.state !== "resolved" },
    chief,
  };
}
