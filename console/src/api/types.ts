// Short names for what the server says. `schema.ts` is made from the API's own description by `make types`.

import type { Incident, paths, SessionUser } from "./schema";

export type {
  Action,
  Blindness,
  Camera,
  CameraState,
  Crowd,
  DensityMap,
  FloorGrid,
  GeoPosition,
  History,
  HistoryStep,
  Incident,
  IncidentDetail,
  IncidentPage,
  IncidentStep,
  PlaceCrowd,
  PlaceNow,
  Reason,
  Role,
  SessionAnswer as Session,
  SessionUser as User,
  Site,
  State as IncidentState,
  StepRequest,
  Threshold,
  Verdict,
} from "./schema";

export type Box = NonNullable<Incident["box"]>;
export type Language = SessionUser["language"];
export type Severity = Incident["severity"];

type Method = "get" | "post" | "patch";

/** What the server answers to a request that succeeds. */
export type Answer<Path extends keyof paths, By extends Method = "get"> = paths[Path][By] extends {
  responses: { 200: { content: { "application/json": infer Body } } };
}
  ? Body
  : never;
