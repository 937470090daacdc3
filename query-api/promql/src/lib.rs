//! PromQL, whole: text in, values out, agreeing with Prometheus 3.14 case by case.
//!
//! Knows: the language, its values, and how to evaluate it over a source of samples. Must not know: networks, files,
//! clocks, threads, or where samples come from. Start at [`parse`] for the front end and at [`ast`] for what it gives.
//!
//! # The front end
//!
//! [`parse::expr`] turns text into an [`ast::Expr`] in which every node knows where it stands in the text: errors and
//! annotations name that place as `line:column`, as Prometheus does. The lexer (`lex`) knows the language's moods
//! (inside braces, inside brackets, inside a series description); the parser is one loop over operator precedences;
//! what is grammatical but makes no sense (a sum of strings) is refused by `check`. [`print`] gives the canonical text
//! back, [`pretty`] the same with line breaks, and [`ast_json`] the tree as the HTTP API shows it.

pub mod annotation;
pub mod ast;
pub mod ast_json;
mod check;
pub mod histogram;
pub mod labels;
mod lex;
pub mod number;
pub mod options;
pub mod parse;
pub mod pretty;
mod print;
pub mod quote;
pub mod regex;
pub mod signature;
pub mod value;
