//! Service accounts and their tokens: what scripts log in with.
//!
//! Knows: accounts with a role, tokens kept as hashes, expiry. Must not know: HTTP, people. Start at [`Accounts`].

use std::sync::Arc;

use runtime_files::Clock;
use runtime_objects::Documents;
use runtime_service::Secret;
use serde::{Deserialize, Serialize};

use crate::access::Role;
use crate::digest::{digest, fresh_token, is_token, same};
use crate::state::{Collection, StateError, next_number};
use crate::users::check_name;

/// More accounts than this are not what this stack is for.
const ACCOUNTS_MAX: usize = 1_000;
/// Tokens of one account.
const TOKENS_MAX: usize = 100;
/// Uses move the time of the last one at most this often: not every request is a write.
const TOUCH_SECONDS: u64 = 60;

/// What scripts act as.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// `sa-<id>-<name>`, for the audit log.
    pub(crate) login: String,
    pub(crate) role: Role,
    pub(crate) disabled: bool,
    /// Unix seconds.
    pub(crate) created: u64,
}

/// A token, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Token {
    pub(crate) id: u64,
    pub(crate) account: u64,
    pub(crate) name: String,
    /// SHA-256 of the whole token, in hex.
    hash: String,
    /// Unix seconds.
    pub(crate) created: u64,
    /// Unix seconds; `None` never ends.
    pub(crate) expires: Option<u64>,
    /// Last use in Unix seconds, give or take a minute.
    pub(crate) used: Option<u64>,
}

/// Why a change is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("{0}")]
    Invalid(String),
    #[error("Service account already exists")]
    Exists,
    #[error("Service account not found")]
    NotFound,
    #[error("Too many of them exist already")]
    TooMany,
}

/// All accounts and tokens.
pub(crate) struct Accounts {
    accounts: Collection<Account>,
    tokens: Collection<Token>,
    counters: Collection<u64>,
    clock: Arc<dyn Clock>,
    administration: tokio::sync::Mutex<()>,
}

/// Ids as keys, in the order of numbers.
fn key(id: u64) -> String {
    format!("{id:020}")
}

impl Accounts {
    /// Accounts kept in `documents`.
    pub(crate) fn new(documents: &Arc<dyn Documents>, clock: Arc<dyn Clock>) -> Self {
        Self {
            accounts: Collection::new(Arc::clone(documents), "service-accounts"),
            tokens: Collection::new(Arc::clone(documents), "tokens"),
            counters: Collection::new(Arc::clone(documents), "counters"),
            clock,
            administration: tokio::sync::Mutex::new(()),
        }
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now() / 1_000_000_000
    }

    /// The account that `text` is a token of, if both hold.
    pub(crate) async fn verify(&self, text: &str) -> Result<Option<Account>, StateError> {
        if !is_token(text) {
            return Ok(None);
        }
        let hash = digest(text);
        let token = self.tokens.get(&hash).await?;
        let holds = |t: &Token| {
            same(t.hash.as_bytes(), hash.as_bytes()) && t.expires.is_none_or(|end| self.now() < end)
        };
        let Some(token) = token.filter(holds) else { return Ok(None) };
        let account = self.accounts.get(&key(token.account)).await?;
        let Some(account) = account.filter(|account| !account.disabled) else { return Ok(None) };
        let now = self.now();
        if token.used.is_none_or(|used| now.saturating_sub(used) >= TOUCH_SECONDS) {
            let touched = self.tokens.update(&hash, |token| {
                token.used = Some(now);
                Ok::<_, std::convert::Infallible>(())
            });
            if let Ok(None) = touched.await? {
                // it was removed while we looked
                return Ok(None);
            }
        }
        Ok(Some(account))
    }

    /// Every account, oldest first.
    pub(crate) async fn all(&self) -> Result<Vec<Account>, StateError> {
        Ok(self.accounts.all().await?.into_iter().map(|(_, account)| account).collect())
    }

    /// One account.
    pub(crate) async fn get(&self, id: u64) -> Result<Option<Account>, StateError> {
        self.accounts.get(&key(id)).await
    }

    /// Adds an account.
    pub(crate) async fn create(
        &self,
        name: &str,
        role: Role,
        disabled: bool,
    ) -> Result<Result<Account, Refused>, StateError> {
        if let Err(wrong) = named(name) {
            return Ok(Err(wrong));
        }
        let _one_at_a_time = self.administration.lock().await;
        let all = self.all().await?;
        if all.len() >= ACCOUNTS_MAX {
            return Ok(Err(Refused::TooMany));
        }
        if all.iter().any(|account| account.name == name) {
            return Ok(Err(Refused::Exists));
        }
        let id = next_number(&self.counters, "service-accounts").await?;
        let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let login = format!("sa-{id}-{}", plain.to_lowercase());
        let account = Account { id, name: name.to_owned(), login, role, disabled, created: self.now() };
        self.accounts.create(&key(id), &account).await?;
        Ok(Ok(account))
    }

    /// Changes an account; `None` stays as it is.
    pub(crate) async fn change(
        &self,
        id: u64,
        name: Option<String>,
        role: Option<Role>,
        disabled: Option<bool>,
    ) -> Result<Result<Account, Refused>, StateError> {
        if let Some(Err(wrong)) = name.as_deref().map(named) {
            return Ok(Err(wrong));
        }
        let key = key(id);
        let changed = self.accounts.update(&key, |account| {
            account.name = name.clone().unwrap_or_else(|| account.name.clone());
            account.role = role.unwrap_or(account.role);
            account.disabled = disabled.unwrap_or(account.disabled);
            Ok::<_, Refused>(())
        });
        Ok(changed.await?.and_then(|account| account.ok_or(Refused::NotFound)))
    }

    /// Removes an account: from here on its tokens open nothing.
    pub(crate) async fn delete(&self, id: u64) -> Result<Result<(), Refused>, StateError> {
        if !self.accounts.remove(&key(id)).await? {
            return Ok(Err(Refused::NotFound));
        }
        for token in self.tokens_of(id).await? {
            self.tokens.remove(&token.hash).await?;
        }
        Ok(Ok(()))
    }

    /// The tokens of an account, oldest first.
    pub(crate) async fn tokens_of(&self, id: u64) -> Result<Vec<Token>, StateError> {
        let all = self.tokens.all().await?;
        let mut own: Vec<_> = all.into_iter().map(|(_, token)| token).filter(|t| t.account == id).collect();
        own.sort_unstable_by_key(|token| token.id);
        Ok(own)
    }

    /// Adds a token; the secret is shown this once.
    pub(crate) async fn create_token(
        &self,
        id: u64,
        name: &str,
        seconds_to_live: u64,
    ) -> Result<Result<(Token, Secret), Refused>, StateError> {
        if let Err(wrong) = named(name) {
            return Ok(Err(wrong));
        }
        let _one_at_a_time = self.administration.lock().await;
        if self.get(id).await?.is_none() {
            return Ok(Err(Refused::NotFound));
        }
        let tokens = self.tokens_of(id).await?;
        if tokens.len() >= TOKENS_MAX {
            return Ok(Err(Refused::TooMany));
        }
        if tokens.iter().any(|token| token.name == name) {
            return Ok(Err(Refused::Invalid(format!("A token named '{name}' exists already"))));
        }
        let secret = fresh_token()?;
        let now = self.now();
        let token = Token {
            id: next_number(&self.counters, "tokens").await?,
            account: id,
            name: name.to_owned(),
            hash: digest(secret.reveal()),
            created: now,
            expires: (seconds_to_live > 0).then(|| now.saturating_add(seconds_to_live)),
            used: None,
        };
        self.tokens.create(&token.hash, &token).await?;
        Ok(Ok((token, secret)))
    }

    /// Removes a token; its name, if there was one.
    pub(crate) async fn delete_token(&self, account: u64, id: u64) -> Result<Option<String>, StateError> {
        let Some(token) = self.tokens_of(account).await?.into_iter().find(|t| t.id == id) else {
            return Ok(None);
        };
        self.tokens.remove(&token.hash).await?;
        Ok(Some(token.name))
    }
}

fn named(name: &str) -> Result<(), Refused> {
    match name.trim().is_empty() {
        true => Err(Refused::Invalid("Name must not be empty".to_owned())),
        false => check_name(name).map_err(Refused::Invalid),
    }
}
