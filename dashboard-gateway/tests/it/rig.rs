//! A gateway with users of every role, a clock that the test moves, and an upstream that repeats what it was asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dashboard_gateway::{Config, build_on};
use reqwest::header::{HeaderMap, SET_COOKIE};
use reqwest::{Client, Method, Response};
use runtime_files::Clock;
use runtime_objects::{Documents, MemoryDocuments};
use runtime_service::config::Sources;
use runtime_service::{Context, Running, Shutdown, Tasks};
use serde_json::{Value, json};

/// Of every user that the rig makes.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Time as the test says: wall and monotonic move together.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicU64);

impl Default for TestClock {
    fn default() -> Self {
        Self(AtomicU64::new(1_800_000_000_000_000_000))
    }
}

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_nanos()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.now())
    }
}

/// Who sends a request.
#[derive(Debug, Clone, Default)]
pub(crate) enum As {
    #[default]
    Nobody,
    Cookie(String),
    Bearer(String),
}

pub(crate) struct Rig {
    pub(crate) url: String,
    pub(crate) admin_url: String,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) documents: MemoryDocuments,
    pub(crate) http: Client,
    running: Option<Running>,
}

pub(crate) fn config(sets: &[&str]) -> Config {
    let sets = sets.iter().map(|s| (*s).to_owned()).collect();
    let sources = Sources { service: "dashboard-gateway", files: Vec::new(), sets, env: Vec::new() };
    Config::load(&sources).unwrap()
}

impl Rig {
    pub(crate) async fn start(sets: &[&str]) -> Self {
        Self::start_on(MemoryDocuments::default(), sets).await.unwrap()
    }

    pub(crate) async fn start_on(documents: MemoryDocuments, sets: &[&str]) -> anyhow::Result<Self> {
        let clock = Arc::new(TestClock::default());
        let ctx = Context::ephemeral("unused");
        let shared: Arc<dyn Documents> = Arc::new(documents.clone());
        let running =
            build_on(config(sets), ctx, shared, Arc::clone(&clock) as Arc<dyn Clock>).await?.start();
        let address = |what: &str| running.url(what).map(str::to_owned).unwrap_or_default();
        let (url, admin_url) = (address("web app"), address("dashboard-gateway admin"));
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        Ok(Self { url, admin_url, clock, documents, http, running: Some(running) })
    }

    pub(crate) fn host(&self) -> &str {
        self.url.trim_start_matches("http://").split('/').next().unwrap()
    }

    /// A request as a page of ours sends it.
    pub(crate) fn request(&self, method: Method, path: &str, who: &As) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match who {
            As::Nobody => request,
            As::Cookie(cookie) => request.header("cookie", cookie),
            As::Bearer(token) => request.header("authorization", format!("Bearer {token}")),
        }
    }

    pub(crate) async fn get(&self, path: &str, who: &As) -> (u16, Value) {
        answer(self.request(Method::GET, path, who).send().await.unwrap()).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, who: &As, body: &Value) -> (u16, Value) {
        answer(self.request(method, path, who).json(body).send().await.unwrap()).await
    }

    pub(crate) async fn try_login(&self, user: &str, password: &str) -> Response {
        let body = json!({ "user": user, "password": password });
        self.request(Method::POST, "/login", &As::Nobody).json(&body).send().await.unwrap()
    }

    pub(crate) async fn login(&self, user: &str, password: &str) -> As {
        let response = self.try_login(user, password).await;
        assert_eq!(response.status(), 200, "{user}");
        As::Cookie(cookie(response.headers()).expect("a session cookie"))
    }

    pub(crate) async fn admin(&self) -> As {
        self.login("admin", "admin").await
    }

    /// Makes a user, and logs in as them.
    pub(crate) async fn user(&self, login: &str, role: &str) -> As {
        let body = json!({ "login": login, "name": login, "email": "", "role": role, "password": PASSWORD });
        let (status, answer) = self.send(Method::POST, "/api/admin/users", &self.admin().await, &body).await;
        assert_eq!(status, 200, "{answer}");
        self.login(login, PASSWORD).await
    }

    /// Makes a service account with a token.
    pub(crate) async fn token(&self, name: &str, role: &str, seconds: u64) -> As {
        let admin = self.admin().await;
        let body = json!({ "name": name, "role": role });
        let (status, account) = self.send(Method::POST, "/api/serviceaccounts", &admin, &body).await;
        assert_eq!(status, 201, "{account}");
        let path = format!("/api/serviceaccounts/{}/tokens", account["id"]);
        let body = json!({ "name": "t", "secondsToLive": seconds });
        let (status, token) = self.send(Method::POST, &path, &admin, &body).await;
        assert_eq!(status, 200, "{token}");
        As::Bearer(token["key"].as_str().unwrap().to_owned())
    }

    /// Everything that is kept in these collections, as text.
    pub(crate) async fn documents_of(&self, collections: &[&str]) -> String {
        let mut out = String::new();
        for collection in collections {
            for (key, document) in self.documents.list(collection, "", 10_000).await.unwrap() {
                let body = String::from_utf8_lossy(&document.body).into_owned();
                out.push_str(&format!("{collection}/{key} {} {body}\n", document.version));
            }
        }
        out
    }

    pub(crate) async fn stop(mut self) {
        let drained = self.running.take().unwrap().drain().await;
        assert_eq!(drained.failures, Vec::<String>::new());
    }
}

/// Status and JSON of an answer; null when it is none.
pub(crate) async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// `name=value` of the cookie that an answer sets.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<String> {
    let set = headers.get(SET_COOKIE)?.to_str().ok()?;
    Some(set.split(';').next()?.to_owned())
}

/// An upstream that answers with what it was asked; `/api/traces/<media type with _>` answers with that media type.
pub(crate) async fn upstream() -> SocketAddr {
    use axum::extract::Request;
    use axum::response::IntoResponse as _;
    let repeat = |request: Request| async move {
        let (parts, body) = request.into_parts();
        let path = parts.uri.to_string();
        let headers: Vec<_> =
            parts.headers.iter().map(|(k, v)| format!("{k}: {}", v.to_str().unwrap())).collect();
        let Ok(body) = axum::body::to_bytes(body, 1 << 20).await else {
            return axum::http::StatusCode::BAD_REQUEST.into_response();
        };
        let media_type = parts.uri.path().strip_prefix("/api/traces/").map(|m| m.replace('_', "/"));
        let media_type =
            media_type.filter(|m| m.contains('/')).unwrap_or_else(|| "application/json".to_owned());
        let told = json!({
            "method": parts.method.as_str(), "path": path, "headers": headers, "body": String::from_utf8_lossy(&body)
        });
        let headers = [
            ("content-type", media_type.as_str()),
            ("set-cookie", "stolen=1"),
            ("x-yc-partial", "traces/1=x"),
        ];
        (headers, told.to_string()).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    Tasks::new(Shutdown::default()).spawn("upstream", async move {
        axum::serve(listener, axum::Router::new().fallback(repeat)).await.unwrap();
    });
    addr
}
