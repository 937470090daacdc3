//! Building and wiring: the only place that binds, opens and spawns.
//!
//! Knows: which rooms there are, what must be true before the first request. Must not know: what a request means.
//! Start at [`build`].

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::future::BoxFuture;
use runtime_files::{Clock, SystemClock};
use runtime_objects::{Documents, SqliteDocuments};
use runtime_service::config::Sources;
use runtime_service::serve::{Limits, Server};
use runtime_service::{
    Address, Admin, Context, Listen, Listeners, Running, Secret, Tasks, bind, run_main_from,
};

use crate::access::{Cookies, Role};
use crate::accounts::Accounts;
use crate::api;
use crate::config::{Config, Mode, SERVICE};
use crate::front;
use crate::limiter::Limiter;
use crate::metrics::Metrics;
use crate::proxy::Proxy;
use crate::room::Room;
use crate::sessions::Sessions;
use crate::users::{Change, DEFAULT_PASSWORD, Hasher, NewUser, Users};

/// Where query-api of the same stack listens, before the port offset.
const TRACES_PORT: u16 = 16686;
const METRICS_PORT: u16 = 9090;
/// How long answers under way may take to finish when the process stops.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);
/// How often ended sessions are removed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(600);
const STATE_FILE: &str = "state.db";

/// The dashboard-gateway program, with arguments from wherever it is started.
pub fn main_from(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_main_from(
        SERVICE,
        arguments,
        |args| Ok(Config::load(&Config::with_flags(Sources::from_args(SERVICE, args), args))?),
        |config, ctx| Box::pin(async move { Ok(build(config, ctx).await?.start()) }),
    )
}

/// A built service: ports are bound, state is open, there is an administrator; nothing is served yet.
pub struct App {
    web: (Listeners, axum::Router),
    admin: (Listeners, axum::Router),
    room: Arc<Room>,
    tasks: Tasks,
    /// What to do with it: printed at the start.
    open: String,
}

/// Binds the ports, opens the state in `data/dashboard-gateway`, wires the rooms.
///
/// # Errors
/// A taken port; state that another process holds or that is damaged; in production, an administrator with the
/// password that everybody knows.
pub fn build(config: Config, ctx: Context) -> BoxFuture<'static, anyhow::Result<App>> {
    Box::pin(async move {
        let dir = ctx.data_dir.join(SERVICE);
        tokio::fs::create_dir_all(&dir).await.with_context(|| format!("cannot make {}", dir.display()))?;
        let documents = SqliteDocuments::open(&dir.join(STATE_FILE)).await;
        let documents = documents.context("dashboard-gateway cannot open its state")?;
        build_on(config, ctx, Arc::new(documents), Arc::new(SystemClock::new())).await
    })
}

/// Like [`build`], on other documents and another clock: for tests of expiry and of failing state.
///
/// # Errors
/// As [`build`].
pub fn build_on(
    config: Config,
    ctx: Context,
    documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
) -> BoxFuture<'static, anyhow::Result<App>> {
    Box::pin(async move {
        let web = bind::listen(&ctx, "web app", config.port).await?;
        let admin_port = bind::listen(&ctx, "dashboard-gateway admin", config.admin_port).await?;
        let users = Users::new(&documents, Hasher::new(config.auth.password_workers)?, Arc::clone(&clock));
        let default_password = ensure_administrator(&users, &config).await?;
        if default_password && !matches!(ctx.listen, Listen::Loopback | Listen::Ephemeral) {
            tracing::warn!(
                "whoever reaches this port can log in as admin/admin: change the password, or listen on loopback"
            );
        }
        let open = hint(web.port(), &config, default_password);
        let mut admin = Admin::new(SERVICE, config.shown.clone());
        let metrics = Arc::new(Metrics::register(&mut admin.registry));
        let traces = config.traces.clone().unwrap_or_else(|| ctx.local_endpoint(TRACES_PORT));
        let upstream_metrics = config.metrics.clone().unwrap_or_else(|| ctx.local_endpoint(METRICS_PORT));
        let room = Arc::new(Room {
            users,
            sessions: Sessions::new(&documents, config.auth, Arc::clone(&clock)),
            accounts: Accounts::new(&documents, Arc::clone(&clock)),
            limiter: Limiter::default(),
            proxy: Proxy::new(traces, upstream_metrics, config.proxy),
            cookies: Cookies::new(config.server.tls, &config.server.url_prefix, web.port()),
            server: config.server.clone(),
            mode: config.mode,
            anonymous_viewer: config.auth.anonymous_viewer,
            session_age_max: config.auth.session_age_max,
            administrator: config.admin.user.clone(),
            metrics,
            clock,
            classes: api::classes(),
        });
        let router = front::wrap(api::router(Arc::clone(&room)), config.server, config.mode);
        let tasks = Tasks::new(ctx.shutdown);
        Ok(App { web: (web, router), admin: (admin_port, admin.router()), room, tasks, open })
    })
}

/// Where to go first, and with which name.
fn hint(port: u16, config: &Config, default_password: bool) -> String {
    let (prefix, login) = (&config.server.url_prefix, &config.admin.user);
    let password = if default_password {
        format!(" / {DEFAULT_PASSWORD} (change it under Profile)")
    } else {
        String::new()
    };
    format!("open http://localhost:{port}{prefix} and log in as {login}{password}")
}

/// Makes the first administrator; in production refuses the password that everybody knows. Whether it is that one.
async fn ensure_administrator(users: &Users, config: &Config) -> anyhow::Result<bool> {
    let login = &config.admin.user;
    let production = config.mode == Mode::Production;
    match users.find(login).await? {
        None => {
            let password = config.admin.password.clone();
            let Some(password) = password.or_else(|| (!production).then(|| Secret::new(DEFAULT_PASSWORD)))
            else {
                bail!(refusal(&format!("there is no password for the first administrator `{login}`")));
            };
            let new = NewUser {
                login: login.clone(),
                name: "Administrator".to_owned(),
                email: String::new(),
                role: Role::Admin,
                disabled: false,
                password,
            };
            let made = users.create(new).await??;
            tracing::info!(target: "audit", action = "user.create", actor = SERVICE, subject = %login, "audit");
            Ok(made.default_password)
        }
        Some(user) if user.default_password && production => {
            let Some(password) = config.admin.password.clone() else {
                bail!(refusal(&format!("the password of `{login}` is still the one that everybody knows")));
            };
            let change = Change { password: Some(password), ..Change::default() };
            users.change(login, &change).await??;
            tracing::info!(target: "audit", action = "user.password", actor = SERVICE, subject = %login, "audit");
            Ok(false)
        }
        Some(user) => Ok(user.default_password),
    }
}

fn refusal(what: &str) -> String {
    format!(
        "dashboard-gateway does not start in production mode: {what}; set one with the environment variable \
         YC_DASHBOARD_GATEWAY_ADMIN_PASSWORD, or a file that holds it with YC_DASHBOARD_GATEWAY_ADMIN_PASSWORD_FILE or \
         `--set admin.password_file=FILE`"
    )
}

impl App {
    /// Starts serving.
    #[must_use]
    pub fn start(self) -> Running {
        let mut running = Running::new(SERVICE, self.tasks.clone());
        running.banner = Some(self.open);
        let prefix = self.room.server.url_prefix.trim_end_matches('/').to_owned();
        let serve = |name, (listeners, router): (Listeners, axum::Router)| {
            Server::start(&self.tasks, name, listeners, router, Limits::default())
        };
        let web = serve("web app", self.web);
        let admin = serve("dashboard-gateway admin", self.admin);
        running.addresses.push(Address { what: "web app", url: format!("http://{}{prefix}", web.addr()) });
        let url = format!("http://{}", admin.addr());
        running.addresses.push(Address { what: "dashboard-gateway admin", url });
        self.tasks.spawn_vital("sweep sessions", sweep(self.room));
        let (web, admin) = (web.stop(), admin.stop());
        running.step("finish answers", DRAIN_DEADLINE, async move {
            web.await;
            Ok(())
        });
        running.step("stop admin", Duration::from_secs(1), async move {
            admin.await;
            Ok(())
        });
        running
    }
}

async fn sweep(room: Arc<Room>) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        match room.sessions.sweep(&room.users).await {
            Ok(0) => {}
            Ok(ended) => tracing::debug!(ended, "ended sessions are removed"),
            Err(error) => tracing::warn!(%error, "ended sessions cannot be removed"),
        }
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("web", &self.web.0).field("admin", &self.admin.0).finish_non_exhaustive()
    }
}
