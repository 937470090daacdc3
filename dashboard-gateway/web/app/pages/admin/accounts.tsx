// Service accounts and their tokens: how programs get in. A token is shown once, right after it is made.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type RefObject, useState } from "react";
import {
  createServiceAccount,
  createToken,
  deleteServiceAccount,
  deleteToken,
  listServiceAccounts,
  listTokens,
  type ServiceAccount,
} from "../../api/account.ts";
import type { Role } from "../../app/config.ts";
import { usePrefs } from "../../app/prefs.ts";
import { dayMinute } from "../../design/clock.ts";
import { Button, Field, Input, Segmented, Select } from "../../design/controls.tsx";
import { Copy } from "../../design/copy.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { plural } from "../../design/format.ts";
import { Notice, Problem } from "../../design/states.tsx";
import { type Column, DataTable } from "../../design/table.tsx";
import { Text } from "../../design/text.tsx";
import { ROLES } from "./userform.tsx";

export function Accounts({ scroll }: { scroll: RefObject<HTMLElement | null> }) {
  const accounts = useQuery({ queryKey: ["accounts"], queryFn: ({ signal }) => listServiceAccounts(signal) });
  const [opened, setOpened] = useState<ServiceAccount | "new" | null>(null);
  const columns: Column<ServiceAccount>[] = [
    {
      key: "name",
      head: "Service account",
      width: "minmax(96px, 1fr)",
      cell: (account) => (
        <button type="button" className="link plain" onClick={() => setOpened(account)}>
          <Text value={account.name} />
        </button>
      ),
    },
    { key: "role", head: "Role", width: "72px", cell: (account) => account.role },
    { key: "tokens", head: "Tokens", width: "72px", align: "right", cell: (account) => account.tokens },
  ];
  const rows = accounts.data?.serviceAccounts ?? [];
  return (
    <section className="admin-section" aria-label="Service accounts">
      <header className="page-head">
        <h2>{accounts.data ? plural(rows.length, "service account") : "Service accounts"}</h2>
        <span className="faint">for programs: their tokens go into the Authorization header as “Bearer …”</span>
        <div className="page-knobs">
          <Button onClick={() => setOpened("new")}>New service account</Button>
        </div>
      </header>
      {accounts.isError && (
        <Problem what="The service accounts" error={accounts.error} onRetry={() => void accounts.refetch()} />
      )}
      {rows.length > 0 && (
        <DataTable
          label="Service accounts"
          rows={rows}
          columns={columns}
          rowKey={(account) => String(account.id)}
          scroll={scroll}
          onOpen={(account) => setOpened(account)}
        />
      )}
      {opened === "new" && <NewAccount onClose={() => setOpened(null)} />}
      {opened !== null && opened !== "new" && <Tokens account={opened} onClose={() => setOpened(null)} />}
    </section>
  );
}

function NewAccount({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("Viewer");
  const make = useMutation({
    mutationFn: () => createServiceAccount(name.trim(), role),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["accounts"] });
      onClose();
    },
  });
  return (
    <Dialog label="New service account" onClose={onClose}>
      <form
        className="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== "") make.mutate();
        }}
      >
        <Field label="Name" error={make.error?.message}>
          {(ids) => <Input {...ids} required value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Segmented label="Role" value={role} choices={ROLES} onChange={setRole} />
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={make.isPending}>
            Make account
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const DAY = 86_400;
const LIVES = [
  [30 * DAY, "30 days"],
  [90 * DAY, "90 days"],
  [365 * DAY, "1 year"],
  [0, "no end"],
] as const;

function Tokens({ account, onClose }: { account: ServiceAccount; onClose: () => void }) {
  const queries = useQueryClient();
  const zone = usePrefs((state) => state.zone);
  const [name, setName] = useState("");
  const [life, setLife] = useState<number>(90 * DAY);
  const tokens = useQuery({
    queryKey: ["tokens", account.id],
    queryFn: ({ signal }) => listTokens(account.id, signal),
  });
  const refresh = () => {
    void queries.invalidateQueries({ queryKey: ["tokens", account.id] });
    void queries.invalidateQueries({ queryKey: ["accounts"] });
  };
  const make = useMutation({ mutationFn: () => createToken(account.id, name.trim(), life), onSuccess: refresh });
  const remove = useMutation({ mutationFn: (token: number) => deleteToken(account.id, token), onSuccess: refresh });
  const removeAccount = useMutation({
    mutationFn: () => deleteServiceAccount(account.id),
    onSuccess: () => {
      refresh();
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== "") make.mutate();
  };
  const failed = tokens.error ?? remove.error ?? removeAccount.error;
  return (
    <Dialog label={`Tokens of ${account.name.slice(0, 80)}`} onClose={onClose}>
      {failed && <Problem what="The tokens" error={failed} />}
      <ul className="tokens">
        {(tokens.data ?? []).map((token) => (
          <li key={token.id}>
            <Text value={token.name} />
            <span className={token.hasExpired ? "warn" : "faint"}>
              {token.hasExpired
                ? "expired"
                : token.expiration
                  ? `until ${dayMinute(Date.parse(token.expiration), zone)}`
                  : "no end"}
            </span>
            <button type="button" className="link plain" onClick={() => remove.mutate(token.id)}>
              Delete<span className="visually-hidden"> token {token.name.slice(0, 80)}</span>
            </button>
          </li>
        ))}
        {tokens.data?.length === 0 && <li className="faint">No tokens yet.</li>}
      </ul>
      {make.data && (
        <Notice>
          <b>Copy it now: it is not shown again.</b>
          <div className="token-new">
            <code>{make.data.key}</code>
            <Copy value={make.data.key} what="token" word="Copy" />
          </div>
        </Notice>
      )}
      <form className="token-form" onSubmit={submit}>
        <Field label="New token" error={make.error?.message}>
          {(ids) => (
            <Input {...ids} placeholder="name" value={name} onChange={(event) => setName(event.target.value)} />
          )}
        </Field>
        <Field label="Lives for">
          {(ids) => (
            <Select {...ids} value={life} onChange={(event) => setLife(Number(event.target.value))}>
              {LIVES.map(([seconds, words]) => (
                <option key={seconds} value={seconds}>
                  {words}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Button look="primary" type="submit" disabled={make.isPending}>
          Make token
        </Button>
      </form>
      <div className="dialog-actions">
        <Button onClick={() => removeAccount.mutate()}>Delete the account and its tokens</Button>
      </div>
    </Dialog>
  );
}
