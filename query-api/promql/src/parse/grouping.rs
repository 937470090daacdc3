//! Lists of labels in parentheses.

use super::{ParseError, Parser};
use crate::lex::Kind;

impl Parser<'_> {
    /// `(a, b, "c.d",)`.
    pub(super) fn grouping_labels(&mut self) -> Result<Vec<String>, ParseError> {
        const WHERE: &str = "grouping opts";
        if self.token.kind != Kind::LeftParen {
            return Err(self.unexpected(WHERE, "\"(\""));
        }
        self.advance()?;
        let mut labels = Vec::new();
        while self.token.kind != Kind::RightParen {
            labels.push(self.grouping_label()?);
            if self.take(&Kind::Comma)?.is_none() && self.token.kind != Kind::RightParen {
                return Err(self.unexpected(WHERE, "\",\" or \")\""));
            }
        }
        self.advance()?;
        Ok(labels)
    }

    fn grouping_label(&mut self) -> Result<String, ParseError> {
        if self.token.kind == Kind::String {
            let token = self.advance()?;
            let name = self.string(&token)?;
            if name.is_empty() {
                return Err(self.error(token.span, "invalid label name for grouping: \"\"".to_owned()));
            }
            return Ok(name);
        }
        if !self.token.names_label() {
            return Err(self.unexpected("grouping opts", "label"));
        }
        Ok(self.advance()?.text.to_owned())
    }
}
