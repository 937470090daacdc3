//! The built binary: what it says when it must not start, and what it never says.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_dashboard-gateway");
const PASSWORD_VARIABLE: &str = "YC_DASHBOARD_GATEWAY_ADMIN_PASSWORD";
/// Ports that the system chooses.
const FLAGS: [&str; 6] = ["--listen", "127.0.0.1", "--set", "port=0", "--set", "admin_port=0"];

fn gateway(dir: &std::path::Path, flags: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(FLAGS).arg("--data-dir").arg(dir).args(flags);
    for variable in [PASSWORD_VARIABLE, "GF_SECURITY_ADMIN_PASSWORD"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running gateway, killed when dropped; its log is read on.
struct Gateway {
    child: Child,
    url: String,
    admin_url: String,
    log: std::thread::JoinHandle<String>,
}

impl Gateway {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let (mut log, mut urls) = (String::new(), Vec::new());
        while urls.len() < 2 {
            let mut line = String::new();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it ended: {log}");
            urls.extend(line.split("url=").nth(1).map(|url| url.trim().trim_matches('"').to_owned()));
            log.push_str(&line);
        }
        let log = std::thread::spawn(move || {
            lines.read_to_string(&mut log).unwrap();
            log
        });
        Self { child, url: urls.remove(0), admin_url: urls.remove(0), log }
    }

    /// SIGTERM; the log, once it has ended with success.
    fn end(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        self.log.join().unwrap()
    }
}

fn refusal(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn production_does_not_start_with_the_password_that_everybody_knows() {
    let production = ["--set", "mode=production"];
    let fresh = tempfile::tempdir().unwrap();
    let said = refusal(gateway(fresh.path(), &production));
    assert!(
        said.contains("no password for the first administrator `admin`") && said.contains(PASSWORD_VARIABLE),
        "{said}"
    );
    let mut known = gateway(fresh.path(), &production);
    known.env(PASSWORD_VARIABLE, "admin");
    let said = refusal(known);
    assert!(said.contains("the password that everybody knows"), "{said}");

    // a data directory from development, with admin/admin in it
    let used = tempfile::tempdir().unwrap();
    Gateway::start(gateway(used.path(), &[])).end();
    let said = refusal(gateway(used.path(), &production));
    assert!(
        said.contains("still the one that everybody knows") && said.contains(PASSWORD_VARIABLE),
        "{said}"
    );
    let mut better = gateway(used.path(), &production);
    better.env(PASSWORD_VARIABLE, "something better");
    let gateway = Gateway::start(better);
    let login = async |password: &str| {
        let body = json!({ "user": "admin", "password": password });
        reqwest::Client::new()
            .post(format!("{}/login", gateway.url))
            .json(&body)
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!((login("admin").await.as_u16(), login("something better").await.as_u16()), (401, 200));
    gateway.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_ever_told() {
    let dir = tempfile::tempdir().unwrap();
    let admin_password = "canary-admin-password";
    let mut command = gateway(dir.path(), &["--log", "trace"]);
    command.env(PASSWORD_VARIABLE, admin_password);
    let gateway = Gateway::start(command);
    let http = reqwest::Client::new();
    let url = |path: &str| format!("{}{path}", gateway.url);
    let wrong = json!({ "user": "admin", "password": "canary-wrong-password" });
    assert_eq!(http.post(url("/login")).json(&wrong).send().await.unwrap().status(), 401);
    let right = json!({ "user": "admin", "password": admin_password });
    let login = http.post(url("/login")).json(&right).send().await.unwrap();
    let cookie = login.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let session = cookie.split('=').nth(1).unwrap().to_owned();
    let send = async |method: reqwest::Method, path: &str, body: Value| {
        let answer =
            http.request(method, url(path)).header("cookie", &cookie).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let post = reqwest::Method::POST;
    let user = json!({ "login": "ann", "password": "canary-user-password" });
    assert_eq!(send(post.clone(), "/api/admin/users", user).await.0, 200);
    let (_, account) =
        send(post.clone(), "/api/serviceaccounts", json!({ "name": "ci", "role": "Admin" })).await;
    let account: Value = serde_json::from_str(&account).unwrap();
    let path = format!("/api/serviceaccounts/{}/tokens", account["id"]);
    let (_, token) = send(post, &path, json!({ "name": "t" })).await;
    let token = serde_json::from_str::<Value>(&token).unwrap()["key"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let mut told = String::new();
    for path in [
        "/api/users",
        "/api/serviceaccounts",
        &path,
        "/api/none",
        "/",
        "/api/datasources/proxy/uid/metrics/api/v1/labels",
    ] {
        let answer = http.get(url(path)).header("authorization", &bearer).send().await.unwrap();
        told.push_str(&answer.text().await.unwrap());
    }
    for path in ["/metrics", "/config", "/buildinfo"] {
        told.push_str(
            &reqwest::get(format!("{}{path}", gateway.admin_url)).await.unwrap().text().await.unwrap(),
        );
    }
    let log = gateway.end();
    assert!(log.contains("audit") && log.contains("TRACE"), "the log is complete: {log}");
    for action in ["login", "user.create", "serviceaccount.create", "token.create"] {
        assert!(log.contains(&format!("action=\"{action}\"")), "{action}: {log}");
    }
    for secret in [admin_password, "canary-wrong-password", "canary-user-password", &session, &token] {
        assert!(!told.contains(secret), "{secret} is told");
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} is in the log: {}", line.unwrap_or_default());
    }
}
