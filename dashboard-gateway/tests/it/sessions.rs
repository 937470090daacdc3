//! How sessions and tokens begin and end.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::rig::{As, PASSWORD, Rig, cookie};

const HOUR: Duration = Duration::from_secs(3600);

async fn holds(rig: &Rig, who: &As) -> bool {
    rig.get("/api/user", who).await.0 == 200
}

#[tokio::test]
async fn a_session_ends_after_twelve_idle_hours_and_after_seven_days() {
    let rig = Rig::start(&[]).await;
    let (idle, busy) = (rig.admin().await, rig.admin().await);
    for hours in 1..=7 * 24 {
        rig.clock.advance(HOUR);
        assert_eq!(holds(&rig, &busy).await, hours < 7 * 24, "after {hours} h");
        if hours == 11 || hours == 22 {
            assert!(holds(&rig, &idle).await, "after {hours} h");
        }
    }
    assert!(!holds(&rig, &idle).await);
    rig.stop().await;
}

#[tokio::test]
async fn every_login_begins_a_new_session_and_ends_the_one_it_came_with() {
    let rig = Rig::start(&[]).await;
    let first = rig.admin().await;
    let body = json!({ "user": "admin", "password": "admin" });
    let again = rig.request(Method::POST, "/login", &first).json(&body).send().await.unwrap();
    let second = As::Cookie(cookie(again.headers()).unwrap());
    assert!(!holds(&rig, &first).await, "an id from before the login is worth nothing");
    assert!(holds(&rig, &second).await);
    // an id that the browser brought along is never taken over
    let As::Cookie(own) = &second else { unreachable!() };
    let name = own.split('=').next().unwrap();
    let planted = As::Cookie(format!("{name}=planted-by-somebody-else"));
    let login = rig.request(Method::POST, "/login", &planted).json(&body).send().await.unwrap();
    assert!(!cookie(login.headers()).unwrap().contains("planted"));
    assert!(!holds(&rig, &planted).await);
    rig.stop().await;
}

#[tokio::test]
async fn what_changes_a_users_rights_ends_their_sessions() {
    let rig = Rig::start(&[]).await;
    let admin = rig.admin().await;
    let first = rig.user("ann", "Viewer").await;
    let id = rig.get("/api/user", &first).await.1["id"].clone();
    let path = format!("/api/admin/users/{id}");
    let login = || rig.login("ann", PASSWORD);
    for (method, suffix, body, ends) in [
        (Method::PUT, "", json!({ "name": "Ann" }), false),
        (Method::PUT, "", json!({ "role": "Editor" }), true),
        (Method::PUT, "", json!({ "role": "Editor" }), false),
        (Method::POST, "/logout", json!({}), true),
        (Method::PUT, "/password", json!({ "password": PASSWORD }), true),
        (Method::POST, "/disable", json!({}), true),
    ] {
        let who = login().await;
        assert!(holds(&rig, &who).await);
        let (status, answer) = rig.send(method, &format!("{path}{suffix}"), &admin, &body).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(holds(&rig, &who).await, !ends, "{suffix} {body}");
    }
    assert_eq!(rig.send(Method::POST, &format!("{path}/enable"), &admin, &json!({})).await.0, 200);
    let who = login().await;
    assert_eq!(rig.send(Method::DELETE, &path, &admin, &json!({})).await.0, 200);
    assert!(!holds(&rig, &who).await);
    rig.stop().await;
}

#[tokio::test]
async fn an_own_new_password_ends_all_other_sessions_and_keeps_this_browser_in() {
    let rig = Rig::start(&[]).await;
    let (here, elsewhere) = (rig.user("ann", "Viewer").await, rig.login("ann", PASSWORD).await);
    let change = async |old: &str, new: &str| {
        let body = json!({ "oldPassword": old, "newPassword": new });
        rig.request(Method::PUT, "/api/user/password", &here).json(&body).send().await.unwrap()
    };
    assert_eq!(change("wrong", "another password").await.status(), 400);
    assert_eq!(change(PASSWORD, "short").await.status(), 400);
    assert!(holds(&rig, &elsewhere).await);
    let changed = change(PASSWORD, "another password").await;
    assert_eq!(changed.status(), 200);
    let now = As::Cookie(cookie(changed.headers()).unwrap());
    assert!(holds(&rig, &now).await && !holds(&rig, &here).await && !holds(&rig, &elsewhere).await);
    assert_eq!(rig.try_login("ann", PASSWORD).await.status(), 401);
    rig.login("ann", "another password").await;
    rig.stop().await;
}

#[tokio::test]
async fn sessions_and_accounts_outlive_the_process_and_secrets_are_not_kept() {
    let rig = Rig::start(&[]).await;
    let (ann, script) = (rig.user("ann", "Viewer").await, rig.token("ci", "Editor", 0).await);
    let documents = rig.documents.clone();
    let kept = rig.documents_of(&["users", "sessions", "tokens", "service-accounts"]).await;
    let (As::Cookie(cookie), As::Bearer(token)) = (&ann, &script) else { unreachable!() };
    let id = cookie.split('=').nth(1).unwrap().to_owned();
    for secret in [id.as_str(), token, PASSWORD] {
        assert!(!kept.contains(secret), "{secret} is kept as it is");
    }
    let port = rig.host().split(':').next_back().unwrap().to_owned();
    rig.stop().await;
    let rig = Rig::start_on(documents, &[]).await.unwrap();
    assert_eq!(rig.get("/api/user", &script).await.1["role"], "Editor");
    let here = rig.host().split(':').next_back().unwrap();
    let ann = As::Cookie(cookie.replace(&format!("yc_session_{port}"), &format!("yc_session_{here}")));
    assert_eq!(rig.get("/api/user", &ann).await.1["login"], "ann");
    rig.stop().await;
}

#[tokio::test]
async fn tokens_end_when_they_expire_are_deleted_or_their_account_is() {
    let rig = Rig::start(&[]).await;
    let admin = rig.admin().await;
    let (short, long) = (rig.token("short", "Viewer", 60).await, rig.token("long", "Viewer", 0).await);
    assert!(holds(&rig, &short).await && holds(&rig, &long).await);
    rig.clock.advance(Duration::from_secs(60));
    assert!(!holds(&rig, &short).await && holds(&rig, &long).await);
    let accounts = rig.get("/api/serviceaccounts/search", &admin).await.1;
    assert_eq!(accounts["totalCount"], 2);
    let id = |name: &str| {
        let rows = accounts["serviceAccounts"].as_array().unwrap();
        rows.iter().find(|a| a["name"] == name).unwrap()["id"].clone()
    };
    let tokens = rig.get(&format!("/api/serviceaccounts/{}/tokens", id("short")), &admin).await.1;
    assert_eq!((&tokens[0]["hasExpired"], &tokens[0]["name"]), (&json!(true), &json!("t")));
    assert!(tokens[0]["lastUsedAt"].is_string(), "{tokens}");
    assert!(tokens[0].get("key").is_none() && tokens[0].get("hash").is_none());
    let path = format!("/api/serviceaccounts/{}", id("long"));
    let disabled = rig.send(Method::PATCH, &path, &admin, &json!({ "isDisabled": true })).await;
    assert_eq!(disabled.0, 200);
    assert!(!holds(&rig, &long).await);
    rig.send(Method::PATCH, &path, &admin, &json!({ "isDisabled": false })).await;
    assert!(holds(&rig, &long).await);
    assert_eq!(rig.send(Method::DELETE, &path, &admin, &json!({})).await.0, 200);
    assert!(!holds(&rig, &long).await);
    rig.stop().await;
}
