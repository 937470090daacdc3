//! Quoted text as Go's `strconv` writes it and Prometheus' strings are read.
//!
//! Knows: quotes and escapes. Must not know: what the text means.

/// `strconv.Quote`: double quotes, escapes for quotes, backslashes and what cannot be printed.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        push_escaped(&mut out, c, '"');
    }
    out.push('"');
    out
}

/// `%q` of a single character: single quotes.
#[must_use]
pub fn quoted_char(c: char) -> String {
    let mut out = String::from("'");
    push_escaped(&mut out, c, '\'');
    out.push('\'');
    out
}

fn push_escaped(out: &mut String, c: char, quote: char) {
    match c {
        '\\' => out.push_str("\\\\"),
        c if c == quote => {
            out.push('\\');
            out.push(c);
        }
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        c if u32::from(c) < 0x20 || c == '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
        c if is_printable(c) => out.push(c),
        c if u32::from(c) < 0x10000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
    }
}

/// Near enough to `unicode.IsPrint`: no controls, no separators but the space, no marks of format, nothing private.
fn is_printable(c: char) -> bool {
    c == ' '
        || !(c.is_control()
            || c.is_whitespace()
            || matches!(u32::from(c),
                0xad | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb
                | 0xe000..=0xf8ff | 0xf0000..=0x10_ffff | 0xfffe | 0xffff))
}

/// Reads a quoted text: `"…"` and `'…'` with escapes, `` `…` `` without.
#[must_use]
pub fn unquoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    if quote == '`' {
        return (!inner.contains('`')).then(|| inner.to_owned());
    }
    if !inner.contains('\\') {
        return (!inner.contains(['\n', quote])).then(|| inner.to_owned());
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\n' => return None,
            '\\' => unescape(&mut chars, quote, &mut bytes)?,
            c if c == quote => return None,
            c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    // bytes written as \xff may form no text; Prometheus keeps them, we cannot
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn unescape(chars: &mut std::str::Chars<'_>, quote: char, out: &mut Vec<u8>) -> Option<()> {
    let c = chars.next()?;
    let simple = match c {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'v' => 11,
        '\\' => b'\\',
        c if c == quote => u8::try_from(c).ok()?,
        'x' => u8::try_from(number(chars, 2, 16, 0)?).ok()?,
        '0'..='7' => u8::try_from(number(chars, 2, 8, c.to_digit(8)?)?).ok()?,
        'u' | 'U' => {
            let c = char::from_u32(number(chars, if c == 'u' { 4 } else { 8 }, 16, 0)?)?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(());
        }
        _ => return None,
    };
    out.push(simple);
    Some(())
}

fn number(chars: &mut std::str::Chars<'_>, digits: usize, radix: u32, start: u32) -> Option<u32> {
    (0..digits).try_fold(start, |n, _| n.checked_mul(radix)?.checked_add(chars.next()?.to_digit(radix)?))
}

#[cfg(test)]
mod tests {
    use super::{quoted, unquoted};

    #[test]
    fn text_survives_quoting() {
        for text in ["", "plain", "a\"b'c\\d", "line\nbreak\t\u{1}", "ünïcödé 🦀", "\u{202e}\u{e000}"] {
            assert_eq!(unquoted(&quoted(text)).as_deref(), Some(text));
        }
        assert_eq!(quoted("a\n\u{1}\u{202e}"), r#""a\n\x01\u202e""#);
    }

    #[test]
    fn all_three_quotes_and_all_escapes_are_read() {
        assert_eq!(unquoted(r#"'it\'s \x41\101\u00e9'"#).as_deref(), Some("it's AAé"));
        assert_eq!(unquoted(r"`raw \n`").as_deref(), Some(r"raw \n"));
        assert_eq!(unquoted(r#""\q""#), None);
        assert_eq!(unquoted("\"open"), None);
    }
}
