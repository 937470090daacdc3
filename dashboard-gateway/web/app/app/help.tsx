import { Kbd } from "../design/controls.tsx";
import { Dialog } from "../design/dialog.tsx";
import { type Key, useKeymap } from "./keys.ts";
import { usePrefs } from "./prefs.ts";
import "./help.css";

/** All keys that act on the page behind it, by group. */
export function Help({ onClose }: { onClose: () => void }) {
  const layers = useKeymap((state) => state.layers);
  const singleKeys = usePrefs((state) => state.singleKeys);
  const set = usePrefs((state) => state.set);
  const groups = new Map<string, Key[]>();
  for (const layer of layers) groups.set(layer.group, [...(groups.get(layer.group) ?? []), ...layer.keys]);
  return (
    <Dialog label="Keys" onClose={onClose}>
      <div className="help">
        {[...groups].map(([group, keys]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {keys.map((key) => (
                <div key={key.keys + key.does}>
                  <dt>
                    <Kbd keys={key.keys} />
                  </dt>
                  <dd>{key.does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <section>
          <h3>Lists and dialogs</h3>
          <dl>
            {[
              ["j k", "next, previous row (arrows, too)"],
              ["Enter", "open"],
              ["o", "open in a new tab"],
              ["Esc", "close the nearest thing"],
            ].map(([keys = "", does]) => (
              <div key={keys}>
                <dt>
                  <Kbd keys={keys} />
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
      <label className="help-switch">
        <input type="checkbox" checked={singleKeys} onChange={(event) => set({ singleKeys: event.target.checked })} />
        Keys without Ctrl act on the page
      </label>
    </Dialog>
  );
}
