import { type FormEvent, useEffect, useRef, useState } from "react";
import { login } from "../../api/account.ts";
import { ApiError } from "../../api/client.ts";
import { config } from "../../app/config.ts";
import { MarkIcon } from "../../app/icons.tsx";
import { one, useParams } from "../../app/location.ts";
import { safeReturn } from "../../app/return.ts";
import { Button, Field, Input } from "../../design/controls.tsx";
import { Notice } from "../../design/states.tsx";
import "./login.css";

export function LoginPage() {
  const params = useParams();
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const userField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = "Log in · YC Observability";
    userField.current?.focus();
  }, []);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (user === "") return userField.current?.focus();
    if (password === "") return passwordField.current?.focus();
    setBusy(true);
    setProblem(null);
    try {
      await login(user, password);
      // a real page load: the server writes the user into index.html
      window.location.assign(safeReturn(one(params, "redirect")));
    } catch (error) {
      setProblem(words(error));
      setBusy(false);
      passwordField.current?.select();
    }
  };
  return (
    <main className="login">
      <form className="login-form" onSubmit={(event) => void submit(event)}>
        <h1 className="login-name">
          <MarkIcon />
          YC Observability
        </h1>
        <Field label="User">
          {(ids) => (
            <Input
              {...ids}
              ref={userField}
              name="user"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              value={user}
              onChange={(event) => setUser(event.target.value)}
            />
          )}
        </Field>
        <Field label="Password" error={problem}>
          {(ids) => (
            <Input
              {...ids}
              ref={passwordField}
              name="password"
              type="password"
              autoComplete="current-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        <Button look="primary" type="submit" disabled={busy}>
          {busy ? "Logging in …" : "Log in"}
        </Button>
        {config.developmentMode && (
          <Notice>
            <b>Development mode.</b> admin / admin works here. Production mode refuses to start with it.
          </Notice>
        )}
        <p className="login-foot">{config.version}</p>
      </form>
    </main>
  );
}

function words(error: unknown): string {
  if (!(error instanceof ApiError)) return "Something in this page failed; load it again.";
  if (error.status === 401) return "Wrong user or password.";
  if (error.status === 429) return `${error.message.replace(/\.$/, "")}. Wait a moment, then try again.`;
  return error.message;
}
