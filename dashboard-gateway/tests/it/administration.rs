//! User administration.

use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{As, PASSWORD, Rig};

async fn create(rig: &Rig, who: &As, body: Value) -> (u16, Value) {
    rig.send(Method::POST, "/api/admin/users", who, &body).await
}

#[tokio::test]
async fn users_are_made_changed_listed_and_deleted() {
    let rig = Rig::start(&[]).await;
    let admin = rig.admin().await;
    let (status, made) = create(
        &rig,
        &admin,
        json!({ "login": "Ann", "name": "Ann", "email": "ann@x.org", "password": PASSWORD }),
    )
    .await;
    assert_eq!((status, &made["message"]), (200, &json!("User created")));
    let path = format!("/api/admin/users/{}", made["id"]);
    let (_, ann) = rig.get(&path, &admin).await;
    assert_eq!(
        (&ann["login"], &ann["role"], &ann["email"]),
        (&json!("ann"), &json!("Viewer"), &json!("ann@x.org"))
    );
    assert!(!ann.to_string().contains("hash") && !ann.to_string().contains("salt"), "{ann}");
    let change = json!({ "login": "ann", "name": "Ann B", "role": "Editor", "password": "" });
    assert_eq!(rig.send(Method::PUT, &path, &admin, &change).await.0, 200);
    let found = rig.get("/api/users?query=ANN", &admin).await.1;
    assert_eq!(
        (found.as_array().unwrap().len(), &found[0]["name"], &found[0]["role"]),
        (1, &json!("Ann B"), &json!("Editor"))
    );
    let paged = rig.get("/api/users/search?perpage=1&page=2", &admin).await.1;
    assert_eq!((&paged["totalCount"], &paged["users"][0]["login"]), (&json!(2), &json!("ann")));
    assert_eq!(rig.send(Method::PUT, &path, &admin, &json!({ "login": "eve" })).await.0, 400);
    assert_eq!(rig.send(Method::DELETE, &path, &admin, &json!({})).await.0, 200);
    assert_eq!(rig.get(&path, &admin).await.0, 404);
    let off = json!({ "login": "off", "password": PASSWORD, "isDisabled": true });
    assert_eq!(create(&rig, &admin, off).await.0, 200);
    assert_eq!(rig.try_login("off", PASSWORD).await.status(), 401);
    let (_, again) = create(&rig, &admin, json!({ "login": "ann", "password": PASSWORD })).await;
    assert_ne!(again["id"], made["id"], "an id is never given twice");
    rig.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_user_is_said() {
    let rig = Rig::start(&[]).await;
    let admin = rig.admin().await;
    for (body, status, words) in [
        (json!({ "login": "admin", "password": PASSWORD }), 412, "already exists"),
        (json!({ "login": "ADMIN", "password": PASSWORD }), 412, "already exists"),
        (json!({ "login": "a b", "password": PASSWORD }), 400, "letters"),
        (json!({ "login": "../a", "password": PASSWORD }), 400, "letters"),
        (json!({ "login": "", "password": PASSWORD }), 400, "empty"),
        (json!({ "login": "ann", "password": "short" }), 400, "at least 8"),
        (json!({ "login": "ann", "password": PASSWORD, "email": "x" }), 400, "address"),
        (json!({ "login": "ann", "password": PASSWORD, "role": "God" }), 400, "Bad request"),
        (json!({ "login": "ann" }), 400, "Bad request"),
    ] {
        let (got, answer) = create(&rig, &admin, body.clone()).await;
        assert_eq!(got, status, "{body}: {answer}");
        assert!(answer["message"].as_str().unwrap().contains(words), "{body}: {answer}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn there_is_always_an_administrator_who_can_log_in() {
    let rig = Rig::start(&[]).await;
    let admin = rig.admin().await;
    let own = rig.get("/api/user", &admin).await.1["id"].clone();
    let path = format!("/api/admin/users/{own}");
    let refused = async |method: Method, suffix: &str, body: Value| {
        let (status, answer) = rig.send(method, &format!("{path}{suffix}"), &admin, &body).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer["message"].as_str().unwrap().contains("last administrator"), "{answer}");
    };
    refused(Method::DELETE, "", json!({})).await;
    refused(Method::PUT, "", json!({ "role": "Viewer" })).await;
    refused(Method::PUT, "", json!({ "isDisabled": true })).await;
    refused(Method::POST, "/disable", json!({})).await;
    // two administrators at once try to remove each other: one stays
    let other = rig.user("bea", "Admin").await;
    let bea = rig.get("/api/user", &other).await.1["id"].clone();
    let bea_path = format!("/api/admin/users/{bea}");
    let nothing = json!({});
    let (a, b) = tokio::join!(
        rig.send(Method::DELETE, &bea_path, &admin, &nothing),
        rig.send(Method::DELETE, &path, &other, &nothing)
    );
    assert!(a.0 == 200 || b.0 == 200, "{a:?} {b:?}");
    let left = [rig.get("/api/users", &admin).await, rig.get("/api/users", &other).await];
    let able: Vec<_> = left.iter().filter(|(status, _)| *status == 200).collect();
    assert_eq!(able.len(), 1, "{left:?}");
    rig.stop().await;
}

#[tokio::test]
async fn preferences_are_ones_own() {
    let rig = Rig::start(&[]).await;
    let (ann, bob) = (rig.user("ann", "Viewer").await, rig.user("bob", "Viewer").await);
    let path = "/api/user/preferences";
    assert_eq!(
        rig.send(Method::PUT, path, &ann, &json!({ "theme": "dark", "timezone": "utc" })).await.0,
        200
    );
    assert_eq!(rig.send(Method::PATCH, path, &ann, &json!({ "timezone": "Europe/Berlin" })).await.0, 200);
    assert_eq!(rig.get(path, &ann).await.1, json!({ "theme": "dark", "timezone": "Europe/Berlin" }));
    assert_eq!(rig.get(path, &bob).await.1, json!({ "theme": "", "timezone": "" }));
    assert_eq!(rig.send(Method::PUT, path, &ann, &json!({ "theme": "pink" })).await.0, 400);
    assert_eq!(
        rig.send(Method::PUT, "/api/user", &ann, &json!({ "name": "Ann", "role": "Admin" })).await.0,
        200
    );
    let user = rig.get("/api/user", &ann).await.1;
    assert_eq!(
        (&user["name"], &user["role"]),
        (&json!("Ann"), &json!("Viewer")),
        "nobody promotes themselves"
    );
    rig.stop().await;
}
