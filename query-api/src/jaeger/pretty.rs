//! JSON indented by four spaces, on its way out.
//!
//! Knows: JSON's brackets and strings. Must not know: what they hold. Start at [`Pretty::push`].

const INDENT: &[u8] = b"    ";

/// Indents JSON that comes in pieces cut anywhere.
#[derive(Debug, Default)]
pub(crate) struct Pretty {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// A bracket was opened and nothing stood in it yet.
    opened: bool,
}

impl Pretty {
    /// Appends `json`, indented, to `out`.
    pub(crate) fn push(&mut self, json: &[u8], out: &mut Vec<u8>) {
        json.iter().for_each(|byte| self.byte(*byte, out));
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.in_string {
            out.push(byte);
            self.in_string = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return;
        }
        let opened = std::mem::take(&mut self.opened);
        match byte {
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if !opened {
                    self.line(out);
                }
                out.push(byte);
                return;
            }
            _ if opened => self.line(out),
            _ => {}
        }
        out.push(byte);
        match byte {
            b'{' | b'[' => {
                self.depth += 1;
                self.opened = true;
            }
            b',' => self.line(out),
            b':' => out.push(b' '),
            b'"' => self.in_string = true,
            _ => {}
        }
    }

    fn line(&self, out: &mut Vec<u8>) {
        out.push(b'\n');
        (0..self.depth).for_each(|_| out.extend_from_slice(INDENT));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_wherever_it_is_cut() {
        let json = br#"{"a":[1,{"b":"x,\"{y"}],"c":[],"d":{}}"#;
        let expect = "{\n    \"a\": [\n        1,\n        {\n            \"b\": \"x,\\\"{y\"\n        }\n    ],\n    \"c\": [],\n    \"d\": {}\n}";
        for cut in 0..json.len() {
            let (mut pretty, mut out) = (Pretty::default(), Vec::new());
            let (head, tail) = json.split_at(cut);
            pretty.push(head, &mut out);
            pretty.push(tail, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expect);
        }
    }
}
