//! The audit log: one line for each login and each change of who may do what.
//!
//! Knows: the target `audit` of the process' log, which is only ever appended to. Must not know: secrets; nothing that
//! opens anything is ever a field. Start at [`line`].

use std::net::IpAddr;

/// Where audit lines go; `--log info,audit=off` would lose them, any level of `info` or finer keeps them.
const TARGET: &str = "audit";

/// What happened, by whom, from where, to what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'a> {
    /// Such as `login` or `user.update`.
    pub(crate) action: &'static str,
    /// Who did it, as they are logged in; what was typed at a login that failed.
    pub(crate) actor: &'a str,
    /// From where.
    pub(crate) ip: IpAddr,
    /// Login or name of what it was done to.
    pub(crate) subject: &'a str,
    /// `ok`, or why not.
    pub(crate) outcome: &'a str,
}

/// Writes the line.
pub(crate) fn line(event: &Event<'_>) {
    let Event { action, actor, ip, subject, outcome } = *event;
    tracing::info!(target: TARGET, action, actor, %ip, subject, outcome, "audit");
}
