//! Looks at the repository as text: its files, its dependency graph, its README.
//!
//! Knows: paths and `cargo metadata`. Must not know: what any code does. The rules themselves are in `tests/it`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// Every file that git knows or would add, relative to the root.
///
/// # Errors
/// When git is not there.
pub fn files() -> Result<Vec<String>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .context("run git ls-files")?;
    ensure!(listed.status.success(), "git ls-files failed");
    let names = String::from_utf8(listed.stdout)?;
    Ok(names.lines().filter(|f| root().join(f).is_file()).map(ToOwned::to_owned).collect())
}

/// Text of a file of the repository.
///
/// # Errors
/// When it cannot be read as UTF-8.
pub fn read(file: &str) -> Result<String> {
    std::fs::read_to_string(root().join(file)).with_context(|| format!("read {file}"))
}

/// A package of the lock file or of this workspace.
#[derive(Debug, Clone)]
pub struct Package {
    /// Name.
    pub name: String,
    /// SPDX expression.
    pub license: String,
    /// Whether it is a member of this workspace.
    pub ours: bool,
    /// Names of what it depends on outside its tests.
    pub dependencies: Vec<String>,
}

/// All packages that a build for Linux uses.
///
/// # Errors
/// When cargo fails.
pub fn packages() -> Result<Vec<Package>> {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform=x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .context("run cargo metadata")?;
    ensure!(metadata.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout)?;
    Ok(list(&metadata, "/packages").iter().map(package).collect())
}

fn package(p: &Value) -> Package {
    let text = |pointer: &str| p.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let dependencies =
        list(p, "/dependencies").iter().filter(|d| d.pointer("/kind").is_none_or(Value::is_null));
    let name = |d: &Value| d.pointer("/name").and_then(Value::as_str).unwrap_or_default().to_owned();
    Package {
        name: text("/name"),
        license: text("/license"),
        ours: p.pointer("/source").is_none_or(Value::is_null),
        dependencies: dependencies.map(name).collect(),
    }
}

fn list<'a>(v: &'a Value, pointer: &str) -> &'a [Value] {
    v.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
