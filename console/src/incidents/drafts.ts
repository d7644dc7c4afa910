// What somebody has begun to write of an incident: kept until it is sent, over reloads and changes of pages.

const KEY = "tynysh.draft.";
/** More than anybody has open at once; the oldest go. */
const MOST = 50;

/** Incident and text, oldest first. */
type Drafts = [string, string][];

export class DraftBook {
  constructor(
    private readonly user: string,
    private readonly storage: Pick<Storage, "getItem" | "setItem"> = localStorage,
  ) {}

  get(incident: string): string {
    return this.read().find(([id]) => id === incident)?.[1] ?? "";
  }

  set(incident: string, text: string): void {
    const others = this.read().filter(([id]) => id !== incident);
    const kept: Drafts = text === "" ? others : [...others, [incident, text]];
    this.storage.setItem(KEY + this.user, JSON.stringify(kept.slice(-MOST)));
  }

  private read(): Drafts {
    try {
      const found: unknown = JSON.parse(this.storage.getItem(KEY + this.user) ?? "[]");
      return Array.isArray(found) ? (found as Drafts) : [];
    } catch {
      return [];
    }
  }
}
