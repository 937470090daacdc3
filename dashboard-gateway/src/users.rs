//! Users: who they are, what they may do, and how their passwords are kept.
//!
//! Knows: accounts by login name, roles, the rules for names and passwords. Must not know: HTTP, sessions. Start at
//! [`Users`].
//!
//! A user's `epoch` moves whenever what they may do, or how they prove it, changes: sessions carry the epoch in which
//! they began, so all of them end with one write.

mod password;
mod rules;

use std::sync::Arc;

use runtime_files::Clock;
use runtime_objects::Documents;
use runtime_service::Secret;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::access::Role;
use crate::state::{Collection, StateError, next_number};

pub(crate) use password::{Hasher, PasswordHash};
pub(crate) use rules::{check_email, check_login, check_name, check_password};

/// The password that everybody knows.
pub(crate) const DEFAULT_PASSWORD: &str = "admin";
/// More users than this are not what this stack is for.
const USERS_MAX: usize = 10_000;

/// One person.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    /// Never given twice.
    pub(crate) id: u64,
    /// Lower case; does not change.
    pub(crate) login: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) disabled: bool,
    password: PasswordHash,
    /// The password is the one that everybody knows.
    pub(crate) default_password: bool,
    /// Sessions of other epochs are over.
    pub(crate) epoch: u64,
    /// Unix seconds.
    pub(crate) created: u64,
    /// Unix seconds.
    pub(crate) updated: u64,
    /// Last login, in Unix seconds; 0 before the first.
    pub(crate) seen: u64,
    /// `light`, `dark`, `system`, or empty.
    pub(crate) theme: String,
    /// `browser`, `utc`, an IANA name, or empty.
    pub(crate) timezone: String,
}

/// What a new user is made of.
#[derive(Debug, Clone)]
pub(crate) struct NewUser {
    pub(crate) login: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) disabled: bool,
    pub(crate) password: Secret,
}

/// What an administrator changes; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) role: Option<Role>,
    pub(crate) disabled: Option<bool>,
    pub(crate) password: Option<Secret>,
}

/// Why a change of users is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("{0}")]
    Invalid(String),
    #[error("User with login '{0}' already exists")]
    Exists(String),
    #[error("User not found")]
    NotFound,
    #[error("The last administrator cannot be deleted, disabled or given another role")]
    LastAdmin,
    #[error("There are {USERS_MAX} users already")]
    TooMany,
}

/// All users.
pub(crate) struct Users {
    users: Collection<User>,
    counters: Collection<u64>,
    hasher: Hasher,
    clock: Arc<dyn Clock>,
    /// Changes that look at several users go one after the other: two administrators cannot remove each other at once.
    administration: Mutex<()>,
}

impl Users {
    /// Users kept in `documents`.
    pub(crate) fn new(documents: &Arc<dyn Documents>, hasher: Hasher, clock: Arc<dyn Clock>) -> Self {
        Self {
            users: Collection::new(Arc::clone(documents), "users"),
            counters: Collection::new(Arc::clone(documents), "counters"),
            hasher,
            clock,
            administration: Mutex::new(()),
        }
    }

    fn now(&self) -> u64 {
        self.clock.now() / 1_000_000_000
    }

    /// The user who logs in as `login`.
    pub(crate) async fn find(&self, login: &str) -> Result<Option<User>, StateError> {
        self.users.get(&login.to_lowercase()).await
    }

    /// The user with `id`.
    pub(crate) async fn by_id(&self, id: u64) -> Result<Option<User>, StateError> {
        Ok(self.all().await?.into_iter().find(|u| u.id == id))
    }

    /// Everybody, by login.
    pub(crate) async fn all(&self) -> Result<Vec<User>, StateError> {
        Ok(self.users.all().await?.into_iter().map(|(_, user)| user).collect())
    }

    /// The user, when `password` is theirs and they are not disabled. Takes the same work for anybody, also for nobody.
    pub(crate) async fn verify(
        &self,
        login: &str,
        password: &Secret,
    ) -> Result<Result<Option<User>, runtime_service::Status>, StateError> {
        let found = self.find(login).await?;
        let hash = found.as_ref().map(|user| user.password.clone());
        let right = match self.hasher.verify(hash, password.clone()).await {
            Ok(right) => right,
            Err(busy) => return Ok(Err(busy)),
        };
        Ok(Ok(found.filter(|user| right && !user.disabled)))
    }

    /// Notes a login.
    pub(crate) async fn saw(&self, login: &str) -> Result<(), StateError> {
        let now = self.now();
        let noted = self.users.update(login, |user| {
            user.seen = now;
            Ok::<_, Refused>(())
        });
        noted.await.map(|_gone_or_noted| ())
    }

    /// Adds a user.
    pub(crate) async fn create(&self, new: NewUser) -> Result<Result<User, Refused>, StateError> {
        let login = new.login.trim().to_lowercase();
        let default_password = new.password.reveal() == DEFAULT_PASSWORD;
        let checked = check_login(&login)
            .and_then(|()| check_name(&new.name))
            .and_then(|()| check_email(&new.email))
            .and_then(
                |()| if default_password { Ok(()) } else { check_password(new.password.reveal(), &login) },
            );
        if let Err(wrong) = checked {
            return Ok(Err(Refused::Invalid(wrong)));
        }
        let _one_at_a_time = self.administration.lock().await;
        if self.users.all().await?.len() >= USERS_MAX {
            return Ok(Err(Refused::TooMany));
        }
        if self.users.get(&login).await?.is_some() {
            return Ok(Err(Refused::Exists(login)));
        }
        let password = match self.hasher.hash(new.password).await {
            Ok(hash) => hash?,
            Err(busy) => return Err(StateError::Making(busy.message)),
        };
        let now = self.now();
        let user = User {
            id: next_number(&self.counters, "users").await?,
            login: login.clone(),
            name: new.name,
            email: new.email,
            role: new.role,
            disabled: new.disabled,
            password,
            default_password,
            epoch: 1,
            created: now,
            updated: now,
            seen: 0,
            theme: String::new(),
            timezone: String::new(),
        };
        let created = self.users.create(&login, &user).await?;
        Ok(if created { Ok(user) } else { Err(Refused::Exists(login)) })
    }

    /// Changes a user as an administrator may; their sessions end unless only name or e-mail changed.
    pub(crate) async fn change(
        &self,
        login: &str,
        change: &Change,
    ) -> Result<Result<User, Refused>, StateError> {
        let checked = change
            .name
            .as_deref()
            .map_or(Ok(()), check_name)
            .and_then(|()| change.email.as_deref().map_or(Ok(()), check_email))
            .and_then(|()| change.password.as_ref().map_or(Ok(()), |p| check_password(p.reveal(), login)));
        if let Err(wrong) = checked {
            return Ok(Err(Refused::Invalid(wrong)));
        }
        let password = match &change.password {
            None => None,
            Some(password) => match self.hasher.hash(password.clone()).await {
                Ok(hash) => Some(hash?),
                Err(busy) => return Err(StateError::Making(busy.message)),
            },
        };
        let _one_at_a_time = self.administration.lock().await;
        let demotes = change.role.is_some_and(|role| role != Role::Admin) || change.disabled == Some(true);
        if demotes && self.is_last_admin(login).await? {
            return Ok(Err(Refused::LastAdmin));
        }
        let now = self.now();
        let changed = self.users.update(login, |user| {
            apply(user, change, password.clone(), now);
            Ok::<_, Refused>(())
        });
        Ok(changed.await?.and_then(|user| user.ok_or(Refused::NotFound)))
    }

    /// Ends all sessions of a user.
    pub(crate) async fn end_sessions(&self, login: &str) -> Result<Result<User, Refused>, StateError> {
        let changed = self.users.update(login, |user| {
            user.epoch += 1;
            Ok::<_, Refused>(())
        });
        Ok(changed.await?.and_then(|user| user.ok_or(Refused::NotFound)))
    }

    /// Sets how the screen looks to a user.
    pub(crate) async fn prefer(
        &self,
        login: &str,
        theme: Option<String>,
        timezone: Option<String>,
    ) -> Result<Result<User, Refused>, StateError> {
        let checked = theme
            .as_deref()
            .map_or(Ok(()), rules::check_theme)
            .and_then(|()| timezone.as_deref().map_or(Ok(()), rules::check_timezone));
        if let Err(wrong) = checked {
            return Ok(Err(Refused::Invalid(wrong)));
        }
        let changed = self.users.update(login, |user| {
            user.theme = theme.clone().unwrap_or_else(|| user.theme.clone());
            user.timezone = timezone.clone().unwrap_or_else(|| user.timezone.clone());
            Ok::<_, Refused>(())
        });
        Ok(changed.await?.and_then(|user| user.ok_or(Refused::NotFound)))
    }

    /// Removes a user.
    pub(crate) async fn delete(&self, login: &str) -> Result<Result<(), Refused>, StateError> {
        let _one_at_a_time = self.administration.lock().await;
        if self.is_last_admin(login).await? {
            return Ok(Err(Refused::LastAdmin));
        }
        let removed = self.users.remove(login).await?;
        Ok(if removed { Ok(()) } else { Err(Refused::NotFound) })
    }

    async fn is_last_admin(&self, login: &str) -> Result<bool, StateError> {
        let all = self.all().await?;
        let is_admin = |user: &&User| user.role == Role::Admin && !user.disabled;
        let mut admins = all.iter().filter(is_admin);
        Ok(admins.next().is_some_and(|u| u.login == login) && admins.next().is_none())
    }
}

fn apply(user: &mut User, change: &Change, password: Option<PasswordHash>, now: u64) {
    let Change { name, email, role, disabled, password: plain } = change;
    let secures = password.is_some()
        || role.is_some_and(|role| role != user.role)
        || disabled.is_some_and(|disabled| disabled != user.disabled);
    if let Some(name) = name {
        user.name.clone_from(name);
    }
    if let Some(email) = email {
        user.email.clone_from(email);
    }
    user.role = role.unwrap_or(user.role);
    user.disabled = disabled.unwrap_or(user.disabled);
    if let Some(password) = password {
        user.password = password;
        user.default_password = plain.as_ref().is_some_and(|p| p.reveal() == DEFAULT_PASSWORD);
    }
    user.epoch += u64::from(secures);
    user.updated = now;
}
