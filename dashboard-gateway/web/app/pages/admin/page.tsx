import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { deleteUser, listUsers, type User, updateUser } from "../../api/account.ts";
import { config } from "../../app/config.ts";
import { usePrefs } from "../../app/prefs.ts";
import { dayMinute } from "../../design/clock.ts";
import { Button } from "../../design/controls.tsx";
import { Dialog } from "../../design/dialog.tsx";
import { NONE, plural } from "../../design/format.ts";
import { PageBody, PageHead } from "../../design/page.tsx";
import { Busy, Empty, Problem } from "../../design/states.tsx";
import { type Column, DataTable } from "../../design/table.tsx";
import { Text } from "../../design/text.tsx";
import { Accounts } from "./accounts.tsx";
import { UserForm } from "./userform.tsx";
import "./admin.css";

/** Users of the gateway and the accounts of programs, for admins. */
export function UsersPage() {
  const scroll = useRef<HTMLDivElement>(null);
  const [edited, setEdited] = useState<User | "new" | null>(null);
  const [doomed, setDoomed] = useState<User | null>(null);
  const admin = config.user?.role === "Admin";
  const users = useQuery({ queryKey: ["users"], queryFn: ({ signal }) => listUsers(signal), enabled: admin });
  const zone = usePrefs((state) => state.zone);
  const columns = useMemo<Column<User>[]>(
    () => [
      {
        key: "login",
        head: "Login",
        width: "minmax(96px, 1fr)",
        cell: (user) => (
          <button type="button" className="link plain" onClick={() => setEdited(user)}>
            <Text value={user.login} />
          </button>
        ),
      },
      { key: "name", head: "Name", width: "minmax(0, 1.4fr)", cell: (user) => <Text value={user.name || NONE} /> },
      { key: "role", head: "Role", width: "72px", cell: (user) => user.role },
      {
        key: "state",
        head: "State",
        width: "72px",
        cell: (user) =>
          user.isDisabled ? <span className="warn">disabled</span> : <span className="faint">active</span>,
      },
      {
        key: "seen",
        head: "Last seen",
        width: "minmax(0, 110px)",
        cell: (user) => (user.lastSeenAt ? dayMinute(Date.parse(user.lastSeenAt), zone) : NONE),
      },
      {
        key: "actions",
        head: <span className="visually-hidden">Actions</span>,
        width: "72px",
        align: "right",
        cell: (user) =>
          user.login === config.user?.login ? (
            <span className="faint">you</span>
          ) : (
            <button type="button" className="link plain" onClick={() => setDoomed(user)}>
              Delete
            </button>
          ),
      },
    ],
    [zone],
  );
  if (!admin) {
    return (
      <>
        <PageHead title="Users" />
        <Empty title="Only admins see users.">
          <p>Your role is {config.user?.role ?? "none"}; an admin can change it.</p>
        </Empty>
      </>
    );
  }
  return (
    <>
      <PageHead
        title={users.data ? plural(users.data.length, "user") : "Users"}
        knobs={
          <Button look="primary" onClick={() => setEdited("new")}>
            New user
          </Button>
        }
      />
      <Busy busy={users.isFetching} words="Asking for users" />
      <PageBody ref={scroll} className="admin">
        {users.isError && <Problem what="The users" error={users.error} onRetry={() => void users.refetch()} />}
        {users.data && (
          <DataTable
            label="Users"
            rows={users.data}
            columns={columns}
            rowKey={(user) => String(user.id)}
            scroll={scroll}
            onOpen={(user) => setEdited(user)}
          />
        )}
        <Accounts scroll={scroll} />
      </PageBody>
      {edited !== null && <UserForm user={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
      {doomed !== null && <DeleteUser user={doomed} onClose={() => setDoomed(null)} />}
    </>
  );
}

function DeleteUser({ user, onClose }: { user: User; onClose: () => void }) {
  const queries = useQueryClient();
  const done = () => {
    void queries.invalidateQueries({ queryKey: ["users"] });
    onClose();
  };
  const remove = useMutation({ mutationFn: () => deleteUser(user.id), onSuccess: done });
  const disable = useMutation({ mutationFn: () => updateUser(user.id, { isDisabled: true }), onSuccess: done });
  return (
    <Dialog label="Delete user" onClose={onClose}>
      <p>
        <b>
          <Text value={user.login} />
        </b>{" "}
        and all sessions of this user end at once. A disabled user keeps name and role and can come back.
      </p>
      {(remove.isError || disable.isError) && <Problem what="The user" error={remove.error ?? disable.error} />}
      <div className="dialog-actions">
        <Button onClick={onClose}>Keep</Button>
        {!user.isDisabled && <Button onClick={() => disable.mutate()}>Disable</Button>}
        <Button look="primary" onClick={() => remove.mutate()}>
          Delete
        </Button>
      </div>
    </Dialog>
  );
}
