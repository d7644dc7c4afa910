// What a role sees of the console. The server decides; this only spares people buttons that would be refused.

import type { Role } from "../api/types";

const HANDLES: readonly Role[] = ["admin", "lead", "operator", "venue"];
const VIEWS_LIVE: readonly Role[] = [...HANDLES, "installer"];

export const mayReadIncidents = (role: Role): boolean => role !== "installer";
export const mayHandle = (role: Role): boolean => HANDLES.includes(role);
export const mayViewEvidence = (role: Role): boolean => role !== "installer";
export const mayViewCameras = (role: Role): boolean => VIEWS_LIVE.includes(role);
export const leads = (role: Role): boolean => role === "lead" || role === "admin";
