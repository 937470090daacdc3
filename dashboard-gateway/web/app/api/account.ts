// dashboard-gateway's own API: sessions, users, tokens, in Grafana's shapes.
import type { Role } from "../app/config.ts";
import { gatewayJson } from "./client.ts";

export interface User {
  readonly id: number;
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly isDisabled: boolean;
  readonly lastSeenAt?: string;
}

export interface UserDraft {
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly isDisabled: boolean;
  /** Left out: the password stays. */
  readonly password?: string;
}

export interface ServiceAccount {
  readonly id: number;
  readonly name: string;
  readonly login: string;
  readonly role: Role;
  readonly isDisabled: boolean;
  readonly tokens: number;
}

export interface Token {
  readonly id: number;
  readonly name: string;
  readonly created: string;
  readonly expiration: string | null;
  readonly lastUsedAt: string | null;
  readonly hasExpired: boolean;
}

type Message = { readonly message: string };

export const login = (user: string, password: string) =>
  gatewayJson<{ message: string; redirectUrl?: string }>("login", { method: "POST", body: { user, password } });

export const changePassword = (oldPassword: string, newPassword: string) =>
  gatewayJson<Message>("api/user/password", { method: "PUT", body: { oldPassword, newPassword } });

export const savePreferences = (preferences: { theme: string; timezone: string }) =>
  gatewayJson<Message>("api/user/preferences", { method: "PUT", body: preferences });

export const listUsers = (signal?: AbortSignal) => gatewayJson<User[]>("api/users", { signal });

export const createUser = (user: UserDraft) =>
  gatewayJson<Message & { id: number }>("api/admin/users", { method: "POST", body: user });

export const updateUser = (id: number, user: Partial<UserDraft>) =>
  gatewayJson<Message>(`api/admin/users/${id}`, { method: "PUT", body: user });

export const deleteUser = (id: number) => gatewayJson<Message>(`api/admin/users/${id}`, { method: "DELETE" });

export const listServiceAccounts = (signal?: AbortSignal) =>
  gatewayJson<{ totalCount: number; serviceAccounts: ServiceAccount[] }>("api/serviceaccounts/search", { signal });

export const createServiceAccount = (name: string, role: Role) =>
  gatewayJson<ServiceAccount>("api/serviceaccounts", { method: "POST", body: { name, role } });

export const deleteServiceAccount = (id: number) =>
  gatewayJson<Message>(`api/serviceaccounts/${id}`, { method: "DELETE" });

export const listTokens = (account: number, signal?: AbortSignal) =>
  gatewayJson<Token[]>(`api/serviceaccounts/${account}/tokens`, { signal });

export const createToken = (account: number, name: string, secondsToLive: number) =>
  gatewayJson<{ id: number; name: string; key: string }>(`api/serviceaccounts/${account}/tokens`, {
    method: "POST",
    body: { name, secondsToLive },
  });

export const deleteToken = (account: number, token: number) =>
  gatewayJson<Message>(`api/serviceaccounts/${account}/tokens/${token}`, { method: "DELETE" });
