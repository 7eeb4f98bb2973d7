//! Benchmarks: `cargo bench --bench scrapes` (see the Makefile: `make bench`, `make bench-check`).
//!
//! 1. The steps of the hot path in this process: bytes a second, and allocations, of which a warm
//!    scrape must make none.
//! 2. Whole scrapes of a real HAProxy, beside the floor (what no exporter can beat) and its peers.
//!
//! 3. What scrapes do to HAProxy's own traffic.
//!
//! 4. How much HAProxy writes before it looks at its other connections.
//!
//! 5. What each group of families costs that is off unless it is asked for.
//!
//! 6. The effect of clients that close the connection without reading the response.
//!
//! 7. Bytes and time of compressed responses.
//!
//! Arguments choose one of them (`steps`, `whole` with numbers of servers, `traffic` with
//! SERVERS/BACKENDS/THREADS, `polls`, `groups`, `leavers`, `compression`); `--callgrind-step STEP ROWS TIMES` does one step
//! a number of times and nothing else, for `callgrind.sh`. With `BIG=1` in the environment whole
//! scrapes go up to 100,000 servers; `EXPORTER` names the binary to measure, `HAPROXY` the HAProxy.

mod allocations;
mod client;
mod compression;
mod floor;
mod groups;
mod haproxy;
mod leavers;
mod machine;
mod peers;
mod player;
mod polls;
mod process;
mod rows;
mod shapes;
mod steps;
mod table;
mod traffic;
mod verdict;
mod whole;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench` adds `--bench` to what the caller wants.
    let wanted: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| *argument != "--bench")
        .collect();
    let result = match wanted.as_slice() {
        [] => all(),
        ["steps"] => steps_of_a_scrape(),
        ["whole", servers @ ..] => whole_scrapes(servers),
        ["traffic", shapes @ ..] => traffic_meanwhile(shapes),
        ["polls"] => polls(),
        ["groups"] => groups(),
        ["leavers"] => clients_that_leave(),
        ["compression"] => compression(),
        ["--callgrind-step", step, rows, times] => callgrind_step(step, rows, times),
        _ => Err(
            "usage: [steps | whole [SERVERS...] | traffic [SERVERS/BACKENDS/THREADS...] | polls | groups | leavers | \
             compression | \
                 --callgrind-step STEP ROWS TIMES]"
                .to_owned(),
        ),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Every benchmark, also after one that failed or missed a budget.
fn all() -> Result<(), String> {
    let results = [
        steps_of_a_scrape(),
        whole_scrapes(&[]),
        traffic_meanwhile(&[]),
        polls(),
        groups(),
        clients_that_leave(),
        compression(),
    ];
    let failed: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(failed.join("; ")),
    }
}

fn steps_of_a_scrape() -> Result<(), String> {
    println!("{}\n", machine::description());
    steps::report()
}

/// `servers` names the sizes, if not the usual ones are wanted.
fn whole_scrapes(servers: &[&str]) -> Result<(), String> {
    println!("{}\n", machine::description());
    let sizes: Result<Vec<usize>, String> = servers.iter().map(|text| number(text)).collect();
    let mut sizes = sizes?;
    if sizes.is_empty() {
        sizes.extend([10, 1_000, 10_000]);
        if std::env::var("BIG").is_ok_and(|big| big == "1") {
            sizes.push(100_000);
        }
    }
    whole::report(&sizes)
}

fn traffic_meanwhile(shapes: &[&str]) -> Result<(), String> {
    println!("{}\n", machine::description());
    let shape = |text: &&str| {
        let numbers: Result<Vec<usize>, String> = text.split('/').map(number).collect();
        match numbers?.as_slice() {
            [servers, backends, threads] => Ok((*servers, *backends, *threads)),
            _ => Err(format!("{text:?} is not SERVERS/BACKENDS/THREADS")),
        }
    };
    let shapes: Result<Vec<_>, String> = shapes.iter().map(shape).collect();
    traffic::report(&shapes?)
}

fn polls() -> Result<(), String> {
    println!("{}\n", machine::description());
    polls::report()
}

fn groups() -> Result<(), String> {
    println!("{}\n", machine::description());
    groups::report()
}

fn clients_that_leave() -> Result<(), String> {
    println!("{}\n", machine::description());
    leavers::report()
}

fn compression() -> Result<(), String> {
    println!("{}\n", machine::description());
    compression::report()
}

fn callgrind_step(step: &str, rows: &str, times: &str) -> Result<(), String> {
    steps::repeat(step, number(rows)?, number(times)?)
}

fn number(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not a number"))
}
