//! From text to tree.
//!
//! Knows: the grammar of Prometheus 3.14 and its words for errors. Must not know: types (`check`) or evaluation.
//! Start at [`expr`]; operators are in `operators`, what they join in `primary`, braces in `matchers`, everything that
//! stands behind a selector in `modifiers`, arithmetic over lengths of time in `durations`.
//!
//! The parser climbs precedences: `binary` reads an operand and then, as long as the next operator binds tightly
//! enough, the operator and its right side. It holds one token ahead, stops at the first error, and counts how deep
//! it is and how high the tree gets: no text makes it, or anything that walks its tree, run out of stack.

mod durations;
mod grouping;
mod matchers;
mod metric;
mod modifiers;
mod operators;
mod primary;

pub use metric::{metric, metric_prefix};

use crate::ast::{Expr, Span};
use crate::labels::Matcher;
use crate::lex::{Kind, Lexer, Token};
use crate::options::Syntax;

/// Why a text is no expression, and where that shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The part of the text that is wrong.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// Where `span` starts, as `line:column`.
    pub position: String,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: parse error: {}", self.position, self.message)
    }
}

impl std::error::Error for ParseError {}

/// Reads an expression and checks its types.
///
/// # Errors
/// When the text is no expression, makes no sense, uses what `syntax` switches off, or is too long or too deep.
pub fn expr(text: &str, syntax: &Syntax) -> Result<Expr, ParseError> {
    let mut parser = Parser::new(text, syntax)?;
    if parser.token.kind == Kind::End {
        let start = Span::default();
        return Err(parser.error(start, "no expression found in input".to_owned()));
    }
    let mut node = parser.binary(0)?;
    parser.expect_end()?;
    crate::check::check(&mut node.expr, text)?;
    Ok(node.expr)
}

/// Reads a vector selector without modifiers, such as `match[]` holds, and gives its matchers.
///
/// # Errors
/// When the text is something else.
pub fn selector(text: &str, syntax: &Syntax) -> Result<Vec<Matcher>, ParseError> {
    let mut parser = Parser::new(text, syntax)?;
    let selector = parser.vector_selector()?;
    parser.expect_end()?;
    Ok(selector.matchers)
}

/// An expression and the height of its tree.
struct Node {
    expr: Expr,
    height: usize,
}

struct Parser<'a> {
    text: &'a str,
    syntax: &'a Syntax,
    lexer: Lexer<'a>,
    /// The next token, not consumed yet.
    token: Token<'a>,
    /// Where the last token ended that can end an expression and was taken: a closing bracket, a number, a duration.
    closed: usize,
    /// How many rules are being read inside each other.
    depth: usize,
    /// How many aggregations are being read: errors inside say so.
    aggregations: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, syntax: &'a Syntax) -> Result<Self, ParseError> {
        let mut lexer = Lexer::new(text);
        if text.len() > syntax.text_bytes_max {
            let message =
                format!("query of {} bytes is longer than {} bytes", text.len(), syntax.text_bytes_max);
            return Err(ParseError { span: Span::default(), message, position: "1:1".to_owned() });
        }
        let token = lexer.next();
        let parser = Self { text, syntax, lexer, token, closed: 0, depth: 0, aggregations: 0 };
        parser.noticed()?;
        Ok(parser)
    }

    /// Takes the next token.
    fn advance(&mut self) -> Result<Token<'a>, ParseError> {
        let next = self.lexer.next();
        let token = std::mem::replace(&mut self.token, next);
        if let Kind::RightBrace | Kind::RightParen | Kind::RightBracket | Kind::Duration | Kind::Number =
            token.kind
        {
            self.closed = token.span.end;
        }
        self.noticed()?;
        Ok(token)
    }

    /// A lexer's error counts as soon as it is seen.
    fn noticed(&self) -> Result<(), ParseError> {
        match &self.token.kind {
            Kind::Error(message) => Err(self.error(self.token.span, message.clone())),
            _ => Ok(()),
        }
    }

    fn error(&self, span: Span, message: String) -> ParseError {
        ParseError { span, message, position: span.position(self.text) }
    }

    /// "unexpected … in …, expected …" about the next token; `context` and `expected` may be empty.
    fn unexpected(&self, context: &str, expected: &str) -> ParseError {
        let mut message = format!("unexpected {}", self.token.described());
        if !context.is_empty() {
            message.push_str(" in ");
            message.push_str(context);
        }
        if !expected.is_empty() {
            message.push_str(", expected ");
            message.push_str(expected);
        }
        let end = self.token.span.start + self.token.text.len();
        self.error(Span::new(self.token.span.start, end), message)
    }

    /// The next token fits nowhere.
    fn unexpected_here(&self) -> ParseError {
        self.unexpected(if self.aggregations > 0 { "aggregation" } else { "" }, "")
    }

    fn take(&mut self, kind: &Kind) -> Result<Option<Token<'a>>, ParseError> {
        if self.token.kind == *kind { self.advance().map(Some) } else { Ok(None) }
    }

    fn expect(&mut self, kind: &Kind) -> Result<Token<'a>, ParseError> {
        if self.token.kind == *kind { self.advance() } else { Err(self.unexpected_here()) }
    }

    fn expect_end(&mut self) -> Result<(), ParseError> {
        if self.token.kind == Kind::End { Ok(()) } else { Err(self.unexpected_here()) }
    }

    /// Reads a rule inside another one, unless that is too deep.
    fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Result<T, ParseError>) -> Result<T, ParseError> {
        if self.depth >= self.syntax.depth_max {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let result = rule(self);
        self.depth -= 1;
        result
    }

    fn too_deep(&self) -> ParseError {
        let message = format!("expression nests deeper than {} levels", self.syntax.depth_max);
        self.error(self.token.span, message)
    }

    /// A tree of `expr` over parts of at most `height`.
    fn node(&self, expr: Expr, height: usize) -> Result<Node, ParseError> {
        if height >= self.syntax.depth_max {
            Err(self.too_deep())
        } else {
            Ok(Node { expr, height: height + 1 })
        }
    }

    fn string(&self, token: &Token<'_>) -> Result<String, ParseError> {
        crate::quote::unquoted(token.text).ok_or_else(|| {
            let message =
                format!("error unquoting string {}: invalid syntax", crate::quote::quoted(token.text));
            self.error(token.span, message)
        })
    }
}
