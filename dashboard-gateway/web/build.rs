//! Writes a table of everything in `dist`: bytes, compressed siblings, media type, hash.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Extensions of what `deploy/web.sh` compresses.
const COMPRESSED: [&str; 8] = ["css", "html", "js", "json", "map", "svg", "txt", "webmanifest"];
/// A sibling that saves less is left out.
const SAVED_PERCENT_MIN: u64 = 5;

fn main() -> io::Result<()> {
    let dist = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("dist");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", dist.display());
    if !dist.join("index.html").is_file() {
        let place = dist.display();
        println!(
            "cargo::error=the web app is not built: {place}/index.html is missing; run `make web` in the root"
        );
        return Ok(());
    }
    let mut paths = Vec::new();
    walk(&dist, &mut paths)?;
    let mut files: Vec<_> = paths.iter().map(|path| (name(path, &dist), path)).collect();
    files.sort();
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    for (name, path) in files {
        if name != "index.html" && !is_compressed_sibling(path) {
            table.push_str(&entry(path, &name)?);
        }
    }
    table.push_str("];\n");
    let index = dist.join("index.html");
    let _strings_take_all = writeln!(table, "static INDEX: &str = include_str!({:?});", index.display());
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?).join("assets.rs");
    fs::write(out, table)
}

/// All files below `dir` whose names do not begin with a dot.
fn walk(dir: &Path, out: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if path.is_dir() {
            walk(&path, out)?;
        } else if !hidden {
            out.push(path);
        }
    }
    Ok(())
}

/// Path below `dist` with `/` between folders.
fn name(path: &Path, dist: &Path) -> String {
    let below = path.strip_prefix(dist).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|p| p.to_string_lossy().into_owned()).collect();
    parts.join("/")
}

fn extension(path: &Path) -> &str {
    path.extension().and_then(|e| e.to_str()).unwrap_or_default()
}

fn is_compressed_sibling(path: &Path) -> bool {
    ["br", "gz"].contains(&extension(path)) && path.with_extension("").is_file()
}

fn entry(path: &Path, name: &str) -> io::Result<String> {
    let raw = fs::read(path)?;
    let media_type = media_type(extension(path));
    let hash = xxhash_rust::xxh3::xxh3_128(&raw);
    let (br, gz) = (sibling(path, "br", raw.len())?, sibling(path, "gz", raw.len())?);
    let place = path.display();
    Ok(format!(
        "Asset {{ path: {name:?}, media_type: {media_type:?}, hash: \"{hash:032x}\", hashed_name: {}, \
         raw: include_bytes!(\"{place}\"), br: {br}, gz: {gz} }},\n",
        has_hashed_name(path),
    ))
}

/// The expression that embeds a compressed sibling; `None` where it would save nothing.
fn sibling(path: &Path, suffix: &str, raw_bytes: usize) -> io::Result<String> {
    if !COMPRESSED.contains(&extension(path)) {
        return Ok("None".to_owned());
    }
    let sibling = PathBuf::from(format!("{}.{suffix}", path.display()));
    let Ok(meta) = fs::metadata(&sibling) else {
        let missing = sibling.display();
        println!("cargo::error={missing} is missing: the web app was built by halves; run `make web`");
        return Ok("None".to_owned());
    };
    let raw_bytes = u64::try_from(raw_bytes).map_err(io::Error::other)?;
    if meta.len() * 100 > raw_bytes * (100 - SAVED_PERCENT_MIN) {
        return Ok("None".to_owned());
    }
    Ok(format!("Some(include_bytes!(\"{}\"))", sibling.display()))
}

/// Vite names a chunk `name-XXXXXXXX.js`: eight characters of base64url made from its content.
fn has_hashed_name(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    let in_assets = path.iter().any(|part| part == "assets");
    let is_hash = |h: &str| h.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let split = stem.len().checked_sub(9).and_then(|at| Some((stem.get(at..=at)?, stem.get(at + 1..)?)));
    in_assets && split.is_some_and(|(dash, hash)| dash == "-" && is_hash(hash))
}

fn media_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "gif" => "image/gif",
        "ico" => "image/x-icon",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
