//! The page and its files as the gateway serves them.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::rig::{As, Rig};

/// The configuration that the page is given.
async fn told(response: Response) -> Value {
    let html = response.text().await.unwrap();
    let block = html
        .split(r#"<script id="yc-config" type="application/json">"#)
        .nth(1)
        .unwrap_or_else(|| panic!("{html}"));
    serde_json::from_str(block.split("</script>").next().unwrap()).unwrap()
}

async fn page(rig: &Rig, path: &str, who: &As) -> Response {
    rig.request(Method::GET, path, who).send().await.unwrap()
}

#[tokio::test]
async fn every_page_of_the_app_is_told_who_asks() {
    let rig = Rig::start(&[]).await;
    let admin = rig.admin().await;
    for path in
        ["/", "/login", "/search?service=a", "/trace/5b8e", "/trace/5b8e...77aa", "/admin/users", "/profile"]
    {
        let response = page(&rig, path, &admin).await;
        assert_eq!(
            (response.status().as_u16(), response.headers()["cache-control"].to_str().unwrap()),
            (200, "no-store"),
            "{path}"
        );
        let config = told(response).await;
        assert_eq!((&config["base"], &config["mode"]), (&json!("/"), &json!("gateway")), "{path}");
        assert_eq!(config["api"], "api/datasources/proxy/uid/traces/");
        assert_eq!(config["user"], json!({ "login": "admin", "name": "Administrator", "role": "Admin" }));
        assert_eq!((&config["developmentMode"], &config["defaultPassword"]), (&json!(true), &json!(true)));
    }
    assert_eq!(told(page(&rig, "/", &As::Nobody).await).await["user"], Value::Null);
    let body = json!({ "oldPassword": "admin", "newPassword": "something better" });
    assert_eq!(rig.send(Method::PUT, "/api/user/password", &admin, &body).await.0, 200);
    assert_eq!(told(page(&rig, "/login", &As::Nobody).await).await["defaultPassword"], false);
    rig.stop().await;
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_browsers_safe() {
    let rig = Rig::start(&[]).await;
    let script = web_assets::paths().find(|p| p.ends_with(".js")).unwrap();
    let script = format!("/{script}");
    for path in ["/", "/api/health", "/api/users", "/api/none", "/%2e%2e", "/logout", script.as_str()] {
        let response = page(&rig, path, &As::Nobody).await;
        let header = |name: &str| response.headers().get(name).map_or("", |v| v.to_str().unwrap()).to_owned();
        let csp = header("content-security-policy");
        for part in [
            "default-src 'self'",
            "script-src 'self';",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(csp.contains(part), "{path}: {csp}");
        }
        assert!(!csp.contains("unsafe"), "{path}: {csp}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert!(header("permissions-policy").contains("camera=()"), "{path}");
        assert_eq!(header("strict-transport-security"), "", "{path}");
        let cached = if path == script { "public, max-age=31536000, immutable" } else { "no-store" };
        assert_eq!(header("cache-control"), cached, "{path}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn everything_works_under_a_prefix_and_behind_tls() {
    let rig = Rig::start(&["server.root_url=https://obs.example.com/grafana"]).await;
    assert!(rig.url.ends_with("/grafana"), "{}", rig.url);
    let login = rig.try_login("admin", "admin").await;
    let set = login.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        set.starts_with("__Host-yc_session=") && set.contains("; Secure") && set.contains("; Path=/;"),
        "{set}"
    );
    assert_eq!(login.headers()["strict-transport-security"], "max-age=63072000");
    assert_eq!(login.json::<Value>().await.unwrap()["redirectUrl"], "/grafana/");
    let who = As::Cookie(set.split(';').next().unwrap().to_owned());
    assert_eq!(rig.get("/api/user", &who).await.1["login"], "admin");
    let response = page(&rig, "/trace/1", &who).await;
    let html = response.text().await.unwrap();
    assert!(html.contains(r#""base":"/grafana/""#), "{html}");
    let script = html.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(script.starts_with("/grafana/"), "{script}");
    let root = format!("http://{}", rig.host());
    let status = async |path: &str| rig.http.get(format!("{root}{path}")).send().await.unwrap();
    assert_eq!(status(script).await.status(), 200);
    assert_eq!(status("/api/health").await.status(), 404, "nothing outside the prefix");
    assert_eq!(status("/grafanax/api/health").await.status(), 404);
    let redirect = status("/grafana").await;
    assert_eq!(
        (redirect.status().as_u16(), redirect.headers()["location"].to_str().unwrap()),
        (308, "/grafana/")
    );
    let out = page(&rig, "/logout", &who).await;
    assert_eq!(out.headers()["location"], "/grafana/login");
    rig.stop().await;
}

#[tokio::test]
async fn the_admin_port_tells_metrics_readiness_and_configuration() {
    let rig = Rig::start(&[]).await;
    rig.admin().await;
    rig.try_login("admin", "wrong").await;
    let get = async |path: &str| rig.http.get(format!("{}{path}", rig.admin_url)).send().await.unwrap();
    for path in ["/health", "/ready/read", "/ready/write", "/metrics", "/config", "/buildinfo"] {
        assert_eq!(get(path).await.status(), 200, "{path}");
    }
    let metrics = get("/metrics").await.text().await.unwrap();
    for line in [
        r#"dashboard_gateway_logins_total{outcome="ok"} 1"#,
        r#"dashboard_gateway_logins_total{outcome="wrong"} 1"#,
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    rig.stop().await;
}
