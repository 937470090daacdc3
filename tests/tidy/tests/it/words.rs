//! What the documents promise exists, and what must not be written anywhere is not.

use std::collections::BTreeSet;

use tidy::{files, read, root};

/// Everything between single back-quotes of a document, code blocks left out.
fn quoted(document: &str) -> Vec<String> {
    let prose: String = document.split("```").step_by(2).collect();
    prose.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

fn make_targets() -> BTreeSet<String> {
    let makefile = read("Makefile").expect("Makefile");
    let rules = makefile.lines().filter(|l| !l.starts_with(['\t', '#', '.', ' ']));
    rules.filter_map(|l| l.split_once(':')).map(|(t, _)| t.trim().to_owned()).collect()
}

#[test]
fn every_make_target_that_a_document_names_exists() {
    let targets = make_targets();
    for document in ["README.md", "ARCHITECTURE.md"] {
        let text = read(document).expect("readable");
        let named = text.split(['`', '\n']).filter_map(|t| t.trim_start_matches("$ ").strip_prefix("make "));
        for target in named.filter_map(|t| t.split_whitespace().next()) {
            assert!(targets.contains(target), "{document} names `make {target}`, which the Makefile lacks");
        }
    }
}

#[test]
fn every_path_that_a_document_names_exists() {
    let tops: BTreeSet<String> = files()
        .expect("git ls-files")
        .iter()
        .filter_map(|f| f.split('/').next())
        .map(ToOwned::to_owned)
        .collect();
    for document in ["README.md", "ARCHITECTURE.md"] {
        for word in quoted(&read(document).expect("readable")) {
            let is_path =
                !word.contains([' ', '*', '{', '<', '$']) && (word.contains('/') || word.contains('.'));
            let top = word.split('/').next().unwrap_or_default();
            if is_path && tops.contains(top) {
                assert!(root().join(&word).exists(), "{document} names `{word}`, which is not there");
            }
        }
    }
}

#[test]
fn every_flag_that_the_readme_names_is_spelled_in_the_code() {
    let sources: String = files()
        .expect("git ls-files")
        .iter()
        .filter(|f| f.ends_with(".rs") && !f.starts_with("tests/"))
        .map(|f| read(f).expect("readable"))
        .collect();
    for word in quoted(&read("README.md").expect("readable")) {
        let Some(flag) = word.split_whitespace().find_map(|w| w.strip_prefix("--")) else { continue };
        let flag = flag.split('=').next().unwrap_or_default();
        let field = flag.replace('-', "_");
        let known = sources.contains(&format!("--{flag}")) || sources.contains(&format!("{field}:"));
        let docker = word.starts_with("docker") || ["build-arg"].contains(&flag);
        assert!(known || docker, "README names `--{flag}`, which no source knows");
    }
}

#[test]
fn the_documents_keep_their_size() {
    for (document, lines_max) in [("ARCHITECTURE.md", 200), ("README.md", 300)] {
        let lines = read(document).expect("readable").lines().count();
        assert!(lines <= lines_max, "{document} has {lines} lines; {lines_max} is the most");
    }
}

#[test]
fn nothing_unfinished_is_left_behind() {
    let marks = [
        "TO\u{44}O",
        "FIX\u{4d}E",
        "todo\u{21}(",
        "unimplemented\u{21}(",
        "#[ignor\u{65}]",
        "simplified for no\u{77}",
    ];
    for file in files().expect("git ls-files").iter().filter(|f| f.ends_with(".rs") || f.ends_with(".py")) {
        let text = read(file).expect("readable");
        for mark in marks {
            assert!(!text.contains(mark), "{file} contains {mark}");
        }
    }
}
