//! The command: reads the flags, puts the parts together and serves.

use std::io::Write;
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use std::time::Duration;

use crate::cli::{self, Command, Config};
use crate::errno::reason;
use crate::haproxy::rules::Filter;
use crate::haproxy::source::{Options, SetupError, Source};
use crate::log;
use crate::metrics::catalog::Catalog;
use crate::metrics::selection::Defaults;
use crate::net::proxy;
use crate::once;
use crate::process::ProcRoot;
use crate::scrape::{Scraper, Settings};
use crate::server::front::{End, Front};
use crate::server::link;
use crate::server::listen::{self, Listener};
use crate::server::routes::Routes;
use crate::server::scrapes::Scrapes;
use crate::server::supervisor::{self, ReadyFd};
use crate::server::targets::Targets;
use crate::sys::{self, signals};

/// Exit status of a command line that cannot be used.
const USAGE: u8 = 2;
/// What the main loop may need besides the longest scrape before it is given up.
const SPARE_TIME: Duration = Duration::from_secs(10);
/// Stacks of all threads but the main one, which makes the scrapes. Their code is no deeper than a request
/// and a log line; six stacks of std's 2 MiB would take most of the address space that a small limit
/// leaves (RLIMIT_AS).
const STACK_BYTES: usize = 128 * 1024;
/// What keeps a thread from starting, as a rule.
const THREAD_HINT: &str = "cannot start a thread: is there a memory or process limit?";
/// Exit status of a start or a run that failed.
const FAILED: u8 = 1;

/// Runs the command; returns its exit status.
pub fn main() -> ExitCode {
    let (status, message) = match cli::parse(std::env::args_os().skip(1)) {
        Ok(Command::Print(text)) => match std::io::stdout().write_all(text.as_bytes()) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => (FAILED, format!("standard output: {}", reason(&error))),
        },
        Ok(Command::Run(config)) => run(*config),
        Err(message) => (USAGE, message),
    };
    if !message.is_empty() {
        log::plain(&format!("haproxy_exporter: {}", one_line(&message)));
    }
    ExitCode::from(status)
}

/// Control characters of a flag's value must not break the line.
fn one_line(message: &str) -> String {
    message
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Serves until the process ends, or prints one scrape; returns the exit status and the reason why
/// that did not go well, unless the log has it.
fn run(config: Config) -> (u8, String) {
    log::configure(config.log_level, config.log_format);
    std::panic::set_hook(Box::new(report_panic));
    let sources = match sources(&config) {
        Ok(sources) => sources,
        Err(error) => return (USAGE, cli::setup(&error)),
    };
    if config.once {
        return once(&config, sources);
    }
    match start(config, sources) {
        Ok(error) => (FAILED, format!("the server stopped: {error}")),
        Err(reason) => (FAILED, reason),
    }
}

/// The HAProxys to scrape, by name: the one of the scrape URI, which has none, and the targets.
fn sources(config: &Config) -> Result<Vec<(String, Source)>, SetupError> {
    let environment = || proxy::Environment::read(|name| std::env::var(name).ok());
    let options = Options {
        proxy: config.proxy_from_env.then(environment),
        tls: config.tls.clone(),
    };
    let unnamed = (String::new(), config.scrape_uri.clone());
    let unnamed = config.has_scrape_uri.then_some(unnamed);
    let all = unnamed.into_iter().chain(config.targets.iter().cloned());
    all.map(|(name, uri)| Ok((name, Source::new(&uri, &options)?)))
        .collect()
}

/// A scraper for each source, and what a request wants that does not say it.
fn scrapers(config: &Config, sources: Vec<(String, Source)>) -> (Vec<Scraper>, Defaults) {
    // Lives as long as the process.
    let catalog = Box::leak(Box::new(Catalog::new(&config.server_columns)));
    let defaults = Defaults {
        catalog,
        profile: config.profile,
    };
    let scraper = |(name, source): (String, Source)| {
        let is_unnamed = name.is_empty();
        let settings = Settings {
            target: (!is_unnamed).then_some(name),
            filter: Filter {
                excluded_states: config.excluded_states.clone(),
                proxies: config.proxies.clone(),
            },
            rows_per_question: config.rows_per_question,
            timeout: config.timeout,
            max_bytes: config.max_response_bytes,
            // It names the process of the scrape URI.
            pid_file: config.pid_file.clone().filter(|_| is_unnamed),
            process: ProcRoot::system(),
        };
        Scraper::new(catalog, source, settings)
    };
    (sources.into_iter().map(scraper).collect(), defaults)
}

/// Prints one scrape; returns the exit status, and the reason why it could not be printed.
fn once(config: &Config, sources: Vec<(String, Source)>) -> (u8, String) {
    if sources.len() > 1 {
        return (
            USAGE,
            "--once: scrapes one HAProxy; more are given".to_owned(),
        );
    }
    let (mut scrapers, defaults) = scrapers(config, sources);
    let Some(scraper) = scrapers.first_mut() else {
        return (USAGE, "--once: no HAProxy is given".to_owned());
    };
    match once::print(scraper, &defaults, &mut std::io::stdout().lock()) {
        Ok(true) => (0, String::new()),
        // The log says why.
        Ok(false) => (FAILED, String::new()),
        Err(error) => (FAILED, format!("standard output: {}", reason(&error))),
    }
}

/// Binds, starts the front and serves; returns only when the server has failed.
fn start(mut config: Config, sources: Vec<(String, Source)>) -> Result<std::io::Error, String> {
    // Before anything else is opened: see `InheritedFd::take`.
    let ready = config.ready_fd.take().map(ReadyFd::take).transpose()?;
    let inherited = inherited_listeners(&config)?;
    // Before any thread starts: they inherit the signal mask.
    let signals = signals::descriptor().map_err(|error| format!("signals: {error}"))?;
    sys::set_default_stack_bytes(STACK_BYTES);
    // Before there are socket files, which a start without threads would leave behind.
    let (front_end, main_end) =
        link::open().map_err(|error| format!("private connection: {error}"))?;
    let listeners = match inherited {
        Some(listeners) => listeners,
        None => listen::bind_all(&config.listen, config.socket_mode)?,
    };
    let targets = Targets::new(sources.iter().map(|(name, _)| name.clone()).collect());
    let (mut scrapers, defaults) = scrapers(&config, sources);
    let routes = Routes::new(config.telemetry_path.clone(), defaults);
    let scrapes = Scrapes::new(front_end, targets, config.timeout, SPARE_TIME);
    announce(&config, &listeners);
    let front = Front::new(signals, listeners, routes, scrapes);
    std::thread::Builder::new()
        .name("front".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || leave(front.run()))
        .map_err(|error| format!("{THREAD_HINT} ({})", reason(&error)))?;
    tell_supervisor(ready);
    Ok(main_end.run(|target, wanted, time, into| {
        if let Some(scraper) = scrapers.get_mut(target) {
            scraper.scrape(wanted, Some(time), into);
        }
    }))
}

fn inherited_listeners(config: &Config) -> Result<Option<Vec<Listener>>, String> {
    let listeners = || listen::inherited(|name| std::env::var(name).ok());
    config.systemd_socket.then(listeners).transpose()
}

fn announce(config: &Config, listeners: &[Listener]) {
    let addresses: Vec<&str> = listeners
        .iter()
        .map(|listener| listener.name.as_str())
        .collect();
    log::info(
        "starting haproxy_exporter",
        &[
            ("version", &env!("CARGO_PKG_VERSION")),
            ("scrape_uri", &config.scrape_uri),
            ("addresses", &addresses.join(",")),
        ],
    );
    if config.tls.insecure
        && matches!(&config.scrape_uri, crate::haproxy::uri::ScrapeUri::Http(uri) if uri.tls)
    {
        log::warn("the certificate of the scrape URI is not checked", &[]);
    }
}

/// A supervisor that cannot be told is no reason not to serve.
fn tell_supervisor(ready: Option<ReadyFd>) {
    let name = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
    let told = [
        ready.map(ReadyFd::tell),
        name.as_deref().map(supervisor::systemd),
    ];
    for error in told.into_iter().flatten().filter_map(Result::err) {
        log::warn("the supervisor cannot be told", &[("err", &error)]);
    }
}

/// A panic, in whichever thread, is one log line and the end of the process, which would only hang
/// without that thread. It ends here: release builds cannot unwind, and would leave a core dump.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("tiny_http");
    let place = panic
        .location()
        .map_or_else(String::new, ToString::to_string);
    let message = panic.payload_as_str().unwrap_or_default();
    // tiny_http cannot be told that a thread did not start.
    let message = match message.strip_prefix("failed to spawn thread: ") {
        Some(error) => format!("{THREAD_HINT} ({error})"),
        None => message.to_owned(),
    };
    log::error(
        "panic",
        &[("thread", &name), ("place", &place), ("err", &message)],
    );
    std::process::exit(i32::from(FAILED));
}

/// Ends the process with the front: the main loop may be inside a scrape.
fn leave(end: End) -> ! {
    match end {
        End::Stopped => std::process::exit(0),
        End::Dead(reason) => {
            log::error("giving up", &[("err", &reason)]);
            std::process::exit(i32::from(FAILED));
        }
    }
}
