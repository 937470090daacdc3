//! What the text is cut into.

use crate::ast::{Aggregation, BinaryOp, Span};
use crate::quote::quoted;

/// Words with a meaning in some places; elsewhere they are names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    Offset,
    Smoothed,
    Anchored,
    By,
    Without,
    On,
    Ignoring,
    GroupLeft,
    GroupRight,
    Fill,
    FillLeft,
    FillRight,
    Bool,
}

/// Words that stand for something that the query knows, or compute with lengths of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    Start,
    End,
    Step,
    Range,
    MaxOf,
    MinOf,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    End,
    /// The text cannot be cut further; says why.
    Error(String),
    Comma,
    Colon,
    Assign,
    RegexEqual,
    RegexNotEqual,
    At,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Number,
    Duration,
    String,
    Identifier,
    MetricIdentifier,
    Op(BinaryOp),
    Aggregation(Aggregation),
    Keyword(Keyword),
    Context(Context),
}

/// A piece of the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) span: Span,
}

impl Token<'_> {
    /// As error messages name it.
    pub(crate) fn described(&self) -> String {
        match &self.kind {
            Kind::End => "end of input".to_owned(),
            Kind::Error(message) => message.clone(),
            Kind::Identifier => format!("identifier {}", quoted(self.text)),
            Kind::MetricIdentifier => format!("metric identifier {}", quoted(self.text)),
            Kind::Keyword(_) => format!("<{}>", self.text),
            Kind::Aggregation(_) => format!("<aggr:{}>", self.text),
            Kind::Op(_) | Kind::At | Kind::RegexEqual | Kind::RegexNotEqual => format!("<op:{}>", self.text),
            Kind::Number => format!("number {}", shortened(self.text)),
            Kind::Duration => format!("duration {}", shortened(self.text)),
            Kind::String => format!("string {}", shortened(self.text)),
            _ => shortened(self.text),
        }
    }

    /// Whether the token can name a metric: names, and most of the words that have a meaning elsewhere.
    pub(crate) fn names_metric(&self) -> bool {
        match &self.kind {
            Kind::Identifier | Kind::MetricIdentifier | Kind::Aggregation(_) | Kind::Context(_) => true,
            Kind::Op(op) => op.is_set(),
            Kind::Keyword(k) => matches!(
                k,
                Keyword::Offset | Keyword::Smoothed | Keyword::Anchored | Keyword::By | Keyword::Without
            ),
            _ => false,
        }
    }

    /// Whether the token can name a label in a grouping: any word.
    pub(crate) fn names_label(&self) -> bool {
        match &self.kind {
            Kind::Op(op) => op.is_set() || *op == BinaryOp::Atan2,
            Kind::Keyword(k) => !matches!(k, Keyword::Fill | Keyword::FillLeft | Keyword::FillRight),
            _ => self.names_metric(),
        }
    }
}

fn shortened(text: &str) -> String {
    if text.len() > 10 {
        format!("{}...", quoted(&text.chars().take(10).collect::<String>()))
    } else {
        quoted(text)
    }
}

/// The word's meaning, in any case.
pub(crate) fn keyword(word: &str) -> Option<Kind> {
    use Aggregation as A;
    Some(match word.to_ascii_lowercase().as_str() {
        "and" => Kind::Op(BinaryOp::And),
        "or" => Kind::Op(BinaryOp::Or),
        "unless" => Kind::Op(BinaryOp::Unless),
        "atan2" => Kind::Op(BinaryOp::Atan2),
        "sum" => Kind::Aggregation(A::Sum),
        "avg" => Kind::Aggregation(A::Avg),
        "count" => Kind::Aggregation(A::Count),
        "min" => Kind::Aggregation(A::Min),
        "max" => Kind::Aggregation(A::Max),
        "group" => Kind::Aggregation(A::Group),
        "stddev" => Kind::Aggregation(A::Stddev),
        "stdvar" => Kind::Aggregation(A::Stdvar),
        "topk" => Kind::Aggregation(A::Topk),
        "bottomk" => Kind::Aggregation(A::Bottomk),
        "count_values" => Kind::Aggregation(A::CountValues),
        "quantile" => Kind::Aggregation(A::Quantile),
        "limitk" => Kind::Aggregation(A::Limitk),
        "limit_ratio" => Kind::Aggregation(A::LimitRatio),
        "offset" => Kind::Keyword(Keyword::Offset),
        "smoothed" => Kind::Keyword(Keyword::Smoothed),
        "anchored" => Kind::Keyword(Keyword::Anchored),
        "by" => Kind::Keyword(Keyword::By),
        "without" => Kind::Keyword(Keyword::Without),
        "on" => Kind::Keyword(Keyword::On),
        "ignoring" => Kind::Keyword(Keyword::Ignoring),
        "group_left" => Kind::Keyword(Keyword::GroupLeft),
        "group_right" => Kind::Keyword(Keyword::GroupRight),
        "fill" => Kind::Keyword(Keyword::Fill),
        "fill_left" => Kind::Keyword(Keyword::FillLeft),
        "fill_right" => Kind::Keyword(Keyword::FillRight),
        "bool" => Kind::Keyword(Keyword::Bool),
        "start" => Kind::Context(Context::Start),
        "end" => Kind::Context(Context::End),
        "step" => Kind::Context(Context::Step),
        "range" => Kind::Context(Context::Range),
        "max_of" => Kind::Context(Context::MaxOf),
        "min_of" => Kind::Context(Context::MinOf),
        "inf" | "nan" => Kind::Number,
        _ => return None,
    })
}
