//! OpenRC's script, in a shell that starts the command as supervise-daemon(8) is told to.

use std::os::unix::net::UnixListener;
use std::process::Command;

use super::{Ground, install, installed, replaced, write_script};
use crate::support::peers;

/// Instead of openrc-run: arguments pass through an `eval`, as OpenRC's supervise-daemon.sh has it.
const OPENRC_RUN: &str = r#"
. "$SCRIPT"
checkpath() { printf 'checkpath %s\n' "$*"; }
after() { printf 'after %s\n' "$*"; }
use() { printf 'use %s\n' "$*"; }
depend
start_pre || exit
printf '%s %s %s %s\n' "$supervisor" "$command_user" "$respawn_delay" "$respawn_max"
printf '%s|%s\n' "${error_log-unset}" "${error_logger-unset}"
eval printf "'%s\n'" "$command" "$command_args" >"$CAPTURED"
"#;

const DEPEND: &str = "after haproxy net\nuse logger\n";

/// A machine with OpenRC, as far as the script asks.
struct Machine {
    ground: Ground,
    script: String,
}

impl Machine {
    fn make() -> Option<Machine> {
        let ground = Ground::prepare()?;
        let root = ground.path("installed");
        install::install(&root, "/usr/local")?;
        let name = "openrc/haproxy_exporter";
        let script = installed(&root, name);
        assert!(script.starts_with("#!/sbin/openrc-run\n"), "{script}");
        let replacements = [
            ("/usr/local/bin/haproxy_exporter", &*ground.text("exporter")),
            ("/var/log/haproxy_exporter.log", &ground.text("file.log")),
            ("/dev/log", &ground.text("dev-log")),
        ];
        let script = replaced(name, script, &replacements);
        std::fs::create_dir(ground.path("bin")).expect("make a directory");
        Some(Machine { ground, script })
    }

    /// The release's list of options, as `supervise-daemon NAME --help` prints it.
    fn set_options(&self, options: &str) {
        let text =
            format!("#!/bin/sh\n[ \"$*\" = 'haproxy_exporter --help' ] && echo '{options}' >&2\n");
        write_script(&self.ground.path("bin/supervise-daemon"), &text);
    }

    /// What the shell makes of the script: whether it starts, its output, and the command's words.
    fn run(&self, arguments: Option<&str>) -> (bool, String, Vec<String>) {
        let path = |name: &str| self.ground.path(name);
        std::fs::write(path("script"), &self.script).expect("write the script");
        let _ = std::fs::remove_file(path("captured"));
        let mut shell = Command::new("sh");
        let programs = std::env::var("PATH").unwrap_or_default();
        shell
            .args(["-uc", OPENRC_RUN])
            .env("PATH", format!("{}:{programs}", self.ground.text("bin")))
            .env("RC_SVCNAME", "haproxy_exporter")
            .env("SCRIPT", path("script"))
            .env("CAPTURED", path("captured"));
        if let Some(arguments) = arguments {
            shell.env("ARGS", arguments);
        }
        let (status, output, error) = peers::run(&mut shell);
        let words = std::fs::read_to_string(path("captured")).unwrap_or_default();
        let words = words.lines().map(str::to_owned).collect();
        (status.success(), output + &error, words)
    }

    fn output(&self, log: &str) -> String {
        let check = match log {
            "unset" => String::new(),
            file => {
                format!("checkpath --file --owner haproxy_exporter:haproxy --mode 0640 {file}\n")
            }
        };
        let logger = match log {
            "unset" => "logger -t haproxy_exporter -p daemon.info",
            _ => "unset",
        };
        format!("{DEPEND}{check}supervise-daemon haproxy_exporter:haproxy 5 0\n{log}|{logger}\n")
    }
}

#[test]
fn openrc() {
    let Some(machine) = Machine::make() else {
        return;
    };
    machine.set_options("--respawn-delay");
    let (starts, output, words) = machine.run(None);
    let file = machine.ground.text("file.log");
    assert_eq!((starts, output), (true, machine.output(&file)));
    let default = "--haproxy.scrape-uri=unix:/run/haproxy/admin.sock";
    assert_eq!(words, [&machine.ground.text("exporter"), default]);

    // ARGS of /etc/conf.d, which OpenRC reads first, as the shell reads them.
    let uri = format!("--haproxy.scrape-uri={}", machine.ground.haproxy.unix_uri());
    let socket = machine.ground.text("metrics.sock");
    let listen = format!("--web.listen-address=unix:{socket}");
    let (_, _, words) = machine.run(Some(&format!("{uri} '{listen}'")));
    assert_eq!(words[1..], [uri, listen]);

    machine.ground.assert_command_serves(&words);
}

/// A flag that is wrong is an error of the start, and not of a service that is started again and again.
#[test]
fn wrong_flags_do_not_start() {
    let Some(machine) = Machine::make() else {
        return;
    };
    machine.set_options("--respawn-delay");
    let (starts, output, words) = machine.run(Some("--unknown-flag"));
    let want = format!("{DEPEND}haproxy_exporter: unknown flag --unknown-flag (try --help)\n");
    assert_eq!((starts, output, words), (false, want, vec![]));

    // Nobody writes to this one now, and what is read once would be missing later.
    let fifo = machine.ground.text("fifo");
    let (status, _, error) = peers::run(Command::new("mkfifo").arg(&fifo));
    assert!(status.success(), "{error}");
    let (starts, _, words) = machine.run(Some(&format!("@{fifo}")));
    assert!(starts, "arguments in a FIFO");
    assert_eq!(words[1..], [format!("@{fifo}")]);
}

/// To syslog where OpenRC can and something listens there; else to a file, which is put aside when it is full.
#[test]
fn where_the_log_goes() {
    let Some(machine) = Machine::make() else {
        return;
    };
    let file = machine.ground.text("file.log");
    let starts = |want: &str| {
        let (starts, output, _) = machine.run(None);
        assert_eq!((starts, output), (true, machine.output(want)));
    };
    machine.set_options("--stderr-logger");
    starts(&file);
    let _syslog = UnixListener::bind(machine.ground.path("dev-log")).expect("bind a socket");
    starts("unset");
    machine.set_options("--respawn-delay");
    starts(&file);

    let [log, old] = ["file.log", "file.log.old"].map(|name| machine.ground.path(name));
    for (bytes, is_full) in [(1_000_000, false), (1_100_000, true)] {
        std::fs::write(&log, vec![b'x'; bytes]).expect("write a log");
        starts(&file);
        assert_eq!((log.exists(), old.exists()), (!is_full, is_full), "{bytes}");
    }
}
