// What a failed request is called in the reader's language.

import { ApiError } from "../api/client";
import type { Words } from "../language/words";

export function explain(error: unknown, { t, roughly }: Words): string {
  if (!(error instanceof ApiError)) return t("console.error.unknown");
  if (error.status === 0) return t("console.error.unreachable");
  if (error.status === 429 && error.retryAfter !== null) {
    return t("console.error.wait", { time: roughly(error.retryAfter) });
  }
  if (error.message !== "") return error.message;
  if (error.status === 403) return t("console.error.forbidden");
  if (error.status >= 500) return t("console.error.server");
  return t("console.error.unknown");
}
