import { expect, it } from "vitest";
import { chase } from "./live";

it("near the present it plays as it is", () => {
  expect(chase(0.3)).toEqual({ rate: 1, jump: false });
});

it("a little late it hurries, far behind it jumps", () => {
  expect(chase(0.8).rate).toBeGreaterThan(1);
  expect(chase(1.5).rate).toBeGreaterThan(chase(0.8).rate);
  expect(chase(3)).toEqual({ rate: 1, jump: true });
});
