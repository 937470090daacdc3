//! Sessions: who is behind a cookie, until when.
//!
//! Knows: opaque ids, kept as hashes; idle and absolute ends; the epoch of a user. Must not know: cookies, HTTP. Start
//! at [`Sessions`].

use std::collections::BTreeMap;
use std::sync::Arc;

use runtime_files::Clock;
use runtime_objects::Documents;
use runtime_service::Secret;
use serde::{Deserialize, Serialize};

use crate::config::Auth;
use crate::digest::{digest, fresh};
use crate::state::{Collection, StateError};
use crate::users::{User, Users};

/// Requests move a session's end at most this often: not every request is a write.
const TOUCH_SECONDS: u64 = 60;
/// The oldest sessions of a user beyond this many end.
const SESSIONS_OF_USER_MAX: usize = 100;
/// What a browser says about itself is kept up to here, for the list of sessions.
const AGENT_CHARS_MAX: usize = 200;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    login: String,
    user: u64,
    epoch: u64,
    /// Unix seconds.
    created: u64,
    /// Unix seconds.
    seen: u64,
    agent: String,
}

/// All sessions.
pub(crate) struct Sessions {
    sessions: Collection<Session>,
    auth: Auth,
    clock: Arc<dyn Clock>,
}

impl Sessions {
    /// Sessions kept in `documents`.
    pub(crate) fn new(documents: &Arc<dyn Documents>, auth: Auth, clock: Arc<dyn Clock>) -> Self {
        Self { sessions: Collection::new(Arc::clone(documents), "sessions"), auth, clock }
    }

    fn now(&self) -> u64 {
        self.clock.now() / 1_000_000_000
    }

    /// Begins a session of `user`; the secret is for their browser alone.
    pub(crate) async fn begin(&self, user: &User, agent: &str) -> Result<Secret, StateError> {
        let now = self.now();
        let session = Session {
            login: user.login.clone(),
            user: user.id,
            epoch: user.epoch,
            created: now,
            seen: now,
            agent: agent.chars().filter(|c| !c.is_control()).take(AGENT_CHARS_MAX).collect(),
        };
        let secret = fresh()?;
        if !self.sessions.create(&digest(secret.reveal()), &session).await? {
            return Err(StateError::Making("a fresh session id exists already".to_owned()));
        }
        Ok(secret)
    }

    /// Whose session `secret` opens, as they are now, if it holds; moves its end.
    pub(crate) async fn find(&self, secret: &str, users: &Users) -> Result<Option<User>, StateError> {
        let key = digest(secret);
        let Some(session) = self.sessions.get(&key).await? else { return Ok(None) };
        let user = users.find(&session.login).await?;
        let Some(user) = user.filter(|user| self.holds(&session, user)) else {
            self.sessions.remove(&key).await?;
            return Ok(None);
        };
        let now = self.now();
        if now.saturating_sub(session.seen) >= TOUCH_SECONDS {
            let touched = self.sessions.update(&key, |session| {
                session.seen = session.seen.max(now);
                Ok::<_, std::convert::Infallible>(())
            });
            if let Ok(None) = touched.await? {
                // it ended while we looked
                return Ok(None);
            }
        }
        Ok(Some(user))
    }

    fn holds(&self, session: &Session, user: &User) -> bool {
        let now = self.now();
        session.user == user.id
            && session.epoch == user.epoch
            && !user.disabled
            && now.saturating_sub(session.seen) < self.auth.session_idle.as_secs()
            && now.saturating_sub(session.created) < self.auth.session_age_max.as_secs()
    }

    /// Ends the session that `secret` opens.
    pub(crate) async fn end(&self, secret: &str) -> Result<bool, StateError> {
        self.sessions.remove(&digest(secret)).await
    }

    /// Removes what has ended and what is too much; how many that were.
    pub(crate) async fn sweep(&self, users: &Users) -> Result<usize, StateError> {
        // sessions first: the user of each was there before it
        let sessions = self.sessions.all().await?;
        let users: BTreeMap<_, _> = users.all().await?.into_iter().map(|u| (u.login.clone(), u)).collect();
        let mut kept: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
        let mut over = Vec::new();
        for (key, session) in sessions {
            match users.get(&session.login).filter(|user| self.holds(&session, user)) {
                Some(_) => kept.entry(session.login).or_default().push((session.seen, key)),
                None => over.push(key),
            }
        }
        for sessions in kept.values_mut() {
            sessions.sort_unstable();
            let excess = sessions.len().saturating_sub(SESSIONS_OF_USER_MAX);
            over.extend(sessions.drain(..excess).map(|(_, key)| key));
        }
        for key in &over {
            self.sessions.remove(key).await?;
        }
        Ok(over.len())
    }
}
