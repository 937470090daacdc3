//! Administration of service accounts and their tokens.
//!
//! Knows: the shapes of `/api/serviceaccounts…`. Must not know: how tokens are made. Start at [`create_token`].

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::{Peer, Principal, Role};
use crate::accounts::{Account, Refused, Token};
use crate::audit;
use crate::failure::Failure;
use crate::room::Room;

use super::own::ORG_ID;
use super::payload::{Id, Page, Payload, rfc3339};

fn note(action: &'static str, by: &Principal, ip: Peer, subject: &str) {
    audit::line(&audit::Event { action, actor: by.actor(), ip: ip.0, subject, outcome: "ok" });
}

fn refused(why: &Refused) -> Failure {
    let status = match why {
        Refused::Invalid(_) | Refused::Exists => StatusCode::BAD_REQUEST,
        Refused::NotFound => StatusCode::NOT_FOUND,
        Refused::TooMany => StatusCode::CONFLICT,
    };
    Failure::new(status, why.to_string())
}

fn shown(account: &Account, tokens: usize) -> Value {
    json!({
        "id": account.id,
        "name": account.name,
        "login": account.login,
        "orgId": ORG_ID,
        "role": account.role.name(),
        "isDisabled": account.disabled,
        "createdAt": rfc3339(account.created),
        "tokens": tokens,
    })
}

fn token_shown(token: &Token, now: u64) -> Value {
    let left = token.expires.map(|end| end.saturating_sub(now));
    json!({
        "id": token.id,
        "name": token.name,
        "created": rfc3339(token.created),
        "expiration": token.expires.map(rfc3339),
        "lastUsedAt": token.used.map(rfc3339),
        "secondsUntilExpiration": left.unwrap_or(0),
        "hasExpired": left == Some(0),
        "isRevoked": false,
    })
}

/// `GET /api/serviceaccounts/search`, `GET /api/serviceaccounts`
pub(super) async fn search(
    State(room): State<Arc<Room>>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Failure> {
    let needle = page.needle();
    let mut all = room.accounts.all().await?;
    all.retain(|account| account.name.to_lowercase().contains(&needle));
    let total = all.len();
    let mut rows = Vec::new();
    for account in page.cut(all) {
        let tokens = room.accounts.tokens_of(account.id).await?.len();
        rows.push(shown(&account, tokens));
    }
    Ok(Json(json!({
        "totalCount": total, "serviceAccounts": rows, "page": page.number(), "perPage": page.size()
    })))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    name: String,
    role: Option<Role>,
    #[serde(default)]
    is_disabled: bool,
}

/// `POST /api/serviceaccounts`
pub(super) async fn create(
    State(room): State<Arc<Room>>,
    Extension(by): Extension<Principal>,
    Extension(ip): Extension<Peer>,
    Payload(body): Payload<Created>,
) -> Result<Response, Failure> {
    let role = body.role.unwrap_or(Role::Viewer);
    let created = room.accounts.create(&body.name, role, body.is_disabled).await?;
    let account = created.map_err(|e| refused(&e))?;
    note("serviceaccount.create", &by, ip, &account.login);
    Ok((StatusCode::CREATED, Json(shown(&account, 0))).into_response())
}

async fn by_id(room: &Room, id: Id) -> Result<Account, Failure> {
    room.accounts.get(id.0).await?.ok_or_else(|| refused(&Refused::NotFound))
}

/// `GET /api/serviceaccounts/{id}`
pub(super) async fn get(State(room): State<Arc<Room>>, id: Id) -> Result<Json<Value>, Failure> {
    let account = by_id(&room, id).await?;
    let tokens = room.accounts.tokens_of(account.id).await?.len();
    Ok(Json(shown(&account, tokens)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Changed {
    name: Option<String>,
    role: Option<Role>,
    is_disabled: Option<bool>,
}

/// `PATCH /api/serviceaccounts/{id}`
pub(super) async fn change(
    State(room): State<Arc<Room>>,
    Extension(by): Extension<Principal>,
    Extension(ip): Extension<Peer>,
    id: Id,
    Payload(body): Payload<Changed>,
) -> Result<Json<Value>, Failure> {
    let changed = room.accounts.change(id.0, body.name, body.role, body.is_disabled).await?;
    let account = changed.map_err(|e| refused(&e))?;
    note("serviceaccount.update", &by, ip, &account.login);
    let tokens = room.accounts.tokens_of(account.id).await?.len();
    Ok(Json(json!({
        "id": account.id, "name": account.name, "message": "Service account updated",
        "serviceaccount": shown(&account, tokens)
    })))
}

/// `DELETE /api/serviceaccounts/{id}`
pub(super) async fn delete(
    State(room): State<Arc<Room>>,
    Extension(by): Extension<Principal>,
    Extension(ip): Extension<Peer>,
    id: Id,
) -> Result<Json<Value>, Failure> {
    let account = by_id(&room, id).await?;
    room.accounts.delete(id.0).await?.map_err(|e| refused(&e))?;
    note("serviceaccount.delete", &by, ip, &account.login);
    Ok(Json(json!({ "message": "Service account deleted" })))
}

/// `GET /api/serviceaccounts/{id}/tokens`
pub(super) async fn tokens(State(room): State<Arc<Room>>, id: Id) -> Result<Json<Value>, Failure> {
    by_id(&room, id).await?;
    let now = room.accounts.now();
    let tokens = room.accounts.tokens_of(id.0).await?;
    Ok(Json(tokens.iter().map(|token| token_shown(token, now)).collect()))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewToken {
    name: String,
    #[serde(default)]
    seconds_to_live: u64,
}

/// `POST /api/serviceaccounts/{id}/tokens`: the only answer that ever holds the token.
pub(super) async fn create_token(
    State(room): State<Arc<Room>>,
    Extension(by): Extension<Principal>,
    Extension(ip): Extension<Peer>,
    id: Id,
    Payload(body): Payload<NewToken>,
) -> Result<Json<Value>, Failure> {
    let account = by_id(&room, id).await?;
    let created = room.accounts.create_token(id.0, &body.name, body.seconds_to_live).await?;
    let (token, secret) = created.map_err(|e| refused(&e))?;
    note("token.create", &by, ip, &format!("{}/{}", account.login, token.name));
    Ok(Json(json!({ "id": token.id, "name": token.name, "key": secret.reveal() })))
}

/// `DELETE /api/serviceaccounts/{id}/tokens/{token}`
pub(super) async fn delete_token(
    State(room): State<Arc<Room>>,
    Extension(by): Extension<Principal>,
    Extension(ip): Extension<Peer>,
    Path((id, token)): Path<(u64, u64)>,
) -> Result<Json<Value>, Failure> {
    let account = by_id(&room, Id(id)).await?;
    let name = room.accounts.delete_token(id, token).await?;
    let name = name.ok_or_else(|| Failure::not_found("Service account token not found"))?;
    note("token.delete", &by, ip, &format!("{}/{name}", account.login));
    Ok(Json(json!({ "message": "Service account token deleted" })))
}
