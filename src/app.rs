//! The command: parses the flags, connects the parts and serves.

mod check;
mod once;

use std::fmt::{self, Display};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use std::time::Duration;

use crate::cli::flags::{PROXY_FROM_ENV, READY_FD, SYSTEMD_SOCKET};
#[cfg(feature = "tls")]
use crate::cli::flags::{SCRAPE_URI, SSL_CA_FILE, SSL_SERVER_NAME};
use crate::cli::{self, Command};
use crate::commands;
use crate::config::{Check, Config};
use crate::errno::{denied, is_denial, reason};
use crate::haproxy::error::SetupError;
use crate::haproxy::source::Source;
use crate::haproxy::uri::ScrapeUri;
use crate::log;
use crate::metrics::selection::Defaults;
use crate::net::proxy;
use crate::scrape::{Scraper, Tools};
use crate::server::doorbell;
use crate::server::event_loop::{End, EventLoop};
use crate::server::landing::About;
use crate::server::listen::{self, Listener};
use crate::server::routes::Routes;
use crate::server::scrapes::Scrapes;
use crate::server::supervisor::{self, ReadyFd};
use crate::server::targets::Targets;
use crate::sys::{self, InheritedFd, signals};

/// Exit status for an invalid command line.
const USAGE: u8 = 2;
/// Watchdog grace period of the main loop, in addition to the longest scrape.
const SPARE_TIME: Duration = Duration::from_secs(10);
/// Stack size in bytes of all threads except the main one, which runs the scrapes. Their deepest
/// code parses a request or writes a log line. Six stacks of std's 2 MiB would use most of the
/// address space under a small limit (RLIMIT_AS).
const STACK_BYTES: usize = 128 * 1024;
/// File descriptors needed in addition to the listeners': three standard streams, one for signals,
/// three for the private connection, one for a client and one for the scrape.
const DESCRIPTORS: u64 = 9;
/// The standard streams; std opens those that are closed.
const STREAMS: usize = 3;
/// Address space for the smallest HAProxy, with some to spare: 1.9 MiB were enough for 10 servers. With less
/// the process ends at a scrape, and its last words do not name the limit.
const LITTLE_ADDRESS_SPACE_BYTES: u64 = 4 << 20;
/// Exit status after a start or a run that failed.
const FAILED: u8 = 1;

/// Why the command ended, or did not start. The text contains the cause.
#[derive(Debug)]
enum StartError {
    /// The command line is invalid.
    Usage(String),
    /// Something failed.
    Failed(String),
}

impl StartError {
    /// An error of `what`.
    fn of(what: impl Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Failed(format!("{what}: {}", reason(&error)))
    }

    /// An error of what needs no permission: only a profile can deny it.
    fn of_own(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| match is_denial(&error) {
            true => Self::Failed(denied(what, &error)),
            false => Self::of(what)(error),
        }
    }

    fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Failed(_) => FAILED,
        }
    }

    /// No thread for the I/O or for `tiny_http`.
    fn no_thread(error: &io::Error) -> Self {
        let why = reason(error);
        Self::Failed(format!(
            "cannot start a thread: is there a memory or process limit? ({why})"
        ))
    }
}

impl Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

/// A source that cannot be used, with its flag.
fn setup(error: &SetupError) -> String {
    match error {
        SetupError::Proxy(_) => format!("--{PROXY_FROM_ENV}: {error}"),
        #[cfg(feature = "tls")]
        SetupError::Tls(tls) => tls_setup(tls),
    }
}

#[cfg(feature = "tls")]
fn tls_setup(error: &crate::net::tls::SetupError) -> String {
    use crate::net::tls::SetupError as Error;
    match error {
        Error::CaFile(_) => format!("--{SSL_CA_FILE}: {error}"),
        Error::ServerName(_) => format!("--{SSL_SERVER_NAME}: {error}"),
        Error::NoRoots(_) => {
            format!("--{SCRAPE_URI}: {error} (--{SSL_CA_FILE} or SSL_CERT_FILE can name some)")
        }
        Error::Host(_) | Error::Rustls(_) => format!("--{SCRAPE_URI}: {error}"),
    }
}

/// The name of standard output in errors.
const STDOUT: &str = "standard output";

/// Runs the command; returns its exit status.
pub fn main() -> ExitCode {
    if let Err(error) = sys::check_clock() {
        let call = match cfg!(target_pointer_width = "32") {
            true => "clock_gettime64",
            false => "clock_gettime",
        };
        return ExitCode::from(say(&StartError::Failed(denied(call, &error))));
    }
    let result = match cli::parse(std::env::args_os().skip(1)) {
        Ok(Command::Print(text)) => print(&text),
        Ok(Command::Run(config)) => run(*config),
        Err(error) => Err(StartError::Usage(error.to_string())),
    };
    ExitCode::from(result.unwrap_or_else(|error| say(&error)))
}

/// Prints why the command ended; returns the exit status.
fn say(error: &StartError) -> u8 {
    let reason = one_line(&error.to_string());
    log::plain(&format!("haproxy_exporter: {reason}"));
    error.status()
}

fn print(text: &str) -> Result<u8, StartError> {
    let printed = once::write_whole(&mut stdout()?, text.as_bytes());
    printed.map(|()| 0).map_err(StartError::of(STDOUT))
}

/// Standard output, unbuffered: what a non-blocking pipe did not take is then known.
///
/// # Errors
/// If it was closed when the process started: then std has put /dev/null in its place.
fn stdout() -> Result<File, StartError> {
    let out = match sys::was_stdout_closed() {
        true => Err(io::Error::other("it is closed")),
        false => io::stdout().as_fd().try_clone_to_owned(),
    };
    out.map(File::from).map_err(StartError::of(STDOUT))
}

/// Control characters in a flag value must not break the line.
fn one_line(message: &str) -> String {
    message
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Serves until the process ends, prints one scrape, or ends once the flags are checked. Returns the exit status.
fn run(mut config: Config) -> Result<u8, StartError> {
    log::configure(config.log_level, config.log_format);
    std::panic::set_hook(Box::new(report_panic));
    let ready = config.ready_fd.take();
    // Lives as long as the process.
    let config: &Config = Box::leak(Box::new(config));
    let sources = sources(config).map_err(|error| StartError::Usage(setup(&error)))?;
    match config.check {
        Check::Nothing => {}
        Check::Flags => return Ok(0),
        Check::Scrape => return check(config, sources),
    }
    if config.once.is_some() {
        return once(config, sources);
    }
    let error = start(config, ready, sources)?;
    Err(StartError::of("the server stopped")(error))
}

/// The HAProxy instances to scrape, by name.
fn sources(config: &Config) -> Result<Vec<(String, Source)>, SetupError> {
    let environment = || proxy::Environment::read(|name| std::env::var(name).ok());
    let proxy = config.proxy_from_env.then(environment);
    let source = |(name, uri): &(String, ScrapeUri)| {
        let source = Source::new(uri, &config.tls, proxy.as_ref())?;
        Ok((name.clone(), source))
    };
    config.targets.iter().map(source).collect()
}

/// A scraper for each source, and the default selection of a request.
fn scrapers(config: &'static Config, sources: Vec<(String, Source)>) -> (Vec<Scraper>, Defaults) {
    // Lives as long as the process.
    let catalog = Box::leak(Box::new(commands::catalog(&config.server_columns)));
    let defaults = Defaults {
        catalog,
        profile: config.profile,
    };
    let tools = Tools::new(config, catalog);
    let sources = sources.into_iter();
    let scrapers = sources.map(|(name, source)| {
        // Lives as long as the process.
        let name = Box::leak(name.into_boxed_str());
        Scraper::new(config, catalog, &tools, name, source)
    });
    (scrapers.collect(), defaults)
}

/// Prints one scrape; returns the exit status. The reason of a failure is logged.
fn once(config: &'static Config, sources: Vec<(String, Source)>) -> Result<u8, StartError> {
    let mut out = stdout()?;
    let (mut scrapers, defaults) = scrapers(config, sources);
    let mut is_up = true;
    // There is one.
    for scraper in &mut scrapers {
        let printed = once::print_scrape(scraper, &defaults, &config.labels, &mut out);
        is_up = printed.map_err(StartError::of(STDOUT))?.outcome.is_up;
    }
    Ok(if is_up { 0 } else { FAILED })
}

/// Prints what one scrape of each HAProxy instance found out; returns the exit status.
fn check(config: &'static Config, sources: Vec<(String, Source)>) -> Result<u8, StartError> {
    // All that would be logged is in the text.
    log::silence();
    let mut out = stdout()?;
    let (mut scrapers, defaults) = scrapers(config, sources);
    let printed = check::print(config, &mut scrapers, &defaults, &mut out);
    let is_right = printed.map_err(StartError::of(STDOUT))?;
    Ok(if is_right { 0 } else { FAILED })
}

/// Binds the listeners, starts the I/O thread and serves. Returns only when the server has failed.
fn start(
    config: &'static Config,
    ready: Option<InheritedFd>,
    sources: Vec<(String, Source)>,
) -> Result<io::Error, StartError> {
    // Must come before anything else is opened: see `InheritedFd::take`.
    let ready = ready.map(|fd| {
        let what = format!("--{READY_FD}={fd}");
        ReadyFd::take(fd).map_err(StartError::of(what))
    });
    let ready = ready.transpose()?;
    let inherited = inherited_listeners(config)?;
    let own = STREAMS + inherited.as_ref().map_or(0, Vec::len) + usize::from(ready.is_some());
    let others = sys::open_descriptors().saturating_sub(own);
    check_descriptors(
        inherited.as_ref().map_or(config.listen.len(), Vec::len),
        others,
    )?;
    warn_of_little_address_space();
    // Must come before any thread starts: threads inherit the signal mask.
    let signals = signals::descriptor().map_err(StartError::of_own("signals"))?;
    sys::set_default_stack_bytes(STACK_BYTES);
    // Must come before socket files exist, which a start without threads would leave in place.
    let (bell, main_loop) = doorbell::open().map_err(StartError::of_own("private connection"))?;
    let listeners = match inherited {
        Some(listeners) => listeners,
        None => listen::bind_all(&config.listen, config.socket_mode).map_err(StartError::Failed)?,
    };
    // A host can have several addresses.
    check_descriptors(listeners.len(), others)?;
    let targets = Targets::new(sources.iter().map(|(name, _)| name.clone()).collect());
    let (mut scrapers, defaults) = scrapers(config, sources);
    let mut about = About {
        sources: Vec::new(),
        flags: &config.changed,
    };
    for (_, uri) in &config.targets {
        about.sources.push(uri.to_string());
    }
    let routes = Routes::new(
        config.telemetry_path.clone(),
        defaults,
        config.compression,
        config.failure_status,
        about,
    );
    let scrapes = Scrapes::new(bell, targets, config.timeout, SPARE_TIME);
    announce(config, &listeners);
    let event_loop = EventLoop::new(signals, listeners, routes, scrapes);
    std::thread::Builder::new()
        .name("front".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || leave(event_loop.run()))
        .map_err(|error| StartError::no_thread(&error))?;
    tell_supervisor(ready);
    let has_others = scrapers.len() > 1;
    Ok(main_loop.run(|target, wanted, (time, abort), into| {
        let scraper = scrapers.get_mut(target)?;
        // Nobody ends the scrapes of the only target.
        let abort = has_others.then_some(abort);
        let is_repeated = scraper.scrape(wanted, Some((time, abort)), into);
        let report = (!is_repeated).then(|| scraper.report(into));
        if has_others {
            scraper.forget();
        }
        report
    }))
}

fn inherited_listeners(config: &Config) -> Result<Option<Vec<Listener>>, StartError> {
    let listeners = || listen::inherited(|name| std::env::var(name).ok());
    let listeners = config.systemd_socket.then(listeners).transpose();
    listeners.map_err(StartError::of(format!("--{SYSTEMD_SOCKET}")))
}

/// With fewer descriptors, no client could be served or HAProxy could not be reached. `others`: those that a
/// supervisor left open.
fn check_descriptors(listeners: usize, others: usize) -> Result<(), StartError> {
    let needed = DESCRIPTORS + listeners as u64 + others as u64;
    let limit = sys::descriptor_limit();
    if limit >= needed {
        return Ok(());
    }
    let because = match others {
        0 => String::new(),
        _ => format!(", because {others} were left open"),
    };
    Err(StartError::Failed(format!(
        "open file limit too low: {limit}, at least {needed} needed{because} (LimitNOFILE, ulimit -n)"
    )))
}

/// A limit that is too small shows only later, where memory is needed.
fn warn_of_little_address_space() {
    let limit = sys::soft_limit(sys::Resource::AddressSpace).unwrap_or(u64::MAX);
    if limit < LITTLE_ADDRESS_SPACE_BYTES {
        let limit = format!(
            "the limit is {limit} bytes (ulimit -v), {LITTLE_ADDRESS_SPACE_BYTES} serve 10 servers"
        );
        log::warn("little address space", &[("err", &limit)]);
    }
}

fn announce(config: &Config, listeners: &[Listener]) {
    let addresses: Vec<&str> = listeners
        .iter()
        .map(|listener| listener.name.as_str())
        .collect();
    let addresses = addresses.join(",");
    let (unnamed, named): (Vec<_>, Vec<_>) =
        (config.targets.iter()).partition(|(name, _)| name.is_empty());
    let named = named.iter().map(|(name, uri)| format!("{name}={uri}"));
    let named = named.collect::<Vec<_>>().join(" ");
    let mut fields: Vec<(&str, &dyn Display)> = vec![("version", &env!("CARGO_PKG_VERSION"))];
    fields.extend(unnamed.iter().map(|(_, uri)| ("scrape_uri", uri as _)));
    // Many targets are cut at the end of the line.
    fields.push(("addresses", &addresses));
    if !named.is_empty() {
        fields.push(("targets", &named));
    }
    log::info("starting haproxy_exporter", &fields);
    let is_https = |(_, uri): &(String, ScrapeUri)| matches!(uri, ScrapeUri::Http(uri) if uri.tls);
    if config.tls.insecure && config.targets.iter().any(is_https) {
        log::warn("the certificate of the scrape URI is not checked", &[]);
    }
}

/// The exporter serves even if the supervisor cannot be notified.
fn tell_supervisor(ready: Option<ReadyFd>) {
    let name = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
    let ready = ready.map(|ready| (format!("--{READY_FD}"), ready.tell()));
    let systemd = name.map(|name| {
        let object = format!("NOTIFY_SOCKET={}", name.to_string_lossy());
        (object, supervisor::systemd(&name))
    });
    for (object, told) in ready.into_iter().chain(systemd) {
        if let Err(error) = told {
            let error = format!("{object}: {}", reason(&error));
            log::warn("cannot notify the supervisor", &[("err", &error)]);
        }
    }
}

/// A panic, in any thread, is logged in one line and ends the process, which would only hang
/// without that thread. It ends here, because release builds cannot unwind and would write a core
/// dump.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or_default();
    if let Some(error) = thread_error(message) {
        std::process::exit(i32::from(say(&StartError::no_thread(&error))));
    }
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("tiny_http");
    let place = panic
        .location()
        .map_or_else(String::new, ToString::to_string);
    log::error(
        "panic",
        &[("thread", &name), ("place", &place), ("err", &message)],
    );
    std::process::exit(i32::from(FAILED));
}

/// Why `std::thread::spawn` did not start a thread, from the text of its panic. Only `tiny_http`
/// calls it, and only while the exporter starts (`doorbell::open`).
fn thread_error(message: &str) -> Option<io::Error> {
    let error = message.strip_prefix("failed to spawn thread: ")?;
    let number = error.strip_prefix("Os { code: ");
    let number = number.and_then(|rest| rest.split(',').next()?.parse().ok());
    Some(number.map_or_else(|| io::Error::other(error), io::Error::from_raw_os_error))
}

/// Ends the process with the I/O thread, because the main loop can be inside a scrape.
fn leave(end: End) -> ! {
    match end {
        End::Stopped => std::process::exit(0),
        End::Dead(error) => {
            log::error("server failed, exiting", &[("err", &error)]);
            std::process::exit(i32::from(FAILED));
        }
    }
}

#[cfg(test)]
mod tests;
