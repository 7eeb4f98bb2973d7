//! Why a command line cannot be used.

use std::error::Error;
use std::ffi::OsString;
use std::fmt::{self, Display};

use super::arguments::FileError;
use super::duration::DurationError;
use crate::net::address::AddressError;

/// What is wrong with a command line. What may be a password is not in it.
#[derive(Debug)]
pub enum UsageError {
    /// An argument file cannot be used.
    File(FileError),
    /// The parser does not understand it.
    Parser(lexopt::Error),
    /// No such flag; with its dashes.
    UnknownFlag(String),
    /// A flag with one dash instead of two, by its name.
    OneDash(String),
    /// An argument that is not a flag, quoted.
    Unexpected(String),
    /// A flag without its value.
    NoValue(&'static str),
    /// A value behind a `--no-` form.
    OffWithValue(&'static str, String),
    /// A value that is not text.
    NotUtf8(&'static str, OsString),
    /// A flag that may be given once.
    Twice(&'static str),
    /// `--web.config.file`, which asks for TLS and passwords.
    ConfigFile,
    /// A flag about the HAProxy of `--haproxy.scrape-uri`, where only targets are given.
    NoScrapeUri(&'static str),
    /// A flag that needs a build with TLS.
    NoTls(&'static str),
    /// A value that the flag does not take.
    Value(&'static str, ValueError),
}

/// What is wrong with the value of a flag.
#[derive(Debug)]
pub enum ValueError {
    /// A scrape URI.
    Uri(AddressError),
    /// A URI that is not one of a CLI socket.
    NotSocket,
    /// A listen address.
    Address(String, AddressError),
    /// A duration.
    Duration(DurationError),
    /// A duration of nothing.
    Zero,
    /// A number: the least, the largest, and what was given.
    Number(u64, u64, String),
    /// What it must be, and what was given.
    MustBe(&'static str, String),
    /// A column that is not a number.
    Column(String),
    /// A target without its name.
    TargetWithoutName,
    /// The name of a target.
    TargetName(String),
    /// The URI of a target of this name.
    TargetUri(String, AddressError),
    /// The name of two targets.
    TargetTwice(String),
    /// A path of so many bytes at most.
    PathTooLong(usize),
    /// A path of a URL that does not begin with a slash.
    PathWithoutSlash(String),
    /// A path of a URL that leads to another page.
    PathTaken(String),
    /// A path of a URL with a character that must be encoded, or would break a page.
    PathCharacter(String),
}

impl UsageError {
    /// A value that `flag` does not take.
    pub(super) fn of(flag: &'static str) -> impl Fn(ValueError) -> Self {
        move |error| Self::Value(flag, error)
    }
}

impl Error for UsageError {}

impl Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Parser(error) => error.fmt(f),
            Self::UnknownFlag(flag) => write!(f, "unknown flag {flag} (try --help)"),
            Self::OneDash(name) => {
                write!(f, "unknown flag -{name}: write --{name}, with two dashes")
            }
            Self::Unexpected(shown) => write!(f, "unexpected argument {shown} (try --help)"),
            Self::NoValue(flag) => write!(f, "--{flag} needs a value"),
            Self::OffWithValue(flag, value) => write!(f, "--no-{flag} takes no value ({value:?})"),
            Self::NotUtf8(flag, value) => write!(f, "--{flag}: {value:?} is not UTF-8"),
            Self::Twice(flag) => write!(f, "--{flag} is given twice"),
            Self::ConfigFile => f.write_str(
                "--web.config.file: TLS and passwords are not served here; put HAProxy in front \
                 of the exporter (README, section Security, has a tested configuration)",
            ),
            Self::NoScrapeUri(flag) => write!(
                f,
                "--{flag} is about the HAProxy of --haproxy.scrape-uri, which must be given as well"
            ),
            Self::NoTls(flag) => {
                write!(
                    f,
                    "--{flag}: this build has no TLS (build with `make TLS=1`)"
                )
            }
            Self::Value(flag, error) => write!(f, "--{flag}: {error}"),
        }
    }
}

impl Error for ValueError {}

impl Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri(error) => error.fmt(f),
            Self::NotSocket => {
                f.write_str("must be a CLI socket: unix:/path, unix:@name or tcp://host:port")
            }
            Self::Address(text, error) => write!(f, "{text:?}: {error}"),
            Self::Duration(error) => error.fmt(f),
            Self::Zero => f.write_str("must be above zero"),
            Self::Number(least, largest, text) => {
                write!(
                    f,
                    "must be a number from {least} to {largest}, not {text:?}"
                )
            }
            Self::MustBe(what, text) => write!(f, "must be {what}, not {text:?}"),
            Self::Column(word) => write!(f, "{word:?} is not a column number"),
            Self::TargetWithoutName => f.write_str("write NAME=URI"),
            Self::TargetName(name) => {
                write!(f, "{name:?} is not a name (letters, digits, _, - and .)")
            }
            Self::TargetUri(name, error) => write!(f, "{name}: {error}"),
            Self::TargetTwice(name) => write!(f, "{name:?} is given twice"),
            Self::PathTooLong(longest) => write!(f, "longer than {longest} bytes"),
            Self::PathWithoutSlash(path) => write!(f, "{path:?} does not begin with a slash"),
            Self::PathTaken(path) => write!(f, "{path:?} is taken by another page"),
            Self::PathCharacter(path) => {
                write!(f, "{path:?} holds a character that a path may not have")
            }
        }
    }
}
