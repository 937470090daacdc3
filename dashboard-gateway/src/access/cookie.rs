//! The session cookie: its name, its flags, reading it back.
//!
//! Knows: RFC 6265bis. Must not know: what the value opens. Start at [`Cookies`].

use http::{HeaderMap, HeaderValue, header};
use runtime_service::Secret;

/// Values read from one request: another site of the same host may have set more under our name.
const READ_MAX: usize = 4;

/// How the cookie is called and scoped.
#[derive(Debug, Clone)]
pub(crate) struct Cookies {
    name: String,
    attributes: String,
}

impl Cookies {
    /// Under TLS `__Host-…` with `Secure`, which no other host or path can set. Without, ports share cookies, so the
    /// name holds the port: stacks beside each other do not log each other out.
    pub(crate) fn new(tls: bool, url_prefix: &str, port: u16) -> Self {
        if tls {
            let attributes = "; Path=/; HttpOnly; Secure; SameSite=Lax".to_owned();
            return Self { name: "__Host-yc_session".to_owned(), attributes };
        }
        let attributes = format!("; Path={url_prefix}; HttpOnly; SameSite=Lax");
        Self { name: format!("yc_session_{port}"), attributes }
    }

    /// Sets it, for as long as a session may last.
    pub(crate) fn set(&self, secret: &Secret, seconds: u64) -> Option<HeaderValue> {
        let text = format!("{}={}{}; Max-Age={seconds}", self.name, secret.reveal(), self.attributes);
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Removes it.
    pub(crate) fn clear(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("{}={}; Max-Age=0", self.name, self.attributes)).ok()
    }

    /// Every value under our name.
    pub(crate) fn read<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
        let pairs = all.flat_map(|v| v.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(name, _)| *name == self.name).map(|(_, value)| value).take(READ_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_keep_scripts_other_sites_and_other_hosts_out() {
        let text =
            |cookies: &Cookies| cookies.set(&Secret::new("x"), 60).unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            text(&Cookies::new(true, "/obs/", 3001)),
            "__Host-yc_session=x; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=60"
        );
        assert_eq!(
            text(&Cookies::new(false, "/obs/", 3001)),
            "yc_session_3001=x; Path=/obs/; HttpOnly; SameSite=Lax; Max-Age=60"
        );
        assert!(Cookies::new(true, "/", 1).set(&Secret::new("x"), 1).unwrap().is_sensitive());
    }

    #[test]
    fn only_our_name_is_read() {
        let cookies = Cookies::new(false, "/", 3001);
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; yc_session_3001=one;yc_session_3002=no".parse().unwrap());
        headers.append(header::COOKIE, "xyc_session_3001=no; yc_session_3001=two".parse().unwrap());
        assert_eq!(cookies.read(&headers).collect::<Vec<_>>(), ["one", "two"]);
    }
}
