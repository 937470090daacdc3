//! Sizes, names and room cards of our Rust files.

use tidy::{files, read};

const LINES_MAX: usize = 600;

fn rust_files() -> Vec<String> {
    files().expect("git ls-files").into_iter().filter(|f| f.ends_with(".rs")).collect()
}

#[test]
fn no_file_outgrows_its_room() {
    for file in rust_files() {
        let lines = read(&file).expect("readable").lines().count();
        assert!(lines <= LINES_MAX, "{file} has {lines} lines; {LINES_MAX} is the most: split it");
    }
}

#[test]
fn every_module_opens_with_a_room_card() {
    for file in rust_files().iter().filter(|f| !f.ends_with("build.rs") && !f.contains("/fuzz/")) {
        let text = read(file).expect("readable");
        assert!(
            text.starts_with("//!"),
            "{file} does not open with `//!`: what it knows, what it must not know"
        );
    }
}

#[test]
fn there_is_no_mod_rs_and_no_room_without_a_name() {
    let nameless = ["mod.rs", "util.rs", "utils.rs", "common.rs", "helpers.rs", "types.rs"];
    for file in rust_files() {
        let name = file.rsplit('/').next().unwrap_or_default();
        assert!(!nameless.contains(&name), "{file}: name the room by what it holds");
    }
}

#[test]
fn mains_stay_thin() {
    for file in rust_files().iter().filter(|f| f.ends_with("src/main.rs") && !f.starts_with("tests/")) {
        let lines = read(file).expect("readable").lines().count();
        assert!(
            lines <= 40,
            "{file} has {lines} lines; a main loads, builds, starts, waits and drains in 40"
        );
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let manifests = files().expect("git ls-files");
    for file in manifests.iter().filter(|f| f.ends_with("/Cargo.toml") && !f.contains("/fuzz/")) {
        let text = read(file).expect("readable");
        assert!(text.contains("[lints]\nworkspace = true"), "{file} does not inherit [workspace.lints]");
    }
}
