//! Parses the command line into a checked configuration.

pub(crate) mod arguments;
pub(crate) mod duration;
mod error;
pub(crate) mod flags;
mod help;
mod values;

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};

use lexopt::{Arg, Parser};

use crate::commands;
use crate::config::{Config, Flag, Takes};
use crate::haproxy::uri::ScrapeUri;
use crate::masked::masked;
use crate::server::targets::{Targets, UNNAMED};
use crate::version;

pub(crate) use error::UsageError;

/// What the command line requests.
#[derive(Debug)]
pub enum Command {
    /// Serve metrics.
    Run(Box<Config>),
    /// Print a text on standard output and exit.
    Print(String),
}

/// Parses a command line without the program's name.
///
/// # Errors
/// The flag and the reason.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let arguments = arguments::expand(arguments).map_err(UsageError::File)?;
    let mut parser = Parser::from_args(arguments);
    let mut given = Given::default();
    loop {
        if let Some(flag) = parser
            .try_raw_args()
            .and_then(|arguments| one_dash(arguments.peek()?))
        {
            return Err(flag);
        }
        let Some(argument) = parser.next().map_err(UsageError::Parser)? else {
            break;
        };
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Print(help::text())),
            Arg::Long("version") => return Ok(Command::Print(version::text())),
            Arg::Long(name) => {
                let (flag, on) = flags::find(name).ok_or_else(|| unknown(name))?;
                given.take(flag, on, &mut parser)?;
            }
            // `one_dash` has rejected all others.
            Arg::Short(letter) => return Err(UsageError::UnknownFlag(format!("-{letter}"))),
            Arg::Value(value) => {
                let shown = without_value(&value.to_string_lossy());
                return Err(UsageError::Unexpected(shown));
            }
        }
    }
    let config = given.config()?;
    if config.list_metrics {
        return Ok(Command::Print(commands::catalog(&[]).list(config.profile)));
    }
    Ok(Command::Run(Box::new(config)))
}

/// The error for a flag that there is not. In an argument file a blank may stand in for the `=`: then what
/// follows, which could be a password, is part of the name.
fn unknown(name: &str) -> UsageError {
    let word = first_word(name);
    let shown = word.escape_debug().to_string();
    match flags::find(word) {
        Some(_) if word.len() < name.len() => UsageError::Blank(shown),
        _ => UsageError::UnknownFlag(format!("--{shown}")),
    }
}

/// The error for an argument that begins with one dash, as flags did in old unit files. Only `-h`
/// is a flag, and `-` is a value. What could be a password is not repeated.
fn one_dash(argument: &OsStr) -> Option<UsageError> {
    let text = argument.to_string_lossy();
    let rest = text.strip_prefix('-')?;
    if rest.is_empty() || rest == "h" || rest.starts_with('-') {
        return None;
    }
    let name = first_word(rest);
    let shown = name.escape_debug().to_string();
    let is_flag = matches!(name, "help" | "version") || flags::find(name).is_some();
    Some(match is_flag {
        true => UsageError::OneDash(shown),
        false => UsageError::UnknownFlag(format!("-{shown}")),
    })
}

/// The flags that were given, with their texts; switches as `true` and `false`.
#[derive(Default)]
struct Given(Vec<(&'static Flag, String)>);

impl Given {
    fn take(
        &mut self,
        flag: &'static Flag,
        on: bool,
        parser: &mut Parser,
    ) -> Result<(), UsageError> {
        let name = flag.name;
        let given = match flag.takes {
            Takes::Switch(_) | Takes::Optional(..) => parser.optional_value(),
            _ => Some(value(parser).ok_or(UsageError::NoValue(name))?),
        };
        let given = given.map(OsString::into_string).transpose();
        let text = match given.map_err(|value| UsageError::NotUtf8(name, value))? {
            Some(value) if value.is_empty() && matches!(flag.takes, Takes::Optional(..)) => {
                return Err(UsageError::NoValue(name));
            }
            Some(value) if !on => return Err(UsageError::OffWithValue(name, value)),
            Some(value) => value,
            None => match flag.takes {
                Takes::Optional(_, nothing) => nothing.to_owned(),
                _ => on.to_string(),
            },
        };
        if !matches!(flag.takes, Takes::Values(..)) && self.texts(name).next().is_some() {
            return Err(UsageError::Twice(name));
        }
        self.0.push((flag, text));
        Ok(())
    }

    /// All texts that were given for a flag.
    fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        let given = self.0.iter().filter(move |(flag, _)| flag.name == name);
        given.map(|(_, text)| text.as_str())
    }

    fn config(&self) -> Result<Config, UsageError> {
        let mut config = Config::default();
        for flag in flags::all() {
            let default = self.texts(flag.name).next().is_none();
            let default = default.then(|| flag.default());
            for text in self.texts(flag.name).chain(default) {
                (flag.set)(&mut config, text).map_err(|why| {
                    UsageError::Value(flag.name, without_password(flag, text, why))
                })?;
                if text != flag.default() {
                    let shown = format!("--{}={}", flag.name, masked(text));
                    config.changed.push(shown);
                }
            }
        }
        self.remove_default_target(&mut config)?;
        let has_cli =
            |(_, uri): &(_, ScrapeUri)| matches!(uri, ScrapeUri::Unix(_) | ScrapeUri::Tcp(_));
        let needing = commands::flags_of(&config.commands).next();
        if let Some(flag) = needing
            && !config.targets.iter().any(has_cli)
        {
            return Err(UsageError::NoCli(flag.name));
        }
        keep_one(&mut config)?;
        Ok(config)
    }

    /// The default of the scrape URI does not count where only targets are given.
    fn remove_default_target(&self, config: &mut Config) -> Result<(), UsageError> {
        if config.targets.len() > 1 && self.texts(flags::SCRAPE_URI).next().is_none() {
            config.targets.remove(0);
            let is_given = |name| self.texts(name).any(|text| !text.is_empty());
            let mut of_it = flags::all().filter(|flag| flag.is_of_scrape_uri);
            if let Some(flag) = of_it.find(|flag| is_given(flag.name)) {
                return Err(UsageError::NoScrapeUri(flag.name));
            }
        }
        Ok(())
    }
}

/// What is said of `--label` without `--once`.
const LABEL_ALONE: &str =
    "needs --once; where Prometheus scrapes the exporter, it adds labels itself (static_configs)";

/// Of the HAProxy instances, `--once` needs one.
fn keep_one(config: &mut Config) -> Result<(), UsageError> {
    let Some(wanted) = &config.once else {
        return match config.labels.is_empty() {
            true => Ok(()),
            false => Err(UsageError::Value(flags::LABEL, LABEL_ALONE.to_owned())),
        };
    };
    let names: Vec<_> = config
        .targets
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    let found = match wanted.as_str() {
        flags::THE_ONLY_ONE if names.len() == 1 => Ok(0),
        flags::THE_ONLY_ONE => {
            let shown = names.iter().map(|name| match name.as_str() {
                "" => UNNAMED,
                name => name,
            });
            let shown = shown.collect::<Vec<_>>().join(", ");
            Err(format!("write --{}=NAME with one of {shown}", flags::ONCE))
        }
        wanted => {
            let found = Targets::new(names).find(Some(&masked(wanted)));
            found.map_err(|error| error.to_string())
        }
    };
    let found = found.map_err(|why| UsageError::Value(flags::ONCE, why))?;
    config.targets = vec![config.targets.swap_remove(found)];
    Ok(())
}

/// Why a value is invalid. Most reasons quote it, and it can be a URI that belongs to another flag; those that
/// take one mind its password themselves.
fn without_password(flag: &Flag, text: &str, why: String) -> String {
    let minds_passwords = matches!(flag.name, flags::SCRAPE_URI | flags::TARGET);
    match masked(text) {
        Cow::Owned(shown) if !minds_passwords => format!("{shown:?} belongs to another flag"),
        _ => why,
    }
}

/// The value of a flag: after `=`, or the next argument. If the next argument begins with a dash,
/// the value is missing (an empty shell variable, for example), and the next flag must not be lost
/// with it.
fn value(parser: &mut Parser) -> Option<OsString> {
    parser.optional_value().or_else(|| {
        let value = parser.value().ok()?;
        (value == "-" || !value.as_encoded_bytes().starts_with(b"-")).then_some(value)
    })
}

/// What could be a URI with a password is not repeated.
fn without_value(argument: &str) -> String {
    match first_word(argument) {
        word if word.len() < argument.len() => format!("{word:?}..."),
        word => format!("{word:?}"),
    }
}

/// An argument up to the first character that may be followed by a value.
fn first_word(argument: &str) -> &str {
    let ends = |c: char| matches!(c, '=' | ':' | '@') || c == ' ' || c == '\t';
    argument.split(ends).next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
