//! Logging in: right and wrong passwords, the limiter, the cookie, requests of other sites.

use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::SET_COOKIE;
use serde_json::json;

use crate::rig::{As, PASSWORD, Rig, answer, cookie};

#[tokio::test]
async fn a_login_gives_a_session_and_a_logout_ends_it_on_the_server() {
    let rig = Rig::start(&[]).await;
    let response = rig.try_login("Admin", "admin").await;
    let set = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Lax") && !set.contains("Secure"), "{set}");
    let who = As::Cookie(cookie(response.headers()).unwrap());
    assert_eq!(answer(response).await, (200, json!({ "message": "Logged in", "redirectUrl": "/" })));
    let (status, user) = rig.get("/api/user", &who).await;
    assert_eq!(
        (status, &user["login"], &user["role"], &user["isGrafanaAdmin"]),
        (200, &json!("admin"), &json!("Admin"), &json!(true))
    );
    let out = rig.request(Method::GET, "/logout", &who).send().await.unwrap();
    assert_eq!((out.status().as_u16(), out.headers()["location"].to_str().unwrap()), (302, "/login"));
    assert!(out.headers()[SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(rig.get("/api/user", &who).await.0, 401, "the cookie's session is gone");
    rig.stop().await;
}

#[tokio::test]
async fn every_wrong_login_gets_the_same_words() {
    let rig = Rig::start(&[]).await;
    rig.user("ann", "Viewer").await;
    rig.user("bob", "Viewer").await;
    let admin = rig.admin().await;
    let bob = rig.get("/api/users/lookup?loginOrEmail=bob", &admin).await.1["id"].clone();
    rig.send(Method::POST, &format!("/api/admin/users/{bob}/disable"), &admin, &json!({})).await;
    for (user, password) in
        [("ann", "wrong"), ("nobody", "wrong"), ("bob", PASSWORD), ("", ""), ("ann'--", "x"), ("../ann", "x")]
    {
        let got = answer(rig.try_login(user, password).await).await;
        assert_eq!(got, (401, json!({ "message": "Invalid username or password" })), "{user}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn unknown_users_cost_the_same_work() {
    let rig = Rig::start(&[]).await;
    let mut times = Vec::new();
    for user in ["admin", "unknown"] {
        let mut best = Duration::MAX;
        for _ in 0..4 {
            let began = Instant::now();
            assert_eq!(rig.try_login(user, "wrong").await.status(), 401);
            best = best.min(began.elapsed());
            rig.clock.advance(Duration::from_secs(3600));
        }
        times.push(best.as_secs_f64());
    }
    // without the dummy hash the ratio is far beyond ten
    let ratio = times[0] / times[1];
    assert!((0.1..10.0).contains(&ratio), "known {} s, unknown {} s", times[0], times[1]);
    rig.stop().await;
}

#[tokio::test]
async fn guessing_is_slowed_down_and_ends_with_the_right_password() {
    let rig = Rig::start(&[]).await;
    for _ in 0..5 {
        assert_eq!(rig.try_login("admin", "wrong").await.status(), 401);
    }
    let limited = rig.try_login("admin", "admin").await;
    let wait: u64 = limited.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert_eq!((limited.status().as_u16(), wait), (429, 12));
    rig.clock.advance(Duration::from_secs(wait));
    assert_eq!(rig.try_login("admin", "admin").await.status(), 200);
    for _ in 0..4 {
        assert_eq!(rig.try_login("admin", "wrong").await.status(), 401);
    }
    assert_eq!(rig.try_login("admin", "admin").await.status(), 200);
    rig.stop().await;
}

#[tokio::test]
async fn other_sites_cannot_change_anything_through_a_browser() {
    let rig = Rig::start(&[]).await;
    let admin = rig.admin().await;
    let own = format!("http://{}", rig.host());
    let send = async |pairs: &[(&str, &str)], content_type: &str, body: &str| {
        let mut request =
            rig.request(Method::POST, "/api/admin/users", &admin).header("content-type", content_type);
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        request.body(body.to_owned()).send().await.unwrap().status().as_u16()
    };
    let body = format!(r#"{{"login":"eve","password":"{PASSWORD}"}}"#);
    let evil: [&[(&str, &str)]; 5] = [
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", own.as_str()), ("sec-fetch-site", "cross-site")],
    ];
    for pairs in evil {
        assert_eq!(send(pairs, "application/json", &body).await, 403, "{pairs:?}");
    }
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx", ""]
    {
        assert_eq!(send(&[("origin", own.as_str())], content_type, &body).await, 415, "{content_type}");
    }
    assert_eq!(rig.get("/api/users/lookup?loginOrEmail=eve", &admin).await.0, 404, "eve was not made");
    // a login from elsewhere would put the browser into somebody else's account
    let login = rig.request(Method::POST, "/login", &As::Nobody).header("origin", "http://evil.example");
    let login = login.json(&json!({ "user": "admin", "password": "admin" })).send().await.unwrap();
    assert_eq!(login.status(), 403);
    // and a logout from elsewhere is not done
    let out = rig
        .request(Method::GET, "/logout", &admin)
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .unwrap();
    assert_eq!(out.status(), 302);
    assert_eq!(rig.get("/api/user", &admin).await.0, 200);
    assert_eq!(
        send(
            &[("origin", own.as_str()), ("sec-fetch-site", "same-origin")],
            "application/json; charset=utf-8",
            &body
        )
        .await,
        200
    );
    rig.stop().await;
}

#[tokio::test]
async fn a_foreign_name_for_this_machine_opens_nothing_in_development() {
    let rig = Rig::start(&[]).await;
    let body = json!({ "user": "admin", "password": "admin" });
    let request = rig.request(Method::POST, "/login", &As::Nobody).header("host", "evil.example:3001");
    let request =
        request.header("origin", "http://evil.example:3001").header("sec-fetch-site", "same-origin");
    let (status, told) = answer(request.json(&body).send().await.unwrap()).await;
    assert_eq!(status, 403);
    assert!(told["message"].as_str().unwrap().contains("server.root_url"), "{told}");
    rig.stop().await;
}

#[tokio::test]
async fn get_requests_change_nothing() {
    let rig = Rig::start(&[]).await;
    let admin = rig.admin().await;
    let before = rig.documents_of(&["users", "service-accounts", "tokens"]).await;
    for route in
        dashboard_gateway::routes().iter().filter(|r| r.method == Method::GET && r.pattern != "/logout")
    {
        let path =
            route.pattern.replace("{id}", "1").replace("{uid}", "traces").replace("{*path}", "api/archive/1");
        rig.get(&path, &admin).await;
    }
    assert_eq!(rig.documents_of(&["users", "service-accounts", "tokens"]).await, before);
    rig.stop().await;
}

#[tokio::test]
async fn bodies_are_bounded_and_errors_do_not_repeat_them() {
    let rig = Rig::start(&[]).await;
    let post = async |body: String| {
        let request =
            rig.request(Method::POST, "/login", &As::Nobody).header("content-type", "application/json");
        answer(request.body(body).send().await.unwrap()).await
    };
    assert_eq!(post("x".repeat(1 << 20)).await.0, 413);
    for body in [
        r#"{"user":"admin","password":["hunter2-secret"]}"#,
        r#"{"user":"admin","password":"hunter2-secret""#,
        "[]",
        "",
    ] {
        let (status, told) = post(body.to_owned()).await;
        assert_eq!(status, 400, "{body}");
        assert!(!told.to_string().contains("hunter2"), "{told}");
    }
    rig.stop().await;
}
