//! Errors of the command line.

use std::error::Error;
use std::ffi::OsString;
use std::fmt::{self, Display};

use super::flags::{self, SCRAPE_URI};
use crate::masked::masked;

/// Why a command line is invalid. The texts never contain what could be a password.
#[derive(Debug)]
pub enum UsageError {
    /// Why argument files cannot be used.
    File(String),
    /// The parser rejected it.
    Parser(lexopt::Error),
    /// Unknown flag, with its dashes.
    UnknownFlag(String),
    /// A flag and its value in one argument, with a blank between them; its name.
    Blank(String),
    /// A flag with one dash instead of two; its name.
    OneDash(String),
    /// An argument that is not a flag, quoted.
    Unexpected(String),
    /// A flag without its value.
    NoValue(&'static str),
    /// A value after a `--no-` form.
    OffWithValue(&'static str, String),
    /// A value that is not text.
    NotUtf8(&'static str, OsString),
    /// A flag that can be given only once.
    Twice(&'static str),
    /// A flag that needs a CLI socket, while no HAProxy instance has one.
    NoCli(&'static str),
    /// A flag about the HAProxy of `--haproxy.scrape-uri`, while only targets are given.
    NoScrapeUri(&'static str),
    /// An invalid value, and the reason.
    Value(&'static str, String),
}

impl Error for UsageError {}

impl Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => f.write_str(error),
            Self::Parser(error) => error.fmt(f),
            Self::UnknownFlag(flag) => match nearest(flag) {
                Some(name) => write!(f, "unknown flag {flag}: write --{name}"),
                None => write!(f, "unknown flag {flag} (try --help)"),
            },
            Self::Blank(name) => write!(
                f,
                "--{name}: write --{name}=VALUE, without a blank, as each line of a file is one argument"
            ),
            Self::OneDash(name) => {
                write!(f, "unknown flag -{name}: write --{name}, with two dashes")
            }
            Self::Unexpected(shown) => write!(f, "unexpected argument {shown} (try --help)"),
            Self::NoValue(flag) => write!(f, "--{flag} needs a value"),
            Self::OffWithValue(flag, value) => {
                write!(f, "--no-{flag} takes no value ({:?})", masked(value))
            }
            Self::NotUtf8(flag, value) => {
                let shown = format!("{value:?}");
                let shown = masked(shown.trim_matches('"'));
                write!(f, "--{flag}: \"{shown}\" is not UTF-8")
            }
            Self::Twice(flag) => write!(f, "--{flag} is given twice"),
            Self::NoCli(flag) => write!(
                f,
                "--{flag} needs a CLI socket: write --{SCRAPE_URI}=unix:/path, the path of \"stats socket\", \
                 instead of a stats page or a file"
            ),
            Self::NoScrapeUri(flag) => write!(
                f,
                "--{flag} is about the HAProxy of --{SCRAPE_URI}, which must be given as well"
            ),
            Self::Value(flag, error) => write!(f, "--{flag}: {error}"),
        }
    }
}

/// The most letters that differ between what was written and the flag that was meant.
const MOST_TYPOS: usize = 3;

/// The flag that an unknown one most likely stands for: one with the same end, or with few typing errors.
fn nearest(flag: &str) -> Option<&'static str> {
    let name = flag.trim_start_matches('-');
    // Not every flag has this form.
    if name.starts_with("no-") {
        return None;
    }
    let names = || {
        flags::all()
            .map(|flag| flag.name)
            .chain(["help", "version"])
    };
    let ends_alike = |known: &&str| known.split_once('.').is_some_and(|(_, end)| end == name);
    names().find(ends_alike).or_else(|| {
        let distances = names().map(|known| (distance(name, known), known));
        let (typos, known) = distances.min_by_key(|(typos, _)| *typos)?;
        (typos <= MOST_TYPOS.min(name.len() / 2)).then_some(known)
    })
}

/// Letters to add, to remove or to replace until one text is the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    // A long text is no typing error.
    if one.len() > 2 * other.len() {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.bytes().enumerate() {
        let mut corner = row[0];
        row[0] = at + 1;
        for (column, expected) in other.bytes().enumerate() {
            let replaced = corner + usize::from(letter != expected);
            corner = row[column + 1];
            row[column + 1] = replaced.min(corner + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}
