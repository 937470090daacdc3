//! How often a password may be tried.
//!
//! Knows: tries per account, per address and per pair of both, with a growing wait. Must not know: passwords, whether
//! an account exists. Start at [`Limiter::begin`].
//!
//! Nobody is locked out by others: the hard wait is for the *pair* of account and address; an account that is tried
//! from everywhere at once waits a few seconds at most, and not at all from an address that its owner used before.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Entries of one table; when it is full, what is forgotten anyway goes first, then the oldest half.
const ENTRIES_MAX: usize = 10_000;

/// How one table counts.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// Failures without a wait.
    free: u32,
    /// The wait doubles from one second up to this.
    wait_max: Duration,
    /// Failures are forgotten after this long without one.
    memory: Duration,
}

const MINUTE: Duration = Duration::from_secs(60);
const PAIR: Rule = Rule { free: 4, wait_max: Duration::from_secs(900), memory: Duration::from_secs(1800) };
const ADDRESS: Rule = Rule { free: 20, wait_max: Duration::from_secs(300), memory: Duration::from_secs(900) };
const ACCOUNT: Rule = Rule { free: 50, wait_max: Duration::from_secs(5), memory: Duration::from_secs(900) };
/// How long an address is known as one of the owner's.
const KNOWN: Duration = Duration::from_secs(30 * 24 * 3600);
/// The first wait after the free tries: five tries a minute.
const WAIT_FIRST: Duration = Duration::from_secs(12);

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    failures: u32,
    last: Duration,
    /// No try before this.
    until: Duration,
}

/// An IPv4 address, or an IPv6 network: one host has a /64 to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Network(IpAddr);

impl Network {
    fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V6(v6) => {
                let mut segments = v6.segments();
                segments.iter_mut().skip(4).for_each(|segment| *segment = 0);
                Self(IpAddr::V6(Ipv6Addr::from(segments)))
            }
            v4 => Self(v4),
        }
    }
}

#[derive(Debug, Default)]
struct Tables {
    pairs: HashMap<(String, Network), Entry>,
    addresses: HashMap<Network, Entry>,
    accounts: HashMap<String, Entry>,
    known: HashMap<(String, Network), Entry>,
}

/// Counts failed logins, in memory.
#[derive(Debug, Default)]
pub(crate) struct Limiter(Mutex<Tables>);

/// A try that may go on. It counts as failed until it is said to have succeeded.
#[derive(Debug)]
pub(crate) struct Try<'a> {
    limiter: &'a Limiter,
    account: String,
    network: Network,
    now: Duration,
}

impl Limiter {
    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for one try of `account` from `ip` at the monotonic time `now`.
    ///
    /// # Errors
    /// How long to wait. Asking too early does not make the wait longer.
    pub(crate) fn begin(&self, account: &str, ip: IpAddr, now: Duration) -> Result<Try<'_>, Duration> {
        // a name that nobody can have is counted like any other, but not kept at any length
        let account: String = account.to_lowercase().chars().take(128).collect();
        let network = Network::of(ip);
        let mut tables = self.lock();
        let pair = (account.clone(), network);
        let is_known = tables.known.get(&pair).is_some_and(|k| now.saturating_sub(k.last) < KNOWN);
        let mut waits = vec![wait(&tables.pairs, &pair, now), wait(&tables.addresses, &network, now)];
        if !is_known {
            waits.push(wait(&tables.accounts, &account, now));
        }
        if let Some(longest) = waits.into_iter().flatten().max() {
            return Err(longest);
        }
        note(&mut tables.pairs, pair, PAIR, now);
        note(&mut tables.addresses, network, ADDRESS, now);
        if !is_known {
            note(&mut tables.accounts, account.clone(), ACCOUNT, now);
        }
        drop(tables);
        Ok(Try { limiter: self, account, network, now })
    }
}

impl Try<'_> {
    /// The password was right: the pair starts afresh, the other tables get this try back.
    pub(crate) fn succeeded(self) {
        let mut tables = self.limiter.lock();
        let pair = (self.account.clone(), self.network);
        tables.pairs.remove(&pair);
        give_back(&mut tables.addresses, &self.network);
        give_back(&mut tables.accounts, &self.account);
        make_room(&mut tables.known, KNOWN, self.now);
        tables.known.insert(pair, Entry { failures: 0, last: self.now, until: self.now });
    }

    /// Nothing was tried, as when the server was too busy.
    pub(crate) fn not_made(self) {
        let mut tables = self.limiter.lock();
        give_back(&mut tables.pairs, &(self.account.clone(), self.network));
        give_back(&mut tables.addresses, &self.network);
        give_back(&mut tables.accounts, &self.account);
    }
}

fn wait<K: Hash + Eq>(table: &HashMap<K, Entry>, key: &K, now: Duration) -> Option<Duration> {
    table.get(key).map(|entry| entry.until.saturating_sub(now)).filter(|wait| !wait.is_zero())
}

fn note<K: Hash + Eq + Clone>(table: &mut HashMap<K, Entry>, key: K, rule: Rule, now: Duration) {
    make_room(table, rule.memory, now);
    let entry = table.entry(key).or_default();
    if now.saturating_sub(entry.last) >= rule.memory {
        *entry = Entry::default();
    }
    entry.failures = entry.failures.saturating_add(1);
    entry.last = now;
    let beyond = entry.failures.saturating_sub(rule.free);
    entry.until = match beyond {
        0 => now,
        n => now + WAIT_FIRST.saturating_mul(2_u32.saturating_pow(n - 1)).min(rule.wait_max),
    };
}

fn give_back<K: Hash + Eq>(table: &mut HashMap<K, Entry>, key: &K) {
    if let Some(entry) = table.get_mut(key) {
        entry.failures = entry.failures.saturating_sub(1);
        entry.until = entry.last;
    }
}

fn make_room<K: Hash + Eq>(table: &mut HashMap<K, Entry>, memory: Duration, now: Duration) {
    if table.len() < ENTRIES_MAX {
        return;
    }
    table.retain(|_, entry| now.saturating_sub(entry.last) < memory);
    if table.len() >= ENTRIES_MAX {
        let mut ages: Vec<_> = table.values().map(|entry| entry.last).collect();
        let (_, middle, _) = ages.select_nth_unstable(ENTRIES_MAX / 2);
        let middle = *middle;
        table.retain(|_, entry| entry.last > middle);
    }
}

/// A wait as whole seconds for `Retry-After`, at least one, at most an hour.
pub(crate) fn seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).clamp(1, 60 * MINUTE.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTACKER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));
    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Tries as fast as allowed during `seconds`; how many tries were made.
    fn hammer(limiter: &Limiter, account: &str, ip: IpAddr, from: u64, seconds: u64) -> usize {
        (from..from + seconds).filter(|s| limiter.begin(account, ip, at(*s)).is_ok()).count()
    }

    #[test]
    fn one_address_gets_five_tries_and_then_waits_longer_and_longer() {
        let limiter = Limiter::default();
        assert_eq!(hammer(&limiter, "ann", ATTACKER, 1000, 12), 5);
        let hour = hammer(&limiter, "ann", ATTACKER, 1012, 3600);
        assert!(hour <= 12, "{hour} tries in an hour");
        let wait = limiter.begin("ann", ATTACKER, at(1012 + 3601)).err().unwrap_or_default();
        assert!(wait <= PAIR.wait_max, "{wait:?}");
    }

    #[test]
    fn asking_too_early_does_not_make_the_wait_longer() {
        let limiter = Limiter::default();
        hammer(&limiter, "ann", ATTACKER, 1000, 6);
        let first = limiter.begin("ann", ATTACKER, at(1006)).unwrap_err();
        for _ in 0..1000 {
            assert_eq!(limiter.begin("ann", ATTACKER, at(1006)).unwrap_err(), first);
        }
        assert!(limiter.begin("ann", ATTACKER, at(1006) + first).is_ok());
    }

    #[test]
    fn an_attack_from_one_address_does_not_keep_the_owner_out() {
        let limiter = Limiter::default();
        hammer(&limiter, "ann", ATTACKER, 1000, 600);
        limiter.begin("ann", HOME, at(1600)).unwrap().succeeded();
        hammer(&limiter, "ann", ATTACKER, 1600, 600);
        limiter.begin("ann", HOME, at(2200)).unwrap().succeeded();
    }

    #[test]
    fn an_attack_from_everywhere_slows_the_owner_only_at_new_addresses() {
        let limiter = Limiter::default();
        limiter.begin("ann", HOME, at(900)).unwrap().succeeded();
        let mut tries = 0;
        for n in 0..2000_u32 {
            let ip = IpAddr::V4(std::net::Ipv4Addr::from(0xcb00_0000 + n));
            tries += usize::from(limiter.begin("ann", ip, at(1000 + u64::from(n / 20))).is_ok());
        }
        assert!(tries <= 50 + 100 / 5 + 2, "{tries} tries in 100 s from 2000 addresses");
        limiter.begin("ann", HOME, at(1100)).unwrap().succeeded();
        let new = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));
        let wait = limiter.begin("ann", new, at(1100)).err().unwrap_or_default();
        assert!(wait <= ACCOUNT.wait_max, "{wait:?}");
    }

    #[test]
    fn one_address_cannot_try_many_accounts() {
        let limiter = Limiter::default();
        let tries =
            (0..1000).filter(|n| limiter.begin(&format!("user{n}"), ATTACKER, at(1000)).is_ok()).count();
        assert_eq!(tries, 21);
        // the rest of a /64 is the same host
        let of = |last: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 2, last, 3, 4, 5));
        let tries =
            (0..1000).filter(|n| limiter.begin(&format!("user{n}"), of(*n), at(1000)).is_ok()).count();
        assert_eq!(tries, 21);
    }

    #[test]
    fn right_passwords_and_busy_servers_cost_nothing() {
        let limiter = Limiter::default();
        for n in 0..500 {
            limiter.begin("ann", HOME, at(1000 + n)).unwrap().succeeded();
            limiter.begin("ann", HOME, at(1000 + n)).unwrap().not_made();
        }
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Limiter::default();
        for n in 0..30_000_u32 {
            let ip = IpAddr::V4(std::net::Ipv4Addr::from(n));
            let _counted = limiter.begin(&format!("user{n}"), ip, at(1000 + u64::from(n / 1000)));
        }
        let tables = limiter.lock();
        assert!(tables.pairs.len() <= ENTRIES_MAX && tables.accounts.len() <= ENTRIES_MAX);
        assert!(tables.addresses.len() <= ENTRIES_MAX);
    }
}
