//! `promqltest DIR`: runs every `*.test` script of a folder and says what passed.
//!
//! Knows: files and the terminal. Must not know: the language of the scripts (`promql::script`).

use std::path::Path;
use std::process::ExitCode;

use promql::script::{Script, run};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command's output")]
fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: promqltest DIR");
        return ExitCode::from(2);
    };
    let mut all = (0, 0);
    let files = std::fs::read_dir(Path::new(&folder)).into_iter().flatten().flatten();
    let mut files: Vec<_> =
        files.map(|f| f.path()).filter(|p| p.extension().is_some_and(|e| e == "test")).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let script = match Script::parse(&text) {
            Ok(script) => script,
            Err(error) => {
                println!("{name}: cannot be read: {error}");
                all.1 += 1;
                continue;
            }
        };
        let outcomes = run(&script, &promql::engine::Engine::default());
        let passed = outcomes.iter().filter(|o| o.failure.is_none()).count();
        println!("{name}: {passed}/{}", outcomes.len());
        for (outcome, failure) in outcomes.iter().filter_map(|o| Some((o, o.failure.as_ref()?))) {
            println!("  {name}:{}: {}\n    {failure}", outcome.line, outcome.expr);
        }
        all = (all.0 + passed, all.1 + outcomes.len());
    }
    println!("passed {} of {}", all.0, all.1);
    if all.0 == all.1 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
