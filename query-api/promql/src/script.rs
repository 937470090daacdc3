//! The language in which Prometheus tests PromQL: load samples, evaluate, say what should come out.
//!
//! Knows: the language (`promql/promqltest/README.md` of Prometheus), how its storage would hand the samples back,
//! and how results are compared. Must not know: how anything is evaluated. Start at [`Script::parse`] and [`run`].
//!
//! A script is blocks of lines, ended by a blank line or a comment: `clear` forgets all samples, `load <step>` gives
//! series with one value per step from time 0 on, `eval instant at <time> <expr>` and `eval range from … to … step …
//! <expr>` evaluate and are followed by what is expected. Every instant evaluation is repeated with `@` on all
//! selectors at other times, and as one step of a range query: the answers must be the same.

mod classic;
mod compare;
mod eval;
mod histogram;
mod load;
mod run;
mod series;
mod stored;

pub use eval::{Eval, Expectation, Match, When};
pub use load::Load;
pub use run::{Outcome, run};
pub use series::SequenceValue;

/// A line that the language does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ScriptError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// What a script does, step by step.
#[derive(Debug, Clone)]
pub enum Command {
    /// Forgets all samples.
    Clear,
    /// Adds samples.
    Load(Load),
    /// Evaluates and compares.
    Eval(Box<Eval>),
}

/// A script that was read.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its steps.
    pub commands: Vec<Command>,
}

/// The lines of a script, trimmed, comments emptied.
struct Lines<'a> {
    all: Vec<&'a str>,
    at: usize,
}

impl<'a> Lines<'a> {
    /// The next line and its number, unless the block is over.
    fn next_of_block(&mut self) -> Option<(usize, &'a str)> {
        let line = self.all.get(self.at).copied().filter(|l| !l.is_empty())?;
        self.at += 1;
        Some((self.at, line))
    }
}

fn wrong(line: usize, message: impl Into<String>) -> ScriptError {
    ScriptError { line, message: message.into() }
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// When a line is no command, or a command's lines are malformed.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let all = text.lines().map(str::trim).map(|l| if l.starts_with('#') { "" } else { l }).collect();
        let mut lines = Lines { all, at: 0 };
        let mut commands = Vec::new();
        while lines.at < lines.all.len() {
            let Some((number, line)) = lines.next_of_block() else {
                lines.at += 1;
                continue;
            };
            let word = line.split([' ', '\t']).next().unwrap_or_default().to_ascii_lowercase();
            commands.push(match word.as_str() {
                "clear" => Command::Clear,
                w if w.starts_with("load") => Command::Load(load::parse(number, line, &mut lines)?),
                w if w.starts_with("eval") => Command::Eval(Box::new(eval::parse(number, line, &mut lines)?)),
                _ => return Err(wrong(number, format!("invalid command {}", crate::quote::quoted(line)))),
            });
        }
        Ok(Self { commands })
    }

    /// How many evaluations there are.
    #[must_use]
    pub fn evaluations(&self) -> usize {
        self.commands.iter().filter(|c| matches!(c, Command::Eval(_))).count()
    }
}
