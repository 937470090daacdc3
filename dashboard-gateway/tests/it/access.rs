//! Every route × everybody who may ask. A route that is not in `EXPECTED` fails until somebody says who may use it.

use std::collections::BTreeSet;

use dashboard_gateway::{Access, Role, routes};
use reqwest::Method;
use serde_json::json;

use crate::rig::{As, Rig, upstream};

/// Method, pattern, and who may: `*` anybody, `P` people, `V` viewers and more, `A` administrators.
const EXPECTED: &str = "
    GET /login *
    POST /login *
    GET /logout *
    GET /api/health *
    GET /api/user V
    PUT /api/user P
    PUT /api/user/password P
    GET /api/user/preferences V
    PUT /api/user/preferences P
    PATCH /api/user/preferences P
    GET /api/user/orgs V
    GET /api/org V
    GET /api/users A
    GET /api/users/search A
    GET /api/users/lookup A
    GET /api/users/{id} A
    GET /api/admin/users A
    POST /api/admin/users A
    GET /api/admin/users/{id} A
    PUT /api/admin/users/{id} A
    DELETE /api/admin/users/{id} A
    PUT /api/admin/users/{id}/password A
    POST /api/admin/users/{id}/disable A
    POST /api/admin/users/{id}/enable A
    POST /api/admin/users/{id}/logout A
    GET /api/serviceaccounts/search A
    GET /api/serviceaccounts A
    POST /api/serviceaccounts A
    GET /api/serviceaccounts/{id} A
    PATCH /api/serviceaccounts/{id} A
    DELETE /api/serviceaccounts/{id} A
    GET /api/serviceaccounts/{id}/tokens A
    POST /api/serviceaccounts/{id}/tokens A
    DELETE /api/serviceaccounts/{id}/tokens/{token} A
    GET /api/datasources V
    GET /api/datasources/uid/{uid} V
    GET /api/datasources/uid/{uid}/health V
    GET /api/datasources/proxy/uid/{uid}/{*path} V
    POST /api/datasources/proxy/uid/{uid}/{*path} V
";

fn expected() -> Vec<(Method, &'static str, &'static str)> {
    let lines = EXPECTED.lines().map(str::trim).filter(|line| !line.is_empty());
    let row = |line: &'static str| {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap();
        (word().parse().unwrap(), word(), word())
    };
    lines.map(row).collect()
}

#[test]
fn every_route_is_classified_as_this_list_says() {
    let class = |access| match access {
        Access::Public => "*",
        Access::Person => "P",
        Access::Role(Role::Viewer) => "V",
        Access::Role(Role::Editor) => "E",
        Access::Role(Role::Admin) => "A",
    };
    let ours: BTreeSet<_> =
        routes().iter().map(|r| format!("{} {} {}", r.method, r.pattern, class(r.access))).collect();
    let listed: BTreeSet<_> = expected().iter().map(|(m, p, c)| format!("{m} {p} {c}")).collect();
    let unlisted: Vec<_> = ours.difference(&listed).collect();
    let unserved: Vec<_> = listed.difference(&ours).collect();
    assert!(
        unlisted.is_empty() && unserved.is_empty(),
        "not in the list: {unlisted:?}; not served: {unserved:?}"
    );
}

/// What a caller has: a rank (0 nobody, 1 viewer, 2 editor, 3 admin), and whether they are a person.
struct Caller {
    name: &'static str,
    who: As,
    rank: u8,
    person: bool,
}

async fn callers(rig: &Rig) -> Vec<Caller> {
    let forged = As::Cookie(format!("yc_session_{}=AAAA", rig.host().split(':').next_back().unwrap()));
    let mut out = vec![
        Caller { name: "nobody", who: As::Nobody, rank: 0, person: false },
        Caller { name: "forged cookie", who: forged, rank: 0, person: false },
        Caller {
            name: "forged token",
            who: As::Bearer("ycsa_x_00000000".to_owned()),
            rank: 0,
            person: false,
        },
    ];
    for (rank, role) in [(1, "Viewer"), (2, "Editor"), (3, "Admin")] {
        let who = rig.user(&format!("user-{}", role.to_lowercase()), role).await;
        out.push(Caller { name: role, who, rank, person: true });
        let who = rig.token(&format!("script-{role}"), role, 0).await;
        out.push(Caller { name: role, who, rank, person: false });
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_whom_it_may_and_nobody_else() {
    let traces = format!("upstreams.traces={}", upstream().await);
    let rig = Rig::start(&[&traces]).await;
    let callers = callers(&rig).await;
    let mut rows = expected();
    // ends the caller's session
    rows.sort_by_key(|(_, pattern, _)| *pattern == "/logout");
    for (method, pattern, class) in rows {
        let wild = if method == Method::GET { "api/services" } else { "api/transform" };
        let path = pattern
            .replace("{id}", "999999")
            .replace("{token}", "9")
            .replace("{uid}", "traces")
            .replace("{*path}", wild);
        for caller in &callers {
            let (status, body) = rig.send(method.clone(), &path, &caller.who, &json!({})).await;
            let allowed = match class {
                "*" => true,
                "P" => caller.person,
                "V" => caller.rank >= 1,
                "A" => caller.rank >= 3,
                other => panic!("{other}"),
            };
            let told =
                format!("{method} {path} as {} (person: {}): {status} {body}", caller.name, caller.person);
            let forged_token = caller.name == "forged token";
            match (allowed, caller.rank) {
                // a token that opens nothing is refused even where anybody may look
                (true, 0) if forged_token => {
                    assert!(status == 401 || path == "/login" && method == Method::GET, "{told}")
                }
                (true, _) => assert!(![401, 403, 405, 500].contains(&status), "{told}"),
                (false, 0) => assert_eq!(status, 401, "{told}"),
                (false, _) => assert_eq!(status, 403, "{told}"),
            }
        }
    }
    rig.stop().await;
}

#[tokio::test]
async fn methods_and_paths_that_are_not_served_are_refused_in_json() {
    let rig = Rig::start(&[]).await;
    let admin = rig.admin().await;
    for (method, path, status) in [
        (Method::DELETE, "/api/health", 405),
        (Method::POST, "/api/users", 405),
        (Method::GET, "/api/nothing", 404),
        (Method::GET, "/api", 404),
        (Method::GET, "/api/users/", 404),
        (Method::GET, "/apis/dashboard.grafana.app", 404),
        (Method::POST, "/search", 405),
        (Method::GET, "/api/datasources/proxy/uid/other/api/services", 404),
        (Method::GET, "/api/datasources/proxy/uid/traces/metrics", 403),
        (Method::GET, "/api/admin/users/x", 400),
        (Method::GET, "/assets/none.js", 404),
    ] {
        let (got, body) = rig.send(method.clone(), path, &admin, &json!({})).await;
        assert_eq!(got, status, "{method} {path}: {body}");
        assert!(body["message"].is_string(), "{method} {path}: {body}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn the_anonymous_viewer_looks_and_changes_nothing() {
    let traces = format!("upstreams.traces={}", upstream().await);
    let rig = Rig::start(&[&traces, "auth.anonymous_viewer=true"]).await;
    let nobody = As::Nobody;
    assert_eq!(rig.get("/api/user", &nobody).await.1["role"], "Viewer");
    assert_eq!(rig.get("/api/datasources/proxy/uid/traces/api/services", &nobody).await.0, 200);
    assert_eq!(rig.get("/api/users", &nobody).await.0, 401);
    assert_eq!(
        rig.send(Method::PUT, "/api/user/preferences", &nobody, &json!({"theme": "dark"})).await.0,
        401
    );
    let archive = "/api/datasources/proxy/uid/traces/api/archive/1";
    assert_eq!(rig.send(Method::POST, archive, &nobody, &json!({})).await.0, 403);
    rig.stop().await;
}
