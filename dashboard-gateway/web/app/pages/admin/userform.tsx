import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { createUser, type User, type UserDraft, updateUser } from "../../api/account.ts";
import type { Role } from "../../app/config.ts";
import { Button, Field, Input, Segmented } from "../../design/controls.tsx";
import { Dialog } from "../../design/dialog.tsx";

export const ROLES: readonly { value: Role; label: string }[] = [
  { value: "Viewer", label: "Viewer" },
  { value: "Editor", label: "Editor" },
  { value: "Admin", label: "Admin" },
];

/** What each role may do, in words. */
export const ROLE_WORDS: Record<Role, string> = {
  Viewer: "reads everything, changes nothing but the own profile",
  Editor: "also changes what is shared",
  Admin: "also manages users and tokens",
};

/** New passwords have at least this many characters; the server says so, too. */
export const PASSWORD_MIN = 8;

/** Makes or changes a user. */
export function UserForm({ user, onClose }: { user: User | null; onClose: () => void }) {
  const queries = useQueryClient();
  const [login, setLogin] = useState(user?.login ?? "");
  const [name, setName] = useState(user?.name ?? "");
  const [email, setEmail] = useState(user?.email ?? "");
  const [role, setRole] = useState<Role>(user?.role ?? "Viewer");
  const [disabled, setDisabled] = useState(user?.isDisabled ?? false);
  const [password, setPassword] = useState("");
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: async (draft: UserDraft) => {
      if (user === null) await createUser(draft);
      else await updateUser(user.id, draft);
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["users"] });
      onClose();
    },
  });
  const loginProblem = login.trim() === "" ? "A user needs a login." : null;
  const short = password.length < PASSWORD_MIN && (user === null || password !== "");
  const passwordProblem = short ? `At least ${PASSWORD_MIN} characters.` : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (loginProblem !== null || passwordProblem !== null) return;
    save.mutate({
      login: login.trim(),
      name,
      email,
      role,
      isDisabled: disabled,
      ...(password === "" ? {} : { password }),
    });
  };
  return (
    <Dialog label={user === null ? "New user" : "Change user"} onClose={onClose}>
      <form className="dialog-form" onSubmit={submit}>
        <Field label="Login" error={tried ? loginProblem : null}>
          {(ids) => (
            <Input
              {...ids}
              autoComplete="off"
              autoCapitalize="none"
              value={login}
              onChange={(event) => setLogin(event.target.value)}
            />
          )}
        </Field>
        <Field label="Name">
          {(ids) => <Input {...ids} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Field label="E-mail">
          {(ids) => <Input {...ids} type="email" value={email} onChange={(event) => setEmail(event.target.value)} />}
        </Field>
        <Field
          label={user === null ? "Password" : "New password (empty: it stays)"}
          error={tried ? passwordProblem : null}
        >
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autoComplete="new-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        <div className="field">
          <span className="field-name">Role</span>
          <Segmented label="Role" value={role} choices={ROLES} onChange={setRole} />
          <span className="field-hint">
            {role} {ROLE_WORDS[role]}.
          </span>
        </div>
        {user !== null && (
          <label className="check">
            <input type="checkbox" checked={disabled} onChange={(event) => setDisabled(event.target.checked)} />
            Disabled: cannot log in, sessions end
          </label>
        )}
        {save.isError && (
          <p className="field-error" role="alert">
            {save.error.message}
          </p>
        )}
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={save.isPending}>
            {user === null ? "Make user" : "Save"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
