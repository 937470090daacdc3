import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { changePassword, savePreferences } from "../../api/account.ts";
import { config } from "../../app/config.ts";
import { Link } from "../../app/link.tsx";
import { type Theme, usePrefs } from "../../app/prefs.ts";
import { type Zone, zoneName } from "../../design/clock.ts";
import { Button, Field, Input, Segmented } from "../../design/controls.tsx";
import { PageBody, PageHead } from "../../design/page.tsx";
import { Text } from "../../design/text.tsx";
import { PASSWORD_MIN, ROLE_WORDS } from "../admin/userform.tsx";
import "./profile.css";

const THEMES: readonly { value: Theme; label: string }[] = [
  { value: "system", label: "As the system" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

const DENSITIES = [
  { value: "compact", label: "Compact" },
  { value: "normal", label: "Normal" },
  { value: "roomy", label: "Roomy" },
] as const;

/** Who is signed in, what is set for this browser, and the password. */
export function ProfilePage() {
  const { user } = config;
  return (
    <>
      <PageHead title={user === null ? "Settings" : <Text value={user.name || user.login} />}>
        {user !== null && (
          <span className="faint">
            {user.role}: {ROLE_WORDS[user.role]}
          </span>
        )}
      </PageHead>
      <PageBody className="profile">
        <Appearance />
        {user !== null && <Password />}
        {user?.role === "Admin" && (
          <section>
            <h2>Tokens</h2>
            <p>
              Programs use tokens of service accounts, kept under <Link to="/admin/users">users and tokens</Link>.
            </p>
          </section>
        )}
      </PageBody>
    </>
  );
}

function Appearance() {
  const { theme, zone, density, singleKeys, set } = usePrefs();
  const keep = useMutation({
    mutationFn: async (next: { theme: Theme; zone: Zone }) => {
      if (config.user === null) return;
      await savePreferences({ theme: next.theme, timezone: next.zone });
    },
  });
  const change = (next: Partial<{ theme: Theme; zone: Zone }>) => {
    set(next);
    keep.mutate({ theme, zone, ...next });
  };
  return (
    <section>
      <h2>Appearance</h2>
      <div className="field">
        <span className="field-name">Theme</span>
        <Segmented label="Theme" value={theme} choices={THEMES} onChange={(value) => change({ theme: value })} />
      </div>
      <div className="field">
        <span className="field-name">Times</span>
        <Segmented<Zone>
          label="Times"
          value={zone}
          choices={[
            { value: "browser", label: `This browser's (${zoneName("browser")})` },
            { value: "utc", label: "UTC" },
          ]}
          onChange={(value) => change({ zone: value })}
        />
      </div>
      <div className="field">
        <span className="field-name">Rows of the waterfall</span>
        <Segmented
          label="Rows of the waterfall"
          value={density}
          choices={DENSITIES}
          onChange={(value) => set({ density: value })}
        />
      </div>
      <label className="check">
        <input type="checkbox" checked={singleKeys} onChange={(event) => set({ singleKeys: event.target.checked })} />
        Keys without Ctrl act on the page (? lists them)
      </label>
      {keep.isError && (
        <p className="field-error" role="alert">
          Kept on this browser only: {keep.error.message}
        </p>
      )}
    </section>
  );
}

function Password() {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const [tried, setTried] = useState(false);
  const change = useMutation({
    mutationFn: () => changePassword(old, fresh),
    onSuccess: () => {
      setOld("");
      setFresh("");
      setAgain("");
      setTried(false);
    },
  });
  const short = fresh.length < PASSWORD_MIN ? `At least ${PASSWORD_MIN} characters.` : null;
  const differs = fresh !== again ? "The two are not the same." : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (old !== "" && short === null && differs === null) change.mutate();
  };
  return (
    <section>
      <h2>Password</h2>
      <form onSubmit={submit}>
        <Field label="Present password" error={change.error?.message ?? (tried && old === "" ? "It is needed." : null)}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autoComplete="current-password"
              value={old}
              onChange={(event) => setOld(event.target.value)}
            />
          )}
        </Field>
        <Field label="New password" error={tried ? short : null}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autoComplete="new-password"
              value={fresh}
              onChange={(event) => setFresh(event.target.value)}
            />
          )}
        </Field>
        <Field label="New password again" error={tried ? differs : null}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autoComplete="new-password"
              value={again}
              onChange={(event) => setAgain(event.target.value)}
            />
          )}
        </Field>
        <Button look="primary" type="submit" disabled={change.isPending}>
          Change password
        </Button>
        <p role="status" className="better">
          {change.isSuccess ? "Changed. Other sessions of this account have ended." : ""}
        </p>
      </form>
    </section>
  );
}
