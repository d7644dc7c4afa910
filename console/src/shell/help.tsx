// Which keys do what, and a switch for those whom they disturb.

import { useEffect, useRef, useState, type ReactNode } from "react";
import type { Key } from "../language/catalogue";
import { useWords } from "../language/words";
import { Icon } from "./icons";
import { enableKeys, keysEnabled } from "./keys";

const KEYS: readonly [title: Key, keys: readonly (readonly [keys: string, text: Key])[]][] = [
  [
    "console.incidents.title",
    [
      ["J K ↓ ↑", "console.keys.move"],
      ["Enter", "console.keys.open"],
      ["Esc", "console.keys.close"],
      ["G", "console.waiting.go"],
      ["A", "console.step.acknowledge"],
      ["T", "console.step.take_over"],
      ["1", "console.step.verify.true"],
      ["2", "console.step.verify.false"],
      ["3", "console.step.verify.unclear"],
      ["D", "console.step.dispatch"],
      ["R", "console.step.resolve"],
      ["N", "console.note.label"],
      ["V", "console.incident.live"],
      ["Z", "console.undo"],
    ],
  ],
  [
    "console.clip.title",
    [
      ["Space", "console.keys.play"],
      [", .", "console.keys.frame"],
      ["← →", "console.keys.jump"],
      ["L", "console.clip.loop"],
      ["B", "console.clip.box"],
      ["F", "console.clip.full"],
    ],
  ],
  [
    "console.keys.anywhere",
    [
      ["I", "console.nav.incidents"],
      ["C", "console.nav.cameras"],
      ["P", "console.nav.places"],
      ["M", "console.nav.map"],
      ["S", "console.keys.sound"],
      ["?", "console.keys.title"],
    ],
  ],
];

export function Help({ onClose }: { onClose: () => void }): ReactNode {
  const { t } = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const [enabled, setEnabled] = useState(keysEnabled);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="card help"
      aria-labelledby="help-title"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current.close();
      }}
    >
      <header>
        <h2 id="help-title">{t("console.keys.title")}</h2>
        <button
          type="button"
          className="ghost"
          aria-label={t("console.close")}
          onClick={() => {
            dialog.current?.close();
          }}
        >
          <Icon name="close" />
        </button>
      </header>
      <div className="help-columns">
        {KEYS.map(([title, keys]) => (
          <section key={title}>
            <h3>{t(title)}</h3>
            <dl>
              {keys.map(([names, text]) => (
                <div key={text}>
                  <dt>
                    {names.split(" ").map((name) => (
                      <kbd key={name}>{name}</kbd>
                    ))}
                  </dt>
                  <dd>{t(text)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label className="switch">
        <input
          type="checkbox"
          checked={enabled}
          onChange={(event) => {
            enableKeys(event.target.checked);
            setEnabled(event.target.checked);
          }}
        />
        {t("console.keys.enabled")}
      </label>
    </dialog>
  );
}
