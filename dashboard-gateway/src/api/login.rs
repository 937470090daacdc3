//! Logging in and out.
//!
//! Knows: the order limiter → password → session, the cookie. Must not know: how any of them works. Start at [`login`].

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use runtime_service::Secret;
use serde::Deserialize;
use serde_json::json;

use crate::access::{Peer, is_cross_site};
use crate::audit;
use crate::failure::Failure;
use crate::limiter::seconds;
use crate::room::Room;
use crate::users::User;

use super::payload::Payload;

/// Longest name that is written to the log.
const NAME_CHARS_MAX: usize = 128;

#[derive(Debug, Deserialize)]
pub(super) struct Credentials {
    user: String,
    password: Secret,
}

fn note(action: &'static str, actor: &str, ip: IpAddr, outcome: &str) {
    audit::line(&audit::Event { action, actor, ip, subject: actor, outcome });
}

/// `POST /login`: a new session, never one that the browser brought along.
pub(super) async fn login(
    State(room): State<Arc<Room>>,
    Extension(Peer(ip)): Extension<Peer>,
    headers: HeaderMap,
    Payload(credentials): Payload<Credentials>,
) -> Result<Response, Failure> {
    let name: String = credentials.user.trim().chars().take(NAME_CHARS_MAX).collect();
    let attempt = match room.limiter.begin(&name, ip, room.clock.monotonic()) {
        Ok(attempt) => attempt,
        Err(wait) => {
            room.metrics.login("limited");
            note("login", &name, ip, "limited");
            return Err(Failure::too_many("Too many failed logins, try again later", seconds(wait)));
        }
    };
    let user = match room.users.verify(&name, &credentials.password).await? {
        Ok(user) => user,
        Err(busy) => {
            attempt.not_made();
            room.metrics.login("busy");
            return Err(busy.into());
        }
    };
    let Some(user) = user else {
        room.metrics.login("wrong");
        note("login", &name, ip, "wrong");
        return Err(Failure::new(StatusCode::UNAUTHORIZED, "Invalid username or password"));
    };
    attempt.succeeded();
    for old in room.cookies.read(&headers) {
        room.sessions.end(old).await?;
    }
    room.users.saw(&user.login).await?;
    let cookie = begin(&room, &user, &headers).await?;
    room.metrics.login("ok");
    note("login", &user.login, ip, "ok");
    let body = Json(json!({ "message": "Logged in", "redirectUrl": room.server.url_prefix }));
    Ok(([(header::SET_COOKIE, cookie)], body).into_response())
}

/// A new session of `user` as a cookie.
pub(super) async fn begin(room: &Room, user: &User, headers: &HeaderMap) -> Result<HeaderValue, Failure> {
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let secret = room.sessions.begin(user, agent).await?;
    let kept = room.session_age_max.as_secs();
    let unusable = || Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "The session cookie cannot be written");
    room.cookies.set(&secret, kept).ok_or_else(unusable)
}

/// `GET /logout`: ends the session, unless a page of another site sent the browser here.
pub(super) async fn logout(
    State(room): State<Arc<Room>>,
    Extension(Peer(ip)): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let prefix = &room.server.url_prefix;
    if is_cross_site(&headers) {
        return Ok((StatusCode::FOUND, [(header::LOCATION, prefix.clone())]).into_response());
    }
    for secret in room.cookies.read(&headers) {
        let whose = room.sessions.find(secret, &room.users).await?;
        if room.sessions.end(secret).await?
            && let Some(user) = whose
        {
            note("logout", &user.login, ip, "ok");
        }
    }
    let location = [(header::LOCATION, format!("{prefix}login"))];
    let mut response = (StatusCode::FOUND, location).into_response();
    if let Some(cookie) = room.cookies.clear() {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
