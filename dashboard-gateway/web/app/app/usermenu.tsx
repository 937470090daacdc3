import { useState } from "react";
import { gatewayUrl } from "../api/client.ts";
import { Button } from "../design/controls.tsx";
import { visible } from "../design/hostile.ts";
import { Popover } from "../design/popover.tsx";
import { Text } from "../design/text.tsx";
import { config } from "./config.ts";
import { Link } from "./link.tsx";

/** Who is signed in, and what belongs to that. Absent on query-api's port, which knows no users. */
export function UserMenu() {
  const [open, setOpen] = useState(false);
  const { user } = config;
  if (config.mode === "query") return null;
  if (user === null || user.login === "") {
    return (
      <a className="button button-plain" href={gatewayUrl("login")}>
        Log in
      </a>
    );
  }
  return (
    <div className="anchor">
      <Button
        look="quiet"
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={`Account ${visible(user.login)}`}
        onClick={() => setOpen(!open)}
      >
        <span className="user-name">
          <Text value={user.login} />
        </span>
      </Button>
      <Popover open={open} onClose={() => setOpen(false)} label="Account" align="end">
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: following a link closes the menu */}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: as above */}
        <div className="menu" onClick={() => setOpen(false)}>
          <span className="menu-words">
            <Text value={user.name || user.login} /> · {user.role}
          </span>
          <Link to="/profile" className="menu-item" fresh>
            Profile and password
          </Link>
          {user.role === "Admin" && (
            <Link to="/admin/users" className="menu-item" fresh>
              Users and tokens
            </Link>
          )}
          <a className="menu-item" href={gatewayUrl("logout")}>
            Log out
          </a>
          <span className="menu-words">version {config.version}</span>
        </div>
      </Popover>
    </div>
  );
}
