//! The web app: its files, and its page for every path that is nobody else's.
//!
//! Knows: what the page is told about its user. Must not know: what is on the page. Start at [`anything_else`].

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode};
use web_assets::{Mode as PageMode, Page, User};

use crate::access::{Principal, Role, identify};
use crate::config::Mode;
use crate::failure::Failure;
use crate::room::Room;

/// query-api's paths as the page asks for them, relative to its base.
const API: &str = "api/datasources/proxy/uid/traces/";

/// What is no route: a file of the app, an unknown path of the API, or a page of the app.
pub(crate) async fn anything_else(State(room): State<Arc<Room>>, request: Request) -> Response {
    let path = request.uri().path();
    let is_api = path == "/api" || path.starts_with("/api/") || path == "/apis" || path.starts_with("/apis/");
    if is_api {
        return Failure::not_found("Not found").into_response();
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed").into_response();
    }
    let name = path.trim_start_matches('/');
    if let Some(file) = web_assets::asset(name, request.headers()) {
        return file.map(Body::from);
    }
    if name.starts_with("assets/") {
        return Failure::not_found("Not found").into_response();
    }
    page(State(room), request.headers().clone()).await
}

/// The page of the app, told who asks.
pub(crate) async fn page(State(room): State<Arc<Room>>, headers: HeaderMap) -> Response {
    let principal = identify(&room, &headers).await.unwrap_or(Principal::Nobody);
    let default_password = room.mode == Mode::Development
        && match room.users.find(&room.administrator).await {
            Ok(administrator) => administrator.is_some_and(|a| a.default_password),
            Err(error) => return Failure::from(error).into_response(),
        };
    let role = principal.role().map_or("", Role::name);
    let user = match &principal {
        Principal::Person(user) => Some(User { login: &user.login, name: &user.name, role }),
        Principal::Script(account) => Some(User { login: &account.login, name: &account.name, role }),
        Principal::Anonymous => Some(User { login: "", name: "Anonymous", role }),
        Principal::Nobody => None,
    };
    let page = Page {
        base: &room.server.url_prefix,
        api: API,
        mode: PageMode::Gateway,
        user,
        development_mode: room.mode == Mode::Development,
        default_password,
        version: env!("CARGO_PKG_VERSION"),
    };
    web_assets::index(&page).map(Body::from)
}
