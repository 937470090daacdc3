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
//!
//! # The evaluation model
//!
//! A query is evaluated on a [grid](kernels::windows::Grid): one instant, or `start, start + step, …, end`. Everything has one value per step of the
//! grid: a scalar is a column of numbers; a vector is a set of [rows](points::Row), each a series' labels and a column in which a step may be
//! absent; only a range vector is more: for every step the samples in a window that ends there.
//!
//! 1. [`plan`] makes the tree ready: durations, offsets and `@` become numbers, parts that do not change from step to step are evaluated
//!    once, and so are parts that occur twice.
//! 2. A selector asks the [`source`] for series that match. Each arrives as columns: timestamps and values. An instant selector
//!    picks, for every step, the newest sample of the last five minutes; a range selector finds, for every step, where its window
//!    begins and ends in the column. Both depend on timestamps alone, and series that were scraped together share them, so both
//!    are found once per timestamp column.
//! 3. A function of a range vector is a loop over windows ([`kernels`]). Neighbouring windows share most samples, so sums, extrema
//!    and deviations slide, counts are differences of running counts, and `rate` looks at the ends of a window and at the list
//!    of counter resets. What slides never subtracts: a value that leaves the window leaves no rounding behind.
//! 4. Rows are pushed, one by one, through functions into aggregations, which find a row's group once and then add column to
//!    column. Only joins, sorting and quantiles hold all rows of their inputs.
//! 5. At the end metric names that functions have made wrong are dropped, and rows that then have equal labels are merged.
//!
//! "Absent" is a float with the bits of a stale marker ([`points::ABSENT`]), so a series that ended is absent without a test.
//! Windows are open on the left: `[5m]` at noon holds 11:55:00.001 but not 11:55. The engine reads no clock and has no thread; a
//! caller hands it a [clock and a flag](limits::Control) and gets an error once the [limits](limits::Limits) are reached.

mod aggregate;
pub mod annotation;
pub mod ast;
pub mod ast_json;
mod binary;
mod check;
pub mod engine;
mod eval;
pub mod explain;
pub mod functions;
pub mod histogram;
pub mod kernels;
pub mod labels;
mod lex;
pub mod limits;
pub mod number;
pub mod options;
pub mod parse;
pub mod plan;
pub mod points;
pub mod pretty;
mod print;
pub mod quote;
pub mod regex;
pub mod script;
pub mod signature;
pub mod source;
pub mod statistics;
pub mod value;
