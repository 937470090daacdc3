//! User administration.
//!
//! Knows: the shapes of `/api/users…` and `/api/admin/users…`. Must not know: how users are kept. Start at [`create`].

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use runtime_service::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::{Peer, Principal, Role};
use crate::audit;
use crate::failure::Failure;
use crate::room::Room;
use crate::users::{Change, NewUser, Refused, User};

use super::own::{ORG_ID, refused, shown};
use super::payload::{Id, Page, Payload};

fn note(action: &'static str, by: &Principal, ip: Peer, subject: &str, outcome: &str) {
    audit::line(&audit::Event { action, actor: by.actor(), ip: ip.0, subject, outcome });
}

async fn matching(room: &Room, page: &Page) -> Result<Vec<User>, Failure> {
    let needle = page.needle();
    let hit = |user: &User| {
        [&user.login, &user.name, &user.email].iter().any(|text| text.to_lowercase().contains(&needle))
    };
    let mut users = room.users.all().await?;
    users.retain(hit);
    Ok(users)
}

/// `GET /api/users`, `GET /api/admin/users`
pub(super) async fn list(
    State(room): State<Arc<Room>>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Failure> {
    let users = page.cut(matching(&room, &page).await?);
    Ok(Json(users.iter().map(shown).collect()))
}

/// `GET /api/users/search`
pub(super) async fn search(
    State(room): State<Arc<Room>>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Failure> {
    let users = matching(&room, &page).await?;
    let total = users.len();
    let users: Vec<Value> = page.cut(users).iter().map(shown).collect();
    Ok(Json(json!({ "totalCount": total, "users": users, "page": page.number(), "perPage": page.size() })))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Lookup {
    login_or_email: String,
}

/// `GET /api/users/lookup?loginOrEmail=…`
pub(super) async fn lookup(
    State(room): State<Arc<Room>>,
    Query(lookup): Query<Lookup>,
) -> Result<Json<Value>, Failure> {
    let wanted = lookup.login_or_email.to_lowercase();
    let users = room.users.all().await?;
    let found =
        users.iter().find(|u| u.login == wanted || (!wanted.is_empty() && u.email.to_lowercase() == wanted));
    found.map(|user| Json(shown(user))).ok_or_else(|| refused(&Refused::NotFound))
}

async fn by_id(room: &Room, id: Id) -> Result<User, Failure> {
    room.users.by_id(id.0).await?.ok_or_else(|| refused(&Refused::NotFound))
}

/// `GET /api/users/{id}`, `GET /api/admin/users/{id}`
pub(super) async fn get(State(room): State<Arc<Room>>, id: Id) -> Result<Json<Value>, Failure> {
    by_id(&room, id).await.map(|user| Json(shown(&user)))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    #[serde(default)]
    login: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    role: Option<Role>,
    #[serde(default)]
    is_disabled: bool,
    password: Secret,
}

/// `POST /api/admin/users`
pub(super) async fn create(
    State(room): State<Arc<Room>>,
    Extension(by): Extension<Principal>,
    Extension(ip): Extension<Peer>,
    Payload(body): Payload<Created>,
) -> Result<Response, Failure> {
    let login = if body.login.is_empty() { body.email.clone() } else { body.login };
    let role = body.role.unwrap_or(Role::Viewer);
    let new = NewUser {
        login: login.clone(),
        name: body.name,
        email: body.email,
        role,
        disabled: body.is_disabled,
        password: body.password,
    };
    let created = room.users.create(new).await?;
    let outcome = created.as_ref().err().map_or_else(|| "ok".to_owned(), ToString::to_string);
    note("user.create", &by, ip, &login, &outcome);
    let user = created.map_err(|e| refused(&e))?;
    let body = json!({ "id": user.id, "uid": user.login, "orgId": ORG_ID, "message": "User created" });
    Ok((StatusCode::OK, Json(body)).into_response())
}

/// Changes a user and notes it.
async fn apply(
    room: &Room,
    (by, ip): (&Principal, Peer),
    (id, action): (Id, &'static str),
    change: &Change,
) -> Result<User, Failure> {
    let user = by_id(room, id).await?;
    let changed = room.users.change(&user.login, change).await?;
    let outcome = changed.as_ref().err().map_or_else(|| "ok".to_owned(), ToString::to_string);
    note(action, by, ip, &user.login, &outcome);
    changed.map_err(|e| refused(&e))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Changed {
    login: Option<String>,
    name: Option<String>,
    email: Option<String>,
    role: Option<Role>,
    is_disabled: Option<bool>,
    password: Option<Secret>,
}

/// `PUT /api/admin/users/{id}`: what is left out, or is an empty password, stays as it is.
pub(super) async fn change(
    State(room): State<Arc<Room>>,
    Extension(by): Extension<Principal>,
    Extension(ip): Extension<Peer>,
    id: Id,
    Payload(body): Payload<Changed>,
) -> Result<Json<Value>, Failure> {
    if let Some(login) = &body.login
        && by_id(&room, id).await?.login != login.to_lowercase()
    {
        return Err(Failure::invalid("The login of a user cannot be changed"));
    }
    let change = Change {
        name: body.name,
        email: body.email,
        role: body.role,
        disabled: body.is_disabled,
        password: body.password.filter(|p| !p.reveal().is_empty()),
    };
    let user = apply(&room, (&by, ip), (id, "user.update"), &change).await?;
    Ok(Json(json!({ "message": "User updated", "id": user.id })))
}

#[derive(Debug, Deserialize)]
pub(super) struct NewPassword {
    password: Secret,
}

/// `PUT /api/admin/users/{id}/password`
pub(super) async fn password(
    State(room): State<Arc<Room>>,
    Extension(by): Extension<Principal>,
    Extension(ip): Extension<Peer>,
    id: Id,
    Payload(body): Payload<NewPassword>,
) -> Result<Json<Value>, Failure> {
    let change = Change { password: Some(body.password), ..Change::default() };
    apply(&room, (&by, ip), (id, "user.password"), &change).await?;
    Ok(Json(json!({ "message": "User password updated" })))
}

/// `POST /api/admin/users/{id}/disable`
pub(super) async fn disable(
    State(room): State<Arc<Room>>,
    Extension(by): Extension<Principal>,
    Extension(ip): Extension<Peer>,
    id: Id,
    Payload(_nothing): Payload<Value>,
) -> Result<Json<Value>, Failure> {
    let change = Change { disabled: Some(true), ..Change::default() };
    apply(&room, (&by, ip), (id, "user.disable"), &change).await?;
    Ok(Json(json!({ "message": "User disabled" })))
}

/// `POST /api/admin/users/{id}/enable`
pub(super) async fn enable(
    State(room): State<Arc<Room>>,
    Extension(by): Extension<Principal>,
    Extension(ip): Extension<Peer>,
    id: Id,
    Payload(_nothing): Payload<Value>,
) -> Result<Json<Value>, Failure> {
    let change = Change { disabled: Some(false), ..Change::default() };
    apply(&room, (&by, ip), (id, "user.enable"), &change).await?;
    Ok(Json(json!({ "message": "User enabled" })))
}

/// `POST /api/admin/users/{id}/logout`: ends every session of a user.
pub(super) async fn logout(
    State(room): State<Arc<Room>>,
    Extension(by): Extension<Principal>,
    Extension(ip): Extension<Peer>,
    id: Id,
    Payload(_nothing): Payload<Value>,
) -> Result<Json<Value>, Failure> {
    let user = by_id(&room, id).await?;
    room.users.end_sessions(&user.login).await?.map_err(|e| refused(&e))?;
    note("user.logout", &by, ip, &user.login, "ok");
    Ok(Json(json!({ "message": "User logged out" })))
}

/// `DELETE /api/admin/users/{id}`
pub(super) async fn delete(
    State(room): State<Arc<Room>>,
    Extension(by): Extension<Principal>,
    Extension(ip): Extension<Peer>,
    id: Id,
) -> Result<Json<Value>, Failure> {
    let user = by_id(&room, id).await?;
    let deleted = room.users.delete(&user.login).await?;
    let outcome = deleted.as_ref().err().map_or_else(|| "ok".to_owned(), ToString::to_string);
    note("user.delete", &by, ip, &user.login, &outcome);
    deleted.map_err(|e| refused(&e))?;
    Ok(Json(json!({ "message": "User deleted" })))
}
