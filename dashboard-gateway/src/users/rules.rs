//! What names and passwords may be.
//!
//! Knows: lengths and characters. Must not know: who asks. Start at [`check_login`].

/// NIST SP 800-63B: at least 8, no rules about kinds of characters.
const PASSWORD_CHARS_MIN: usize = 8;
/// Long enough for any pass phrase; bounds the work of hashing.
const PASSWORD_BYTES_MAX: usize = 1024;
const LOGIN_BYTES_MAX: usize = 128;
const TEXT_BYTES_MAX: usize = 256;

/// A login name: lower-case ASCII letters, digits and `.`, `_`, `-`, `@`, `+`.
///
/// # Errors
/// What is wrong, in public words.
pub(crate) fn check_login(login: &str) -> Result<(), String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-@+".contains(&b);
    match login.len() {
        0 => Err("Login must not be empty".to_owned()),
        n if n > LOGIN_BYTES_MAX => Err(format!("Login is longer than {LOGIN_BYTES_MAX} characters")),
        _ if !login.bytes().all(allowed) => {
            Err("Login may hold letters, digits and . _ - @ + only".to_owned())
        }
        _ => Ok(()),
    }
}

/// A password for the user called `login`.
///
/// # Errors
/// What is wrong, in public words; never the password.
pub(crate) fn check_password(password: &str, login: &str) -> Result<(), String> {
    match () {
        () if password.chars().count() < PASSWORD_CHARS_MIN => {
            Err(format!("Password must have at least {PASSWORD_CHARS_MIN} characters"))
        }
        () if password.len() > PASSWORD_BYTES_MAX => {
            Err(format!("Password is longer than {PASSWORD_BYTES_MAX} bytes"))
        }
        () if password.eq_ignore_ascii_case(login) => Err("Password must not be the login".to_owned()),
        () => Ok(()),
    }
}

fn check_text(what: &str, text: &str) -> Result<(), String> {
    match () {
        () if text.len() > TEXT_BYTES_MAX => Err(format!("{what} is longer than {TEXT_BYTES_MAX} bytes")),
        () if text.chars().any(char::is_control) => Err(format!("{what} must not hold control characters")),
        () => Ok(()),
    }
}

/// A name on screen.
///
/// # Errors
/// What is wrong, in public words.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    check_text("Name", name)
}

/// An e-mail address, or nothing.
///
/// # Errors
/// What is wrong, in public words.
pub(crate) fn check_email(email: &str) -> Result<(), String> {
    check_text("Email", email)?;
    let has_parts = |(user, host): (&str, &str)| !user.is_empty() && !host.is_empty();
    match email.is_empty() || email.rsplit_once('@').is_some_and(has_parts) {
        true => Ok(()),
        false => Err("Email is not an address".to_owned()),
    }
}

/// A theme's name.
///
/// # Errors
/// What is wrong, in public words.
pub(super) fn check_theme(theme: &str) -> Result<(), String> {
    match ["", "light", "dark", "system"].contains(&theme) {
        true => Ok(()),
        false => Err("Theme must be light, dark or system".to_owned()),
    }
}

/// A time zone's name: the browser knows which exist.
///
/// # Errors
/// What is wrong, in public words.
pub(super) fn check_timezone(zone: &str) -> Result<(), String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/_+-".contains(&b);
    match zone.len() <= 64 && zone.bytes().all(allowed) {
        true => Ok(()),
        false => Err("Time zone is not a name such as Europe/Berlin".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_refused_with_a_reason() {
        let refused = |outcome: Result<(), String>, part: &str| {
            let words = outcome.unwrap_err();
            assert!(words.contains(part), "{words}");
        };
        refused(check_login(""), "empty");
        refused(check_login("Ann"), "letters");
        refused(check_login("a/../b"), "letters");
        refused(check_login(&"a".repeat(129)), "longer");
        refused(check_password("1234567", "ann"), "at least 8");
        refused(check_password("äöü", "ann"), "at least 8");
        refused(check_password("annannann", "AnnAnnAnn"), "must not be the login");
        refused(check_password(&"x".repeat(2000), "ann"), "longer");
        refused(check_name("a\nb"), "control");
        refused(check_email("nobody"), "address");
        refused(check_theme("pink"), "light");
        refused(check_timezone("../../etc"), "zone");
        check_login("ann.b_c-d+e@example.com").unwrap();
        check_password("correct horse battery staple", "ann").unwrap();
        check_email("").unwrap();
        check_timezone("America/Argentina/Buenos_Aires").unwrap();
    }
}
