//! Scripts in Prometheus' own test language: ours in `tests/scripts`, and upstream's where they are at hand.

use std::path::{Path, PathBuf};

use promql::engine::Engine;
use promql::script::{Script, run};

/// Runs every script of a folder; what differed, and how many evaluations there were.
fn failures(folder: &Path) -> Result<(Vec<String>, usize), Box<dyn std::error::Error>> {
    let files: Result<Vec<PathBuf>, _> = std::fs::read_dir(folder)?.map(|f| f.map(|f| f.path())).collect();
    let mut files = files?;
    files.retain(|f| f.extension().is_some_and(|e| e == "test"));
    files.sort();
    let (mut failures, mut evaluations) = (Vec::new(), 0);
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let script = Script::parse(&std::fs::read_to_string(&file)?).map_err(|e| format!("{name}: {e}"))?;
        evaluations += script.evaluations();
        for outcome in run(&script, &Engine::default()) {
            if let Some(failure) = outcome.failure {
                failures.push(format!("{name}:{}: {}\n    {failure}", outcome.line, outcome.expr));
            }
        }
    }
    Ok((failures, evaluations))
}

#[test]
fn our_own_scripts_pass() {
    let (failures, evaluations) =
        failures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts")).unwrap();
    assert!(evaluations > 0, "no scripts");
    assert!(failures.is_empty(), "{} of {evaluations} differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn upstreams_scripts_pass_where_they_are_at_hand() {
    // data beside the checkout, never inside it
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/promqltest");
    if !folder.is_dir() {
        println!("{} is absent: upstream's scripts were not run", folder.display());
        return;
    }
    let (failures, evaluations) = failures(&folder).unwrap();
    println!("{} of {evaluations} evaluations pass", evaluations - failures.len());
    assert!(failures.is_empty(), "{} of {evaluations} differ:\n{}", failures.len(), failures.join("\n"));
}
