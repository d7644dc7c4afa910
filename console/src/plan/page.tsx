// Everything on one plan: all cameras, and every incident that is open.

import { useMemo, type ReactNode } from "react";
import { isOpen } from "../incidents/order";
import { useWords } from "../language/words";
import { useKnown } from "../live/store";
import { cameraMarks, incidentMark, incidentPosition } from "./marks";
import { Plan } from "./plan";

export function MapPage(): ReactNode {
  const { t, behaviour } = useWords();
  const { cameras, sites, incidents } = useKnown();
  const marks = useMemo(() => {
    const open = [...incidents.values()].filter(isOpen).flatMap((incident) => {
      const position = incidentPosition(incident, cameras, sites);
      return position ? [incidentMark(incident, position, behaviour(incident.behaviour))] : [];
    });
    const named = [...sites.values()].flatMap(({ id, name, position }) =>
      position ? [{ id: `site ${id}`, name, position, href: "", kind: { site: true } as const }] : [],
    );
    return [...open, ...named, ...cameraMarks(cameras.values(), sites)];
  }, [cameras, sites, incidents, behaviour]);
  return (
    <section className="map-page" aria-label={t("console.nav.map")}>
      <Plan marks={marks} label={t("console.nav.map")} />
    </section>
  );
}
