//! Arrows only point down, and a few crates have one user only.

use std::collections::BTreeMap;

use tidy::{Package, packages};

/// Floor of each of our crates: a crate depends on crates of lower floors only, and services not on each other.
const FLOORS: &[(&str, u32)] = &[
    ("shared-proto", 0),
    ("runtime-files", 1),
    ("runtime-engine", 1),
    ("runtime-log", 2),
    ("runtime-objects", 2),
    ("runtime-store", 3),
    ("runtime-service", 3),
    ("trace-segments", 4),
    ("web-assets", 4),
    ("promql", 4),
    ("collector", 5),
    ("trace-store", 5),
    ("query-api", 5),
    ("dashboard-gateway", 5),
    ("yc-observability", 6),
    ("e2e", 7),
    ("tidy", 7),
    ("bench", 8),
];

const PERMISSIVE: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

fn ours() -> Vec<Package> {
    packages().expect("cargo metadata").into_iter().filter(|p| p.ours).collect()
}

#[test]
fn arrows_only_point_down() {
    let floors: BTreeMap<_, _> = FLOORS.iter().copied().collect();
    for package in ours() {
        let floor = floors.get(package.name.as_str());
        let floor =
            floor.unwrap_or_else(|| panic!("{} has no floor in this test: give it one", package.name));
        for dependency in package.dependencies.iter().filter_map(|d| floors.get_key_value(d.as_str())) {
            assert!(dependency.1 < floor, "{} must not depend on {}", package.name, dependency.0);
        }
    }
}

#[test]
fn engines_know_no_runtime_no_network_and_no_files() {
    let banned =
        ["tokio", "tonic", "axum", "hyper", "reqwest", "runtime-files", "runtime-log", "runtime-objects"];
    for engine in
        ours().iter().filter(|p| ["trace-segments", "promql", "runtime-engine"].contains(&p.name.as_str()))
    {
        let found: Vec<_> = engine.dependencies.iter().filter(|d| banned.contains(&d.as_str())).collect();
        assert!(found.is_empty(), "{} is pure, but depends on {found:?}", engine.name);
    }
}

#[test]
fn end_to_end_tests_know_the_services_by_their_wires_alone() {
    let services = [
        "collector",
        "trace-store",
        "query-api",
        "dashboard-gateway",
        "yc-observability",
        "trace-segments",
        "runtime-store",
    ];
    for package in ours().iter().filter(|p| ["e2e", "bench"].contains(&p.name.as_str())) {
        let found: Vec<_> = package.dependencies.iter().filter(|d| services.contains(&d.as_str())).collect();
        assert!(found.is_empty(), "{} depends on {found:?}", package.name);
    }
}

#[test]
fn only_the_crate_of_objects_knows_sql() {
    for package in ours().iter().filter(|p| p.name != "runtime-objects") {
        let found = package.dependencies.iter().find(|d| d.starts_with("sqlx") || d.contains("sqlite"));
        assert!(found.is_none(), "{} depends on {found:?}", package.name);
    }
}

#[test]
fn some_crates_are_kept_out_of_the_house() {
    let banned =
        ["openssl", "openssl-sys", "aws-lc-rs", "native-tls", "rocksdb", "datafusion", "rdkafka", "scylla"];
    for package in packages().expect("cargo metadata") {
        assert!(!banned.contains(&package.name.as_str()), "{} is in the lock file", package.name);
    }
}

#[test]
fn every_dependency_has_a_permissive_licence() {
    for package in packages().expect("cargo metadata") {
        let expression = package.license.replace(['(', ')'], "").replace('/', " OR ");
        let free = |choice: &str| choice.split(" AND ").all(|l| PERMISSIVE.contains(&l.trim()));
        assert!(expression.split(" OR ").any(free), "{} is under {:?}", package.name, package.license);
    }
}
