// One key, one action: never while somebody types, never with a modifier.

import { useEffect, useRef } from "react";

export type Keys = Record<string, () => void>;

const KEY = "tynysh.keys";
export const keysEnabled = (): boolean => localStorage.getItem(KEY) !== "0";
export function enableKeys(enabled: boolean): void {
  localStorage.setItem(KEY, enabled ? "1" : "0");
}

/** Latin letters by the key's place on the keyboard: shortcuts work in Cyrillic layouts too. */
export function keyName(event: Pick<KeyboardEvent, "key" | "code" | "shiftKey">): string {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  if (letter && (event.key.length === 1 || event.key === "Unidentified")) return letter.toLowerCase();
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  if (digit && !event.shiftKey) return digit;
  if (event.code === "Slash" && event.shiftKey) return "?";
  if (event.code === "Comma" && !event.shiftKey) return ",";
  if (event.code === "Period" && !event.shiftKey) return ".";
  return event.key === " " ? "Space" : event.key;
}

const TYPES = new Set(["INPUT", "TEXTAREA", "SELECT"]);

function busy(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (TYPES.has(target.tagName) || target.isContentEditable) return event.key !== "Escape";
  if (target.closest("dialog")) return true;
  // Enter and space press the button or follow the link that has the focus.
  const pressable = target.tagName === "BUTTON" || target.tagName === "A" || target.getAttribute("role") === "slider";
  return pressable && (event.key === "Enter" || event.key === " ");
}

export function useKeys(keys: Keys): void {
  const current = useRef(keys);
  useEffect(() => {
    current.current = keys;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (!keysEnabled() || busy(event)) return;
      const action = current.current[keyName(event)];
      if (!action) return;
      event.preventDefault();
      action();
    };
    window.addEventListener("keydown", press);
    return () => {
      window.removeEventListener("keydown", press);
    };
  }, []);
}
