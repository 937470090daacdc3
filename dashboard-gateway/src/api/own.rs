//! What everybody asks about themselves and the server.
//!
//! Knows: the shapes of `/api/health`, `/api/user…`, `/api/org`. Must not know: other users. Start at [`user`].

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode, header};
use runtime_service::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::{Peer, Principal, Role};
use crate::audit;
use crate::failure::Failure;
use crate::limiter::seconds;
use crate::room::Room;
use crate::users::{Change, Refused, User};

use super::login::begin;
use super::payload::{Payload, rfc3339};

/// There is one organisation; Grafana's clients ask for its number and name.
pub(super) const ORG_ID: u64 = 1;
const ORG_NAME: &str = "Main Org.";

/// `GET /api/health`
pub(super) async fn health(State(room): State<Arc<Room>>) -> Response {
    let database = match room.users.find(&room.administrator).await {
        Ok(_) => (StatusCode::OK, "ok"),
        Err(_failing) => (StatusCode::SERVICE_UNAVAILABLE, "failing"),
    };
    let commit = option_env!("YC_COMMIT").unwrap_or_default();
    let body = json!({ "database": database.1, "version": env!("CARGO_PKG_VERSION"), "commit": commit });
    (database.0, Json(body)).into_response()
}

/// A user as the API shows them: never the hash.
pub(super) fn shown(user: &User) -> Value {
    json!({
        "id": user.id,
        "uid": user.login,
        "login": user.login,
        "name": user.name,
        "email": user.email,
        "role": user.role.name(),
        "orgId": ORG_ID,
        "isAdmin": user.role == Role::Admin,
        "isGrafanaAdmin": user.role == Role::Admin,
        "isDisabled": user.disabled,
        "isExternal": false,
        "authLabels": [],
        "theme": user.theme,
        "createdAt": rfc3339(user.created),
        "updatedAt": rfc3339(user.updated),
        "lastSeenAt": rfc3339(user.seen),
        "passwordIsDefault": user.default_password,
    })
}

/// `GET /api/user`
pub(super) async fn user(Extension(principal): Extension<Principal>) -> Json<Value> {
    let role = principal.role().map_or("", Role::name);
    Json(match &principal {
        Principal::Person(user) => shown(user),
        Principal::Script(account) => json!({
            "id": 0, "login": account.login, "name": account.name, "email": "", "role": role, "orgId": ORG_ID,
            "isGrafanaAdmin": account.role == Role::Admin, "isServiceAccount": true, "theme": "",
        }),
        Principal::Anonymous | Principal::Nobody => json!({
            "id": 0, "login": "", "name": "Anonymous", "email": "", "role": role, "orgId": ORG_ID,
            "isGrafanaAdmin": false, "isAnonymous": true, "theme": "",
        }),
    })
}

fn person(principal: &Principal) -> Result<&User, Failure> {
    principal.person().ok_or_else(Failure::unauthorized)
}

pub(super) fn refused(why: &Refused) -> Failure {
    let status = match why {
        Refused::Invalid(_) | Refused::LastAdmin => StatusCode::BAD_REQUEST,
        Refused::Exists(_) => StatusCode::PRECONDITION_FAILED,
        Refused::NotFound => StatusCode::NOT_FOUND,
        Refused::TooMany => StatusCode::CONFLICT,
    };
    Failure::new(status, why.to_string())
}

#[derive(Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Own {
    name: Option<String>,
    email: Option<String>,
}

/// `PUT /api/user`: name and e-mail.
pub(super) async fn change(
    State(room): State<Arc<Room>>,
    Extension(principal): Extension<Principal>,
    Payload(own): Payload<Own>,
) -> Result<Json<Value>, Failure> {
    let login = &person(&principal)?.login;
    let change = Change { name: own.name, email: own.email, ..Change::default() };
    room.users.change(login, &change).await?.map_err(|e| refused(&e))?;
    Ok(Json(json!({ "message": "User updated" })))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Passwords {
    old_password: Secret,
    new_password: Secret,
}

/// `PUT /api/user/password`: ends every session of the user and begins a new one.
pub(super) async fn password(
    State(room): State<Arc<Room>>,
    Extension(principal): Extension<Principal>,
    Extension(Peer(ip)): Extension<Peer>,
    headers: HeaderMap,
    Payload(passwords): Payload<Passwords>,
) -> Result<Response, Failure> {
    let login = person(&principal)?.login.clone();
    let note = |outcome: &str| {
        audit::line(&audit::Event { action: "password.change", actor: &login, ip, subject: &login, outcome });
    };
    // a stolen session must not be a way to try passwords
    let attempt = room.limiter.begin(&login, ip, room.clock.monotonic());
    let attempt = attempt
        .map_err(|wait| Failure::too_many("Too many wrong passwords, try again later", seconds(wait)))?;
    match room.users.verify(&login, &passwords.old_password).await? {
        Ok(Some(_)) => attempt.succeeded(),
        Ok(None) => {
            note("wrong");
            // not 401: the session holds, and an app would take that for its end
            return Err(Failure::invalid("Invalid old password"));
        }
        Err(busy) => {
            attempt.not_made();
            return Err(busy.into());
        }
    }
    let change = Change { password: Some(passwords.new_password), ..Change::default() };
    let user = room.users.change(&login, &change).await?.map_err(|e| refused(&e))?;
    note("ok");
    let cookie = begin(&room, &user, &headers).await?;
    Ok(([(header::SET_COOKIE, cookie)], Json(json!({ "message": "User password changed" }))).into_response())
}

/// `GET /api/user/preferences`
pub(super) async fn preferences(Extension(principal): Extension<Principal>) -> Json<Value> {
    let user = principal.person();
    let (theme, timezone) = user.map_or(("", ""), |u| (u.theme.as_str(), u.timezone.as_str()));
    Json(json!({ "theme": theme, "timezone": timezone }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Preferences {
    theme: Option<String>,
    timezone: Option<String>,
}

/// `PUT` and `PATCH /api/user/preferences`
pub(super) async fn prefer(
    State(room): State<Arc<Room>>,
    Extension(principal): Extension<Principal>,
    Payload(preferences): Payload<Preferences>,
) -> Result<Json<Value>, Failure> {
    let login = &person(&principal)?.login;
    let changed = room.users.prefer(login, preferences.theme, preferences.timezone).await?;
    changed.map_err(|e| refused(&e))?;
    Ok(Json(json!({ "message": "Preferences updated" })))
}

/// `GET /api/org`
pub(super) async fn org() -> Json<Value> {
    Json(json!({ "id": ORG_ID, "name": ORG_NAME }))
}

/// `GET /api/user/orgs`
pub(super) async fn orgs(Extension(principal): Extension<Principal>) -> Json<Value> {
    let role = principal.role().map_or("", Role::name);
    Json(json!([{ "orgId": ORG_ID, "name": ORG_NAME, "role": role }]))
}
