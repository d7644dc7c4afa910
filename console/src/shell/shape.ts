// How wide a picture is for its height, told to the style sheet, so that boxes drawn over it lie where they should.

import type { CSSProperties } from "react";

export function shape(ratio: number): CSSProperties {
  return { "--ratio": ratio.toFixed(4) } as CSSProperties;
}
