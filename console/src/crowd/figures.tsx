// The crowd on one camera in figures, zone by zone: no more exactly than it is known.

import type { ReactNode } from "react";
import type { Crowd, PlaceCrowd } from "../api/types";
import type { Key } from "../language/catalogue";
import { useWords } from "../language/words";
import { Meter } from "./meter";
import { people } from "./number";
import { PICTURE } from "./overlay";

/** Persons per square metre from which they have to mind each other: level of service D (Fruin, 1971). */
const CLOSE = 0.7;

function Figures({ place }: { place: PlaceCrowd }): ReactNode {
  const words = useWords();
  const { t, number } = words;
  const facts: [Key, ReactNode][] = [];
  if (place.density !== null) {
    const density = place.rough ? `≥ ${number(place.density_low ?? 0, 1)}` : number(place.density, 2);
    facts.push(["console.crowd.density", t("console.crowd.per_m2", { density })]);
  }
  if (place.level !== null && !place.rough) {
    facts.push([
      "console.crowd.level",
      <span key="level" className={`level level-${place.level}`}>
        {t(`console.crowd.level.${place.level}`)}
      </span>,
    ]);
  }
  if (place.speed !== null) facts.push(["console.crowd.speed", t("console.crowd.metres_per_second", { speed: number(place.speed, 1) })]);
  // Between people who have room, walking different ways is no pressure.
  if (place.pressure !== null && (place.densest ?? place.density ?? 0) >= CLOSE) facts.push(["console.crowd.pressure", t("console.crowd.per_second2", { pressure: number(place.pressure, 3) })]);
  return (
    <li className="crowd-place" data-place={place.name}>
      <p className="crowd-place-head">
        <span className="clip-text">{place.name === PICTURE ? t("console.crowd.picture") : place.name}</span>
        <strong title={t(place.rough ? "console.crowd.rough_hint" : "console.crowd.band_hint")}>{people(place, words)}</strong>
      </p>
      {place.capacity !== null && <Meter counted={place} capacity={place.capacity} name={place.name} />}
      {facts.length > 0 && (
        <dl className="facts small">
          {facts.map(([key, value]) => (
            <div key={key} className="fact">
              <dt>{t(key)}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}

export function CrowdFigures({ crowd, failed }: { crowd: Crowd | null; failed: boolean }): ReactNode {
  const { t, percent, number } = useWords();
  const places = crowd?.places ?? [];
  return (
    <section className="panel crowd-figures">
      <h3>{t("console.crowd.title")}</h3>
      {places.length === 0 ? (
        <p className="dim">{t(crowd === null && !failed ? "console.loading" : "console.crowd.none")}</p>
      ) : (
        <ul className="crowd-places">
          {places.map((place) => (
            <Figures key={place.name} place={place} />
          ))}
        </ul>
      )}
      {crowd && crowd.lines.length > 0 && (
        <table className="crowd-lines">
          <caption className="dim small">{t("console.crowd.lines")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("console.crowd.line")}</th>
              <th scope="col">{t("console.crowd.ins")}</th>
              <th scope="col">{t("console.crowd.outs")}</th>
            </tr>
          </thead>
          <tbody>
            {crowd.lines.map((line) => (
              <tr key={line.name}>
                <th scope="row">{line.name}</th>
                <td>{number(line.ins)}</td>
                <td>{number(line.outs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {crowd?.at && (
        <p className="dim small">
          {crowd.calibrated
            ? crowd.error !== null && t("console.crowd.calibrated", { error: `±${percent(crowd.error)}` })
            : t("console.crowd.uncalibrated")}
        </p>
      )}
    </section>
  );
}
