import { expect, it } from "vitest";
import { DraftBook } from "./drafts";

class Store {
  readonly kept = new Map<string, string>();
  getItem = (key: string): string | null => this.kept.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.kept.set(key, value);
}

it("keeps what was begun, for each incident and user, until it is sent", () => {
  const store = new Store();
  new DraftBook("aigerim", store).set("7", "Two men");
  new DraftBook("aigerim", store).set("8", "A woman");
  expect(new DraftBook("aigerim", store).get("7")).toBe("Two men");
  expect(new DraftBook("bolat", store).get("7")).toBe("");
  new DraftBook("aigerim", store).set("7", "");
  expect(new DraftBook("aigerim", store).get("7")).toBe("");
  expect(new DraftBook("aigerim", store).get("8")).toBe("A woman");
});

it("forgets the oldest of very many, and survives what is no draft", () => {
  const store = new Store();
  const book = new DraftBook("aigerim", store);
  for (let number = 0; number < 60; number += 1) book.set(String(number), "text");
  expect(book.get("9")).toBe("");
  expect(book.get("10")).toBe("text");
  store.kept.set("tynysh.draft.aigerim", "{not json");
  expect(book.get("10")).toBe("");
});
