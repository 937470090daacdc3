//! The HTTP API in Grafana's shapes, as a table: what is not in it is not served, and nothing is in it without saying
//! who may use it.
//!
//! Knows: routes and their classes. Must not know: how anything is done; that is in the rooms. Start at [`table`].

mod accounts;
mod admin;
mod login;
mod own;
mod payload;
mod sources;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;

use crate::access::{Access, Role, guard};
use crate::room::Room;
use crate::{proxy, web};

/// One route.
struct Route {
    method: Method,
    pattern: &'static str,
    access: Access,
    handler: MethodRouter<Arc<Room>>,
}

/// One route and who may use it, for the test that holds the whole table against an independent list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    /// HTTP method; GET stands for HEAD too.
    pub method: Method,
    /// As the router matches it.
    pub pattern: &'static str,
    /// Who may.
    pub access: Access,
}

fn route<H, T>(method: Method, pattern: &'static str, access: Access, handler: H) -> Route
where
    H: Handler<T, Arc<Room>>,
    T: 'static,
{
    // axum answers HEAD where GET is served
    let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::TRACE);
    Route { method, pattern, access, handler: on(filter, handler) }
}

const VIEWER: Access = Access::Role(Role::Viewer);
const ADMIN: Access = Access::Role(Role::Admin);

/// Every route.
fn table() -> Vec<Route> {
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
    let (patch, delete) = (Method::PATCH, Method::DELETE);
    vec![
        route(get.clone(), "/login", Access::Public, web::page),
        route(post.clone(), "/login", Access::Public, login::login),
        route(get.clone(), "/logout", Access::Public, login::logout),
        route(get.clone(), "/api/health", Access::Public, own::health),
        // oneself
        route(get.clone(), "/api/user", VIEWER, own::user),
        route(put.clone(), "/api/user", Access::Person, own::change),
        route(put.clone(), "/api/user/password", Access::Person, own::password),
        route(get.clone(), "/api/user/preferences", VIEWER, own::preferences),
        route(put.clone(), "/api/user/preferences", Access::Person, own::prefer),
        route(patch.clone(), "/api/user/preferences", Access::Person, own::prefer),
        route(get.clone(), "/api/user/orgs", VIEWER, own::orgs),
        route(get.clone(), "/api/org", VIEWER, own::org),
        // users
        route(get.clone(), "/api/users", ADMIN, admin::list),
        route(get.clone(), "/api/users/search", ADMIN, admin::search),
        route(get.clone(), "/api/users/lookup", ADMIN, admin::lookup),
        route(get.clone(), "/api/users/{id}", ADMIN, admin::get),
        route(get.clone(), "/api/admin/users", ADMIN, admin::list),
        route(post.clone(), "/api/admin/users", ADMIN, admin::create),
        route(get.clone(), "/api/admin/users/{id}", ADMIN, admin::get),
        route(put.clone(), "/api/admin/users/{id}", ADMIN, admin::change),
        route(delete.clone(), "/api/admin/users/{id}", ADMIN, admin::delete),
        route(put.clone(), "/api/admin/users/{id}/password", ADMIN, admin::password),
        route(post.clone(), "/api/admin/users/{id}/disable", ADMIN, admin::disable),
        route(post.clone(), "/api/admin/users/{id}/enable", ADMIN, admin::enable),
        route(post.clone(), "/api/admin/users/{id}/logout", ADMIN, admin::logout),
        // service accounts
        route(get.clone(), "/api/serviceaccounts/search", ADMIN, accounts::search),
        route(get.clone(), "/api/serviceaccounts", ADMIN, accounts::search),
        route(post.clone(), "/api/serviceaccounts", ADMIN, accounts::create),
        route(get.clone(), "/api/serviceaccounts/{id}", ADMIN, accounts::get),
        route(patch, "/api/serviceaccounts/{id}", ADMIN, accounts::change),
        route(delete.clone(), "/api/serviceaccounts/{id}", ADMIN, accounts::delete),
        route(get.clone(), "/api/serviceaccounts/{id}/tokens", ADMIN, accounts::tokens),
        route(post.clone(), "/api/serviceaccounts/{id}/tokens", ADMIN, accounts::create_token),
        route(delete, "/api/serviceaccounts/{id}/tokens/{token}", ADMIN, accounts::delete_token),
        // data sources
        route(get.clone(), "/api/datasources", VIEWER, sources::list),
        route(get.clone(), "/api/datasources/uid/{uid}", VIEWER, sources::get),
        route(get.clone(), "/api/datasources/uid/{uid}/health", VIEWER, sources::health),
        route(get, "/api/datasources/proxy/uid/{uid}/{*path}", VIEWER, proxy::forward),
        route(post, "/api/datasources/proxy/uid/{uid}/{*path}", VIEWER, proxy::forward),
    ]
}

/// Every route and who may use it.
#[must_use]
pub fn routes() -> Vec<RouteInfo> {
    let info = |r: Route| RouteInfo { method: r.method, pattern: r.pattern, access: r.access };
    table().into_iter().map(info).collect()
}

/// Who may use each route.
pub(crate) fn classes() -> HashMap<(Method, &'static str), Access> {
    table().into_iter().map(|r| ((r.method, r.pattern), r.access)).collect()
}

/// The table as a router; what is not in it is the web app's.
pub(crate) fn router(room: Arc<Room>) -> Router {
    let routed = table().into_iter().fold(Router::new(), |router, r| router.route(r.pattern, r.handler));
    routed
        .route_layer(from_fn_with_state(Arc::clone(&room), guard))
        .fallback(web::anything_else)
        .with_state(room)
}
