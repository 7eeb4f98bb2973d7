//! What the command line has set; everybody reads the same.

use std::path::PathBuf;
use std::time::Duration;

use crate::haproxy::rules::Filter;
use crate::haproxy::uri::ScrapeUri;
use crate::log::{Format, Level};
use crate::net::address::TlsOptions;
use crate::server::listen::ListenAddress;
use crate::sys::InheritedFd;

/// A checked configuration. Made once, with what the flags' defaults say, and kept while the process
/// lives.
#[derive(Debug, Default)]
pub struct Config {
    /// The HAProxy of `--haproxy.scrape-uri`, without a name, unless only targets were given; then those
    /// of `--haproxy.target`.
    pub targets: Vec<(String, ScrapeUri)>,
    /// Above zero.
    pub timeout: Duration,
    /// HAProxy's pid file.
    pub pid_file: Option<PathBuf>,
    /// The CLI of the master process, a unix or TCP socket.
    pub master_socket: Option<ScrapeUri>,
    /// The names of the metrics, by their profile's number.
    pub profile: usize,
    /// Which rows are exported.
    pub filter: Filter,
    /// The columns of servers with a metric under the exporter's names.
    pub server_columns: Vec<usize>,
    /// The commands that a flag has turned on.
    pub commands: Vec<&'static str>,
    /// The most bytes an answer may have.
    pub max_response_bytes: u64,
    /// How https peers are checked.
    pub tls: TlsOptions,
    /// Whether the environment's proxy is used.
    pub proxy_from_env: bool,
    /// Where to serve.
    pub listen: Vec<ListenAddress>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// Whether systemd's sockets are served on instead.
    pub systemd_socket: bool,
    /// Permissions of socket files.
    pub socket_mode: u32,
    /// The supervisor's descriptor.
    pub ready_fd: Option<InheritedFd>,
    /// Whether to scrape once and leave.
    pub once: bool,
    /// Whether to check the flags and leave.
    pub check_flags: bool,
    /// Whether to list the metrics and leave.
    pub list_metrics: bool,
    /// The least severity to log.
    pub log_level: Level,
    /// The shape of log lines.
    pub log_format: Format,
}

impl Config {
    /// Turns a command on or off.
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

/// One flag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    /// Name without the dashes.
    pub name: &'static str,
    /// What the flag takes.
    pub takes: Takes,
    /// What it is for.
    pub help: &'static str,
    /// Sets it, to what was given or else to its default; `true` or `false` for a switch.
    ///
    /// # Errors
    /// Why the text cannot be used.
    pub set: fn(&mut Config, &str) -> Result<(), String>,
    /// Whether it is about the HAProxy of `--haproxy.scrape-uri` alone.
    pub is_of_scrape_uri: bool,
}

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing: on, or off as `--no-NAME`. Holds the default.
    Switch(bool),
    /// A value; holds its name and its default.
    Value(&'static str, &'static str),
    /// The same of a flag that may be given more than once.
    Values(&'static str, &'static str),
}

impl Flag {
    /// A flag about all HAProxys.
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

    /// The text that it is set to where it is not given.
    pub(crate) fn default(&self) -> &'static str {
        match self.takes {
            Takes::Switch(true) => "true",
            Takes::Switch(false) => "false",
            Takes::Value(_, default) | Takes::Values(_, default) => default,
        }
    }
}

/// Sets a field to what a text says.
///
/// # Errors
/// Why the text cannot be used.
pub(crate) fn put<T>(field: &mut T, value: Result<T, String>) -> Result<(), String> {
    *field = value?;
    Ok(())
}

/// Sets a switch.
///
/// # Errors
/// When the text is neither `true` nor `false`; 1 and 0 stand for them.
pub(crate) fn turn(field: &mut bool, text: &str) -> Result<(), String> {
    *field = match text {
        "true" | "1" => true,
        "false" | "0" => false,
        _ => return Err(format!("must be true or false, not {text:?}")),
    };
    Ok(())
}
