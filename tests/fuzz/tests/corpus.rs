//! The corpus: every file in it keeps the promises, whatever found it once.

#![expect(clippy::unwrap_used, reason = "a test may panic, and says so")]

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_contract_of_the_corpus_keeps_the_promises() {
    for path in files("contract", 60) {
        println!("{}", path.display());
        seed_fuzz::contract(&fs::read(path).unwrap());
    }
}

#[test]
fn every_text_of_the_corpus_keeps_the_promises() {
    for path in files("text", 40) {
        println!("{}", path.display());
        seed_fuzz::text(&fs::read(path).unwrap());
    }
}

/// The files of a corpus. One that is missing, nearly empty or grown large is an error.
fn files(name: &str, least: usize) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let entries = fs::read_dir(&directory).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let bytes: u64 = files.iter().map(|it| fs::metadata(it).unwrap().len()).sum();
    assert!(
        files.len() >= least,
        "{} has too few files",
        directory.display()
    );
    assert!(
        files.len() < 200 && bytes < 300_000,
        "{} is too large",
        directory.display()
    );
    files
}
