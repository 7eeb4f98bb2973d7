//! What a scrape costs more with each group of families that is off unless its flag is given: threads,
//! addresses of servers, peers, certificates, and the master process with its old workers.

use std::fmt::Write;
use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::client::Client;
use crate::haproxy::{Haproxy, Shape};
use crate::peers::{self, Peer};
use crate::process;
use crate::table::Grid;
use crate::whole::median;

const SERVERS: usize = 10;
const CERTIFICATES: usize = 100;
/// Old workers while the master is asked.
const OLD_WORKERS: [usize; 3] = [0, 1, 20];
const SCRAPES: u32 = 300;
/// Leaves out the families without a flag that other exporters lack: their rows are not counted or kept then.
const WITHOUT_FACTS: &str = "?metrics=-haproxy_servers,-haproxy_server_maintenance,-haproxy_server_draining,\
    -haproxy_server_backup,-haproxy_backend_published,-haproxy_frontend_http_requests_by_version_total,\
    -haproxy_frontend_sessions_by_version_total,-haproxy_process_tainted";
/// Certificates are read at the first scrape, of which each exporter has one.
const FIRST_SCRAPES: usize = 20;
const RELOAD_TIMEOUT: Duration = Duration::from_secs(20);

/// What a scrape took.
struct Cost {
    wall: Duration,
    cpu: Duration,
    /// Of the master and all its workers.
    haproxy_cpu: Duration,
    peak_bytes: u64,
}

/// Measures and prints a table.
pub(crate) fn report() -> Result<(), String> {
    if !(process::exists("haproxy") && process::exists("openssl")) {
        return Err("groups need Debian's packages haproxy and openssl".to_owned());
    }
    let binary = peers::exporter_binary()?;
    let haproxy = Haproxy::start_with(&Shape::of(SERVERS), sections, |directory| {
        let master = directory.join("master.sock");
        [
            "-W".to_owned(),
            "-L".to_owned(),
            "east".to_owned(),
            "-S".to_owned(),
            master.display().to_string(),
        ]
        .to_vec()
    })?;
    let mut grid = Grid::new(&["", "wall ms", "CPU ms", "HAProxy CPU ms", "peak RSS MB"]);
    let mut row = |name: &str, cost: &Cost| {
        let milliseconds = |time: Duration| format!("{:.3}", time.as_secs_f64() * 1e3);
        grid.row(&[
            name.to_owned(),
            milliseconds(cost.wall),
            milliseconds(cost.cpu),
            milliseconds(cost.haproxy_cpu),
            format!("{:.2}", cost.peak_bytes as f64 / 1e6),
        ]);
    };
    let mut client = Client::new();
    let ours = |flags: &[&str]| peers::ours(&binary, &haproxy, flags);
    row("no group", &repeated(&ours(&[])?, &haproxy, &mut client)?);
    client.query = WITHOUT_FACTS;
    let less = repeated(&ours(&[])?, &haproxy, &mut client)?;
    client.query = "";
    row("no group, without what few exporters have", &less);
    for flag in ["--haproxy.activity", "--haproxy.server-info"] {
        let name = flag.trim_start_matches("--haproxy.");
        row(name, &repeated(&ours(&[flag])?, &haproxy, &mut client)?);
    }
    let peers = ours(&["--haproxy.peers"])?;
    row("peers", &repeated(&peers, &haproxy, &mut client)?);
    let certificates = ours(&["--haproxy.certificates"])?;
    let name = format!("{CERTIFICATES} certificates, from memory");
    row(&name, &repeated(&certificates, &haproxy, &mut client)?);
    let first = |flags: &[&str], client: &mut Client| first(|| ours(flags), &haproxy, client);
    row("no group, first scrape", &first(&[], &mut client)?);
    let name = format!("{CERTIFICATES} certificates, read");
    row(&name, &first(&["--haproxy.certificates"], &mut client)?);
    let master = haproxy.directory().join("master.sock");
    let flag = format!("--haproxy.master-socket=unix:{}", master.display());
    let mut held = Vec::new();
    for old in OLD_WORKERS {
        while held.len() < old {
            held.push(reload_with_a_request(&haproxy)?);
        }
        let master = ours(&[&flag])?;
        let name = format!("master with {old} old workers");
        row(&name, &repeated(&master, &haproxy, &mut client)?);
    }
    println!("{SERVERS} servers, a scrape with\n{grid}");
    Ok(())
}

/// The sections that the groups are about: certificates that are bound, and a peer.
fn sections(directory: &Path) -> Result<String, String> {
    let (key, bound) = (directory.join("key.pem"), directory.join("bound"));
    std::fs::create_dir(&bound).map_err(|error| error.to_string())?;
    openssl(
        Command::new("openssl")
            .args([
                "ecparam",
                "-name",
                "prime256v1",
                "-genkey",
                "-noout",
                "-out",
            ])
            .arg(&key),
    )?;
    for number in 0..CERTIFICATES {
        let file = bound.join(format!("site-{number:03}.pem"));
        openssl(
            Command::new("openssl")
                .args(["req", "-x509", "-days", "365", "-subj"])
                .arg(format!("/CN=site-{number:03}.example"))
                .arg("-key")
                .arg(&key)
                .arg("-out")
                .arg(&file),
        )?;
        let both = [&file, &key].map(|path| std::fs::read(path).unwrap_or_default());
        std::fs::write(&file, both.concat()).map_err(|error| error.to_string())?;
    }
    let mut text = String::new();
    let address = crate::haproxy::free_address()?;
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "frontend secure\n    bind {address} ssl crt {}",
        bound.display()
    );
    let _ = writeln!(
        text,
        "peers farm\n    bind {}",
        crate::haproxy::free_address()?
    );
    let _ = writeln!(text, "    server east\n    server west 127.0.0.1:1");
    let _ = writeln!(
        text,
        "backend table\n    stick-table type ip size 1k peers farm"
    );
    Ok(text)
}

fn openssl(command: &mut Command) -> Result<(), String> {
    let status = command.stderr(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("openssl: {other:?}")),
    }
}

/// Scrapes one exporter again and again; its first scrape is not counted.
fn repeated(exporter: &Peer, haproxy: &Haproxy, client: &mut Client) -> Result<Cost, String> {
    client.scrape(exporter.address, exporter.proof)?;
    let before = (own_cpu(exporter), haproxy.process.exact_cpu_with_children());
    let mut walls = Vec::new();
    for _ in 0..SCRAPES {
        walls.push(client.scrape(exporter.address, exporter.proof)?.took);
    }
    let after = (own_cpu(exporter), haproxy.process.exact_cpu_with_children());
    Ok(Cost {
        wall: median(&mut walls),
        cpu: after.0.saturating_sub(before.0) / SCRAPES,
        haproxy_cpu: after.1.saturating_sub(before.1) / SCRAPES,
        peak_bytes: peak(exporter),
    })
}

/// The first scrapes of as many exporters: medians.
fn first(
    start: impl Fn() -> Result<Peer, String>,
    haproxy: &Haproxy,
    client: &mut Client,
) -> Result<Cost, String> {
    let (mut walls, mut own, mut haproxys, mut peak_bytes) = (vec![], vec![], vec![], 0);
    for _ in 0..FIRST_SCRAPES {
        let exporter = start()?;
        let before = (
            own_cpu(&exporter),
            haproxy.process.exact_cpu_with_children(),
        );
        walls.push(client.scrape(exporter.address, exporter.proof)?.took);
        let after = (
            own_cpu(&exporter),
            haproxy.process.exact_cpu_with_children(),
        );
        own.push(after.0.saturating_sub(before.0));
        haproxys.push(after.1.saturating_sub(before.1));
        peak_bytes = peak_bytes.max(peak(&exporter));
    }
    Ok(Cost {
        wall: median(&mut walls),
        cpu: median(&mut own),
        haproxy_cpu: median(&mut haproxys),
        peak_bytes,
    })
}

fn own_cpu(exporter: &Peer) -> Duration {
    let process = exporter.process.as_ref();
    process.map_or(Duration::ZERO, process::Running::exact_cpu)
}

fn peak(exporter: &Peer) -> u64 {
    let process = exporter.process.as_ref();
    process.map_or(0, process::Running::peak_bytes)
}

/// Begins a request that keeps its worker, then reloads and waits until another serves and the master
/// says so: before that it would miss the next signal.
fn reload_with_a_request(haproxy: &Haproxy) -> Result<TcpStream, String> {
    let failed = |error: std::io::Error| format!("a request to hold: {error}");
    let mut stream = TcpStream::connect(haproxy.traffic).map_err(failed)?;
    stream.write_all(b"GET / HTTP/1.1\r\n").map_err(failed)?;
    let worker = || {
        let info = ask(&haproxy.socket, "show info").ok()?;
        let line = info.lines().find_map(|line| line.strip_prefix("Pid: "));
        line.map(str::to_owned)
    };
    let before = worker();
    let reload = Command::new("kill")
        .args(["-USR2", &haproxy.process.id().to_string()])
        .status();
    reload.map_err(|error| format!("kill: {error}"))?;
    let master = haproxy.directory().join("master.sock");
    process::wait_for("another worker", RELOAD_TIMEOUT, || {
        let serving = worker().filter(|worker| Some(worker) != before.as_ref())?;
        let listed = ask(&master, "show proc").ok()?;
        listed.contains(&format!("\n{serving} ")).then_some(())
    })?;
    Ok(stream)
}

/// The answer of a CLI socket to one command.
fn ask(socket: &Path, command: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(format!("{command}\n").as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    std::io::read_to_string(stream)
}
