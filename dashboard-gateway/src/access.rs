//! Who asks, and whether they may: the one place that decides.
//!
//! Knows: cookies, bearer tokens, roles, the class of each route. Must not know: what a route does. Start at [`guard`]:
//! it decides by the route that the router has matched, so there is no second reading of the path to disagree with;
//! what is not classified is refused.

mod cookie;
mod csrf;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};

use crate::accounts::Account;
use crate::failure::Failure;
use crate::room::Room;
use crate::users::User;

pub(crate) use cookie::Cookies;
pub(crate) use csrf::is_cross_site;

/// What a person or a script may do; each may what those before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Changes what is shared.
    Editor,
    /// Changes who may do what.
    Admin,
}

impl Role {
    /// As in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "Viewer",
            Self::Editor => "Editor",
            Self::Admin => "Admin",
        }
    }
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever has at least this role: people, tokens, and, for [`Role::Viewer`], the anonymous viewer if there is one.
    Role(Role),
    /// People with a session: what it changes is their own.
    Person,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Principal {
    /// No credentials, and nobody may look without.
    Nobody,
    /// No credentials, but looking is free.
    Anonymous,
    /// A person with a session.
    Person(Box<User>),
    /// A script with a token.
    Script(Account),
}

impl Principal {
    /// What they may do.
    pub(crate) fn role(&self) -> Option<Role> {
        match self {
            Self::Nobody => None,
            Self::Anonymous => Some(Role::Viewer),
            Self::Person(user) => Some(user.role),
            Self::Script(account) => Some(account.role),
        }
    }

    /// Name in the audit log.
    pub(crate) fn actor(&self) -> &str {
        match self {
            Self::Nobody | Self::Anonymous => "anonymous",
            Self::Person(user) => &user.login,
            Self::Script(account) => &account.login,
        }
    }

    /// The person, if it is one.
    pub(crate) fn person(&self) -> Option<&User> {
        match self {
            Self::Person(user) => Some(user),
            _ => None,
        }
    }

    fn may(&self, access: Access) -> Result<(), Failure> {
        let allowed = match access {
            Access::Public => true,
            Access::Person => self.person().is_some(),
            Access::Role(least) => self.role().is_some_and(|role| role >= least),
        };
        match (allowed, self) {
            (true, _) => Ok(()),
            (false, Self::Nobody | Self::Anonymous) => Err(Failure::unauthorized()),
            (false, _) => Err(Failure::forbidden("You do not have the permission for this")),
        }
    }
}

/// Where a request comes from; [`crate::front`] finds it out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl Default for Peer {
    fn default() -> Self {
        Self(Ipv4Addr::UNSPECIFIED.into())
    }
}

/// Before every route: authenticates, refuses what another site made a browser send, authorises, counts.
pub(crate) async fn guard(State(room): State<Arc<Room>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let pattern = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let asked = (request.method().clone(), request.headers(), request.uri());
    let response = match admit(&room, asked, &pattern).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(failure) => {
            if failure.status() == StatusCode::FORBIDDEN {
                room.metrics.refused.inc();
            }
            failure.into_response()
        }
    };
    room.metrics.answered(&pattern, response.status().as_u16(), began.elapsed());
    response
}

async fn admit(
    room: &Room,
    (method, headers, uri): (Method, &HeaderMap, &Uri),
    pattern: &str,
) -> Result<Principal, Failure> {
    let method = if method == Method::HEAD { Method::GET } else { method };
    let Some(access) = room.access(&method, pattern) else {
        return Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"));
    };
    let principal = identify(room, headers).await?;
    // a token is nothing that a browser sends by itself
    let by_token = matches!(principal, Principal::Script(_));
    if method != Method::GET && !by_token {
        csrf::check(headers, uri, room.server.origin.as_deref())?;
    }
    principal.may(access)?;
    Ok(principal)
}

/// Who sends these headers. A token that opens nothing is refused, also where anybody may look.
pub(crate) async fn identify(room: &Room, headers: &HeaderMap) -> Result<Principal, Failure> {
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        let text = authorization.to_str().unwrap_or_default();
        let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let account = match token {
            Some((_, token)) => room.accounts.verify(token.trim()).await?,
            None => None,
        };
        return account
            .map(Principal::Script)
            .ok_or_else(|| Failure::new(StatusCode::UNAUTHORIZED, "Invalid API key"));
    }
    for secret in room.cookies.read(headers) {
        if let Some(user) = room.sessions.find(secret, &room.users).await? {
            return Ok(Principal::Person(Box::new(user)));
        }
    }
    Ok(if room.anonymous_viewer { Principal::Anonymous } else { Principal::Nobody })
}
