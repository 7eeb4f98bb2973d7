//! The values of all flags, read by every module.

use std::path::PathBuf;
use std::time::Duration;

use crate::haproxy::rows::Filter;
use crate::haproxy::uri::ScrapeUri;
use crate::log::{Format, Level};
use crate::net::address::TlsOptions;
use crate::server::listen::ListenAddress;
use crate::server::response::Status;
use crate::sys::InheritedFd;

/// The flag of HAProxy's pid file.
pub(crate) const PID_FILE: &str = "haproxy.pid-file";
/// The flag of the addresses of servers.
pub(crate) const SERVER_INFO: &str = "haproxy.server-info";

/// A checked configuration. Made once, with the defaults of the flags, and kept for the life of the
/// process.
#[derive(Debug, Default)]
pub struct Config {
    /// The HAProxy of `--haproxy.scrape-uri`, without a name, unless only targets were given; then those
    /// of `--haproxy.target`.
    pub targets: Vec<(String, ScrapeUri)>,
    /// Above zero.
    pub timeout: Duration,
    /// HAProxy's pid file.
    pub pid_file: Option<PathBuf>,
    /// The URI of the master socket, a unix or TCP socket.
    pub master_socket: Option<ScrapeUri>,
    /// The metric names: the number of their profile.
    pub profile: usize,
    /// Which rows are exported.
    pub filter: Filter,
    /// The server columns with a metric under the exporter names.
    pub server_columns: Vec<usize>,
    /// Whether addresses and cookies of servers are exported.
    pub server_info: bool,
    /// The commands that flags have enabled.
    pub commands: Vec<&'static str>,
    /// Maximum size of a reply in bytes.
    pub max_response_bytes: u64,
    /// How certificates of https peers are verified.
    pub tls: TlsOptions,
    /// Whether the proxy of the environment is used.
    pub proxy_from_env: bool,
    /// Addresses to serve on.
    pub listen: Vec<ListenAddress>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// Whether metrics are compressed for clients that accept it.
    pub compression: bool,
    /// The status of responses with a failed scrape.
    pub failure_status: Status,
    /// Whether to serve on systemd's sockets instead.
    pub systemd_socket: bool,
    /// Permissions of socket files.
    pub socket_mode: u32,
    /// The file descriptor for readiness.
    pub ready_fd: Option<InheritedFd>,
    /// Scrape one of these HAProxy instances once and exit: its name, or `*` for the only one.
    pub once: Option<String>,
    /// Labels that each sample of that scrape gets, as they are written: `,name="value"`, one after the other.
    pub labels: Vec<u8>,
    /// Whether to check something and exit.
    pub check: Check,
    /// Whether to list the metrics and exit.
    pub list_metrics: bool,
    /// Minimum severity to log.
    pub log_level: Level,
    /// Format of log lines.
    pub log_format: Format,
    /// The flags whose values differ from the defaults, without what could be a password.
    pub changed: Vec<String>,
}

impl Config {
    /// Enables or disables a command.
    ///
    /// # Errors
    /// See `turn`.
    pub(crate) fn turn_command(&mut self, ask: &'static str, text: &str) -> Result<(), String> {
        let mut is_on = false;
        turn(&mut is_on, text)?;
        if is_on {
            self.commands.push(ask);
        }
        Ok(())
    }
}

/// What `--check` checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Nothing: it serves.
    #[default]
    Nothing,
    /// The flags.
    Flags,
    /// The flags, and one scrape with them.
    Scrape,
}

/// One flag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    /// Name without the dashes.
    pub name: &'static str,
    /// The kind of value.
    pub takes: Takes,
    /// The text of `--help`.
    pub help: &'static str,
    /// Sets it, to the given text or to its default; `true` or `false` for a switch.
    ///
    /// # Errors
    /// Why the text is invalid.
    pub set: fn(&mut Config, &str) -> Result<(), String>,
    /// Whether it concerns only the HAProxy of `--haproxy.scrape-uri`.
    pub is_of_scrape_uri: bool,
}

/// The kind of value of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing: on, or off as `--no-NAME`. Holds the default.
    Switch(bool),
    /// A value; holds its name and its default.
    Value(&'static str, &'static str),
    /// A value that can be given more than once; holds its name and its default.
    Values(&'static str, &'static str),
    /// A value after `=`, or nothing; holds the value's name and what nothing stands for. Off by default.
    Optional(&'static str, &'static str),
}

impl Flag {
    /// A flag that concerns all HAProxy instances.
    pub(crate) const fn new(
        name: &'static str,
        takes: Takes,
        help: &'static str,
        set: fn(&mut Config, &str) -> Result<(), String>,
    ) -> Self {
        Self {
            name,
            takes,
            help,
            set,
            is_of_scrape_uri: false,
        }
    }

    /// The text that is used if the flag is not given.
    pub(crate) fn default(&self) -> &'static str {
        match self.takes {
            Takes::Switch(true) => "true",
            Takes::Switch(false) => "false",
            Takes::Optional(..) => "",
            Takes::Value(_, default) | Takes::Values(_, default) => default,
        }
    }
}

/// Sets a field to the value of a text.
///
/// # Errors
/// Why the text is invalid.
pub(crate) fn put<T>(field: &mut T, value: Result<T, String>) -> Result<(), String> {
    *field = value?;
    Ok(())
}

/// Sets a switch.
///
/// # Errors
/// If the text is neither `true` nor `false`, nor 1 or 0.
pub(crate) fn turn(field: &mut bool, text: &str) -> Result<(), String> {
    *field = match text {
        "true" | "1" => true,
        "false" | "0" => false,
        _ => return Err(format!("must be true or false, not {text:?}")),
    };
    Ok(())
}
