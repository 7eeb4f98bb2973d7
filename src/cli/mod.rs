//! From the command line to a checked configuration.

pub(crate) mod arguments;
pub(crate) mod duration;
mod error;
pub(crate) mod flags;
mod values;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser};

use crate::commands;
use crate::haproxy::patterns::ProxyFilter;
use crate::haproxy::uri::ScrapeUri;
use crate::log::{Format, Level};
use crate::net::address::TlsOptions;
use crate::server::listen::ListenAddress;
use crate::sys::InheritedFd;
use crate::version;
use error::ValueError;
use flags::{Flag, Takes};
use values::{
    columns, listen_address, log_format, log_level, master_socket, max_response_bytes, profile,
    ready_fd, rows_per_question, scrape_uri, socket_mode, states, target, telemetry_path, timeout,
};

pub(crate) use error::UsageError;

/// Flags that may be given more than once.
const REPEATABLE: [&str; 4] = [
    "haproxy.target",
    "web.listen-address",
    "haproxy.proxy-include",
    "haproxy.proxy-exclude",
];

/// Flags about the HAProxy of `--haproxy.scrape-uri` alone.
const OF_SCRAPE_URI: [&str; 2] = ["haproxy.pid-file", "haproxy.master-socket"];

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    /// Serve metrics.
    Run(Box<Config>),
    /// Print a text on standard output and leave.
    Print(String),
}

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// `--haproxy.scrape-uri`, without a name, unless only targets were given; then `--haproxy.target`
    pub targets: Vec<(String, ScrapeUri)>,
    /// `--haproxy.timeout`, above zero
    pub timeout: Duration,
    /// `--haproxy.pid-file`
    pub pid_file: Option<PathBuf>,
    /// `--haproxy.master-socket`, a unix or TCP socket
    pub master_socket: Option<ScrapeUri>,
    /// `--haproxy.metric-names`, by its number
    pub profile: usize,
    /// `--haproxy.proxy-include`, `--haproxy.proxy-exclude`
    pub proxies: ProxyFilter,
    /// `--haproxy.server-metric-fields`
    pub server_columns: Vec<usize>,
    /// `--haproxy.server-exclude-states`
    pub excluded_states: Vec<Vec<u8>>,
    /// `--haproxy.rows-per-question`
    pub rows_per_question: usize,
    /// `--haproxy.peers`
    pub peers: bool,
    /// `--haproxy.certificates`
    pub certificates: bool,
    /// `--haproxy.max-response-bytes`
    pub max_response_bytes: u64,
    /// `--haproxy.ssl-verify`, `--haproxy.ssl-ca-file`, `--haproxy.ssl-server-name`
    pub tls: TlsOptions,
    /// `--http.proxy-from-env`
    pub proxy_from_env: bool,
    /// `--web.listen-address`
    pub listen: Vec<ListenAddress>,
    /// `--web.telemetry-path`
    pub telemetry_path: String,
    /// `--web.systemd-socket`
    pub systemd_socket: bool,
    /// `--web.socket-mode`
    pub socket_mode: u32,
    /// `--ready-fd`
    pub ready_fd: Option<InheritedFd>,
    /// `--once`
    pub once: bool,
    /// `--log.level`
    pub log_level: Level,
    /// `--log.format`
    pub log_format: Format,
}

/// Reads a command line without the program's name.
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
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Print(flags::help())),
            Arg::Long("version") => return Ok(Command::Print(version::text())),
            Arg::Long(name) => {
                let (flag, on) = flags::find(name)
                    .ok_or_else(|| UsageError::UnknownFlag(format!("--{}", name.escape_debug())))?;
                given.take(flag, on, &mut parser)?;
            }
            // `one_dash` lets no other pass.
            Arg::Short(letter) => return Err(UsageError::UnknownFlag(format!("-{letter}"))),
            Arg::Value(value) => {
                let shown = without_value(&value.to_string_lossy());
                return Err(UsageError::Unexpected(shown));
            }
        }
    }
    let config = given.config()?;
    if given.switch("list-metrics") {
        return Ok(Command::Print(commands::catalog(&[]).list(config.profile)));
    }
    Ok(Command::Run(Box::new(config)))
}

/// What is wrong with an argument that begins with one dash, as flags did in old unit files; `-h` alone
/// is a flag, and `-` is a value. What may be a password is not repeated.
fn one_dash(argument: &OsStr) -> Option<UsageError> {
    let text = argument.to_string_lossy();
    let rest = text.strip_prefix('-')?;
    if rest.is_empty() || rest == "h" || rest.starts_with('-') {
        return None;
    }
    let name = rest.split(['=', ':', '@']).next().unwrap_or_default();
    let shown = name.escape_debug().to_string();
    let is_flag = matches!(name, "help" | "version") || flags::find(name).is_some();
    Some(match is_flag {
        true => UsageError::OneDash(shown),
        false => UsageError::UnknownFlag(format!("-{shown}")),
    })
}

/// The flags that were given, with their texts; switches as `true` and `false`.
#[derive(Default)]
struct Given {
    values: Vec<(&'static str, String)>,
}

impl Given {
    fn take(
        &mut self,
        flag: &'static Flag,
        on: bool,
        parser: &mut Parser,
    ) -> Result<(), UsageError> {
        let name = flag.name;
        let text = |value: OsString| {
            value
                .into_string()
                .map_err(|value| UsageError::NotUtf8(name, value))
        };
        let value = match flag.takes {
            Takes::Value(..) => text(value(parser).ok_or(UsageError::NoValue(name))?)?,
            Takes::Switch(_) => match parser.optional_value().map(text).transpose()? {
                None => on.to_string(),
                Some(value) if !on => {
                    return Err(UsageError::OffWithValue(name, value));
                }
                Some(value) => match value.as_str() {
                    "true" | "1" => "true".to_owned(),
                    "false" | "0" => "false".to_owned(),
                    _ => {
                        let error = ValueError::MustBe("true or false", value);
                        return Err(UsageError::Value(name, error));
                    }
                },
            },
        };
        if !REPEATABLE.contains(&name) && self.is_given(name) {
            return Err(UsageError::Twice(name));
        }
        self.values.push((name, value));
        Ok(())
    }

    fn is_given(&self, name: &str) -> bool {
        self.given(name).next().is_some()
    }

    /// What is scraped, by name: see `Config::targets`.
    fn targets(&self) -> Result<Vec<(String, ScrapeUri)>, UsageError> {
        let unnamed = self.parsed("haproxy.scrape-uri", scrape_uri)?;
        let mut targets = self
            .named_targets()
            .map_err(UsageError::of("haproxy.target"))?;
        if targets.is_empty() || self.is_given("haproxy.scrape-uri") {
            targets.insert(0, (String::new(), unnamed));
            return Ok(targets);
        }
        let is_given = |flag: &&str| !self.value(flag).is_empty();
        match OF_SCRAPE_URI.into_iter().find(is_given) {
            Some(flag) => Err(UsageError::NoScrapeUri(flag)),
            None => Ok(targets),
        }
    }

    fn named_targets(&self) -> Result<Vec<(String, ScrapeUri)>, ValueError> {
        let mut targets: Vec<(String, ScrapeUri)> = Vec::new();
        for text in self.all("haproxy.target") {
            let (name, uri) = target(&text)?;
            if targets.iter().any(|(other, _)| *other == name) {
                return Err(ValueError::TargetTwice(name));
            }
            targets.push((name, uri));
        }
        Ok(targets)
    }

    /// All texts that were given for a flag.
    fn given<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let given = self.values.iter().filter(move |(other, _)| *other == name);
        given.map(|(_, value)| value.as_str())
    }

    /// The same for a repeatable flag; empty texts are left out.
    fn all(&self, name: &str) -> Vec<String> {
        let texts = self.given(name).filter(|text| !text.is_empty());
        texts.map(str::to_owned).collect()
    }

    /// What was given for a flag, else its default.
    fn value(&self, name: &str) -> &str {
        let default = || match flags::find(name).map(|(flag, _)| flag.takes) {
            Some(Takes::Value(_, default)) => default,
            Some(Takes::Switch(true)) => "true",
            _ => "",
        };
        self.given(name).next().unwrap_or_else(default)
    }

    fn switch(&self, name: &str) -> bool {
        self.value(name) == "true"
    }

    /// A value that is left out when empty.
    fn text(&self, name: &str) -> Option<String> {
        Some(self.value(name))
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    }

    fn parsed<T>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Result<T, UsageError> {
        parse(self.value(name)).map_err(UsageError::of(name))
    }

    fn config(&self) -> Result<Config, UsageError> {
        if !self.value("web.config.file").is_empty() {
            return Err(UsageError::ConfigFile);
        }
        let tls = TlsOptions {
            insecure: !self.switch("haproxy.ssl-verify"),
            ca_file: self.text("haproxy.ssl-ca-file"),
            server_name: self.text("haproxy.ssl-server-name"),
        };
        if !cfg!(feature = "tls") && (tls.ca_file.is_some() || tls.server_name.is_some()) {
            return Err(UsageError::NoTls(match tls.ca_file {
                Some(_) => "haproxy.ssl-ca-file",
                None => "haproxy.ssl-server-name",
            }));
        }
        Ok(Config {
            targets: self.targets()?,
            timeout: self.parsed("haproxy.timeout", timeout)?,
            pid_file: self.text("haproxy.pid-file").map(PathBuf::from),
            master_socket: self.parsed("haproxy.master-socket", master_socket)?,
            profile: self.parsed("haproxy.metric-names", profile)?,
            proxies: ProxyFilter {
                include: self.all("haproxy.proxy-include"),
                exclude: self.all("haproxy.proxy-exclude"),
            },
            server_columns: self.parsed("haproxy.server-metric-fields", columns)?,
            excluded_states: states(self.value("haproxy.server-exclude-states")),
            rows_per_question: self.parsed("haproxy.rows-per-question", rows_per_question)?,
            peers: self.switch("haproxy.peers"),
            certificates: self.switch("haproxy.certificates"),
            max_response_bytes: self.parsed("haproxy.max-response-bytes", max_response_bytes)?,
            tls,
            proxy_from_env: self.switch("http.proxy-from-env"),
            listen: self.listen_addresses()?,
            telemetry_path: self.parsed("web.telemetry-path", telemetry_path)?,
            systemd_socket: self.switch("web.systemd-socket"),
            socket_mode: self.parsed("web.socket-mode", socket_mode)?,
            ready_fd: self.parsed("ready-fd", ready_fd)?,
            once: self.switch("once"),
            log_level: self.parsed("log.level", log_level)?,
            log_format: self.parsed("log.format", log_format)?,
        })
    }

    fn listen_addresses(&self) -> Result<Vec<ListenAddress>, UsageError> {
        const NAME: &str = "web.listen-address";
        let given: Vec<&str> = self.given(NAME).collect();
        let texts = if given.is_empty() {
            vec![self.value(NAME)]
        } else {
            given
        };
        texts
            .into_iter()
            .map(|text| listen_address(text).map_err(UsageError::of(NAME)))
            .collect()
    }
}

/// The value of a flag, behind `=` or as the next argument. A next argument that starts with a dash
/// means that the value is missing (an empty shell variable, say): the next flag must not be lost with it.
fn value(parser: &mut Parser) -> Option<OsString> {
    parser.optional_value().or_else(|| {
        let value = parser.value().ok()?;
        (value == "-" || !value.as_encoded_bytes().starts_with(b"-")).then_some(value)
    })
}

/// What may be a URI with a password is not repeated.
fn without_value(argument: &str) -> String {
    match argument.find(['=', ':', '@']) {
        Some(at) => format!("{:?}...", &argument[..at]),
        None => format!("{argument:?}"),
    }
}

#[cfg(test)]
mod tests;
