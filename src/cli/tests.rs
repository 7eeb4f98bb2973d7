use super::*;
use crate::log::{Format, Level};
use crate::net::address::TlsOptions;
use crate::server::listen::ListenAddress;
use crate::sys::InheritedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

mod argument_files;
mod labels;
mod targets;

fn arguments(texts: &[&str]) -> Vec<OsString> {
    texts.iter().map(OsString::from).collect()
}

fn config(texts: &[&str]) -> Result<Config, String> {
    match parse(arguments(texts)) {
        Ok(Command::Run(config)) => Ok(*config),
        Ok(Command::Print(text)) => panic!("{texts:?} prints {text}"),
        Err(error) => Err(error.to_string()),
    }
}

fn printed(texts: &[&str]) -> String {
    match parse(arguments(texts)) {
        Ok(Command::Print(text)) => text,
        other => panic!("{texts:?}: {other:?}"),
    }
}

/// `prometheus-haproxy-exporter --help` (0.14.0), but for `--help` and `--version`.
const GO_FLAGS: [(&str, Takes); 13] = [
    ("web.systemd-socket", Takes::Switch(false)),
    ("web.listen-address", Takes::Value("", ":9101")),
    ("web.config.file", Takes::Value("", "")),
    ("web.telemetry-path", Takes::Value("", "/metrics")),
    (
        "haproxy.scrape-uri",
        Takes::Value("", "http://localhost/;csv"),
    ),
    ("haproxy.ssl-verify", Takes::Switch(true)),
    (
        "haproxy.server-metric-fields",
        Takes::Value(
            "",
            "2,3,4,5,6,7,8,9,13,14,15,16,17,18,21,24,30,33,35,38,39,40,41,42,43,44,49,50,58,59,60,61",
        ),
    ),
    ("haproxy.server-exclude-states", Takes::Value("", "")),
    ("haproxy.timeout", Takes::Value("", "5s")),
    ("haproxy.pid-file", Takes::Value("", "")),
    ("http.proxy-from-env", Takes::Switch(false)),
    ("log.level", Takes::Value("", "info")),
    ("log.format", Takes::Value("", "logfmt")),
];

#[test]
fn the_flags_of_the_go_exporter_have_its_defaults() {
    for (name, takes) in GO_FLAGS {
        let (flag, _) = flags::find(name).expect(name);
        match (flag.takes, takes) {
            (Takes::Switch(ours), Takes::Switch(theirs)) => assert_eq!(ours, theirs, "{name}"),
            (Takes::Value(_, ours) | Takes::Values(_, ours), Takes::Value(_, theirs)) => {
                assert_eq!(ours, theirs, "{name}");
            }
            _ => panic!("{name} is of another kind"),
        }
    }
}

#[test]
fn defaults() {
    let config = config(&[]).unwrap();
    assert_eq!(config.targets[0].1.to_string(), "http://localhost/;csv");
    assert_eq!(config.timeout, Duration::from_secs(5));
    assert_eq!(config.pid_file, None);
    assert_eq!(config.server_columns.len(), 32);
    assert_eq!(config.filter.excluded_states, Vec::<Vec<u8>>::new());
    assert_eq!(config.max_response_bytes, 64 << 20);
    assert_eq!(config.tls, TlsOptions::default());
    assert!(!config.proxy_from_env && !config.systemd_socket);
    assert_eq!(config.listen, [ListenAddress::Any(9101)]);
    assert_eq!(config.telemetry_path, "/metrics");
    assert_eq!((config.socket_mode, config.ready_fd), (0o660, None));
    assert_eq!(
        (config.log_level, config.log_format),
        (Level::Info, Format::Logfmt)
    );
}

#[test]
fn values_that_are_given() {
    let config = config(&[
        "--haproxy.scrape-uri=unix:/run/haproxy.sock",
        "--haproxy.timeout",
        "1m30s",
        "--haproxy.pid-file=/run/haproxy.pid",
        "--haproxy.server-metric-fields=2, 17 ,999",
        "--haproxy.server-exclude-states=MAINT, no check,,",
        "--haproxy.max-response-bytes=1073741824",
        "--no-haproxy.ssl-verify",
        "--http.proxy-from-env",
        "--web.listen-address=:0",
        "--web.listen-address",
        "[::1]:9102",
        "--web.listen-address=unix:/run/exporter.sock",
        "--web.telemetry-path=/a/b;c",
        "--web.systemd-socket",
        "--web.socket-mode=600",
        "--web.config.file=",
        "--ready-fd=3",
        "--log.level=debug",
        "--log.format=json",
    ])
    .unwrap();
    assert_eq!(config.targets[0].1.to_string(), "unix:/run/haproxy.sock");
    assert_eq!(config.timeout, Duration::from_secs(90));
    assert_eq!(config.pid_file, Some(PathBuf::from("/run/haproxy.pid")));
    assert_eq!(config.server_columns, [2, 17, 999]);
    assert_eq!(
        config.filter.excluded_states,
        [b"MAINT".to_vec(), b"no check".to_vec()]
    );
    assert_eq!(config.max_response_bytes, 1 << 30);
    assert!(config.tls.insecure && config.proxy_from_env && config.systemd_socket);
    let listen = [
        ListenAddress::Any(0),
        ListenAddress::Host("::1".to_owned(), 9102),
        ListenAddress::Unix(PathBuf::from("/run/exporter.sock")),
    ];
    assert_eq!(config.listen, listen);
    assert_eq!(config.telemetry_path, "/a/b;c");
    assert_eq!(
        (config.socket_mode, config.ready_fd),
        (0o600, InheritedFd::from_flag("3"))
    );
    assert_eq!(
        (config.log_level, config.log_format),
        (Level::Debug, Format::Json)
    );
}

#[test]
fn empty_values() {
    let config = config(&[
        "--haproxy.server-metric-fields=",
        "--haproxy.server-exclude-states",
        "",
        "--haproxy.pid-file=",
        "--ready-fd=",
    ])
    .unwrap();
    assert_eq!(config.server_columns, Vec::<usize>::new());
    assert_eq!(config.filter.excluded_states, Vec::<Vec<u8>>::new());
    assert_eq!((config.pid_file, config.ready_fd), (None, None));
}

#[test]
fn forms_of_switches() {
    let cases = [
        ("--haproxy.ssl-verify", false),
        ("--haproxy.ssl-verify=true", false),
        ("--haproxy.ssl-verify=1", false),
        ("--haproxy.ssl-verify=false", true),
        ("--haproxy.ssl-verify=0", true),
        ("--no-haproxy.ssl-verify", true),
    ];
    for (flag, insecure) in cases {
        assert_eq!(config(&[flag]).unwrap().tls.insecure, insecure, "{flag}");
    }
    assert!(
        !config(&["--no-http.proxy-from-env"])
            .unwrap()
            .proxy_from_env
    );
    assert!(config(&["--no-list-metrics"]).is_ok());
}

/// Every flag with a value of its own that it refuses, and the forms of the command line.
#[test]
fn error_texts() {
    const CONFIG_FILE: &str = "--web.config.file: TLS and passwords are not supported; put HAProxy in front of the \
        exporter (security.md has a tested configuration)";
    let long_path = format!("--web.listen-address=unix:/{}", "p".repeat(107));
    let long_path_error = format!(
        "--web.listen-address: \"unix:/{}\": the path is longer than 107 bytes",
        "p".repeat(107)
    );
    #[rustfmt::skip]
    let cases = [
        ("--haproxy.scrape-uri=", "--haproxy.scrape-uri: a scheme is missing (use http://, unix:, tcp:// or file:)"),
        ("--haproxy.scrape-uri=http://u:secret@h:x/", "--haproxy.scrape-uri: port must be a number from 1 to 65535, not \"x\""),
        ("--haproxy.timeout=", "--haproxy.timeout: \"\" is not a duration (use for example 5s, 500ms, 1m30s)"),
        ("--haproxy.timeout=5", "--haproxy.timeout: duration \"5\" has no unit (use for example 5s, 500ms, 1m30s)"),
        ("--haproxy.timeout=0s", "--haproxy.timeout: must be above zero"),
        ("--haproxy.timeout=-1s", "--haproxy.timeout: duration \"-1s\" is negative"),
        ("--haproxy.server-metric-fields=abc", "--haproxy.server-metric-fields: \"abc\" is not a column number"),
        ("--haproxy.server-metric-fields=2,,3", "--haproxy.server-metric-fields: \"\" is not a column number"),
        ("--haproxy.server-metric-fields=2;3", "--haproxy.server-metric-fields: \"2;3\" is not a column number"),
        ("--haproxy.max-response-bytes=0", "--haproxy.max-response-bytes: must be a number from 1 to 1073741824, not \"0\""),
        ("--haproxy.max-response-bytes=1073741825", "--haproxy.max-response-bytes: must be a number from 1 to 1073741824, not \"1073741825\""),
        ("--haproxy.max-response-bytes=64M", "--haproxy.max-response-bytes: must be a number from 1 to 1073741824, not \"64M\""),
        ("--haproxy.ssl-verify=yes", "--haproxy.ssl-verify: must be true or false, not \"yes\""),
        ("--http.proxy-from-env=", "--http.proxy-from-env: must be true or false, not \"\""),
        ("--web.systemd-socket=TRUE", "--web.systemd-socket: must be true or false, not \"TRUE\""),
        ("--list-metrics=x", "--list-metrics: must be true or false, not \"x\""),
        ("--web.listen-address=", "--web.listen-address: \"\": the port is missing (:port or host:port)"),
        ("--web.listen-address=9101", "--web.listen-address: \"9101\": the port is missing (:port or host:port)"),
        ("--web.listen-address=:", "--web.listen-address: \":\": port must be a number from 0 to 65535, not \"\""),
        ("--web.listen-address=:65536", "--web.listen-address: \":65536\": port must be a number from 0 to 65535, not \"65536\""),
        ("--web.listen-address=:+1", "--web.listen-address: \":+1\": port must be a number from 0 to 65535, not \"+1\""),
        ("--web.listen-address=::1:9101", "--web.listen-address: \"::1:9101\": an IPv6 address must be in brackets: [::1]:port"),
        ("--web.listen-address=unix:a", "--web.listen-address: \"unix:a\": the path is not absolute (unix:/path)"),
        (&long_path, &long_path_error),
        ("--web.telemetry-path=", "--web.telemetry-path: \"\" does not begin with a slash"),
        ("--web.telemetry-path=metrics", "--web.telemetry-path: \"metrics\" does not begin with a slash"),
        ("--web.telemetry-path=/", "--web.telemetry-path: \"/\" is taken by another page"),
        ("--web.telemetry-path=/-/healthy", "--web.telemetry-path: \"/-/healthy\" is taken by another page"),
        ("--web.telemetry-path=/a b", "--web.telemetry-path: \"/a b\" holds a character that a path may not have"),
        ("--web.telemetry-path=/a?b", "--web.telemetry-path: \"/a?b\" holds a character that a path may not have"),
        (&format!("--web.telemetry-path=/{}", "x".repeat(1024)), "--web.telemetry-path: longer than 1024 bytes"),
        ("--web.telemetry-path=/<", "--web.telemetry-path: \"/<\" holds a character that a path may not have"),
        ("--web.telemetry-path=/\u{fc}", "--web.telemetry-path: \"/\u{fc}\" holds a character that a path may not have"),
        ("--web.socket-mode=", "--web.socket-mode: must be an octal number from 0 to 0777, not \"\""),
        ("--web.socket-mode=888", "--web.socket-mode: must be an octal number from 0 to 0777, not \"888\""),
        ("--web.socket-mode=1777", "--web.socket-mode: must be an octal number from 0 to 0777, not \"1777\""),
        ("--web.socket-mode=+7", "--web.socket-mode: must be an octal number from 0 to 0777, not \"+7\""),
        ("--web.failure-status=", "--web.failure-status: must be 200 or 503, not \"\""),
        ("--web.failure-status=500", "--web.failure-status: must be 200 or 503, not \"500\""),
        ("--web.failure-status=0503", "--web.failure-status: must be 200 or 503, not \"0503\""),
        ("--web.config.file=/a.yml", CONFIG_FILE),
        ("--ready-fd=2", "--ready-fd: must be a descriptor number above 2, not \"2\""),
        ("--ready-fd=x", "--ready-fd: must be a descriptor number above 2, not \"x\""),
        ("--log.level=INFO", "--log.level: must be debug, info, warn or error, not \"INFO\""),
        ("--check=all", "--check: must be flags or scrape, not \"all\""),
        ("--log.format=text", "--log.format: must be logfmt or json, not \"text\""),
        ("--haproxy.timeout", "--haproxy.timeout needs a value"),
        ("--ready-fd", "--ready-fd needs a value"),
        ("--no-http.proxy-from-env=true", "--no-http.proxy-from-env takes no value (\"true\")"),
        ("--no-haproxy.timeout", "unknown flag --no-haproxy.timeout (try --help)"),
        ("--no-version", "unknown flag --no-version (try --help)"),
        ("--haproxy.target=a", "--haproxy.target: write NAME=URI"),
        ("--haproxy.target==unix:/s", "--haproxy.target: \"\" is not a name (letters, digits, _, - and .)"),
        ("--haproxy.target=a b=unix:/s", "--haproxy.target: \"a b\" is not a name (letters, digits, _, - and .)"),
        ("--haproxy.target=a=unix:", "--haproxy.target: a: the path is missing (unix:/path)"),
        ("--haproxy.target=http://u:secret==@h/", "--haproxy.target: \"http://***@h/\" is not a name (letters, digits, _, - and .)"),
        ("--haproxy.timeout=http://u:secret@h/", "--haproxy.timeout: \"http://***@h/\" belongs to another flag"),
        ("--no-http.proxy-from-env=http://u:secret@h/", "--no-http.proxy-from-env takes no value (\"http://***@h/\")"),
        ("--haproxy.scrape-uri http://u:secret@h/", "--haproxy.scrape-uri: write --haproxy.scrape-uri=VALUE, without a blank, as each line of a file is one argument"),
        ("-haproxy.scrape-uri http://u:secret@h/", "unknown flag -haproxy.scrape-uri: write --haproxy.scrape-uri, with two dashes"),
        ("--haproxy.scrape-url\tu:secret@h/", "unknown flag --haproxy.scrape-url: write --haproxy.scrape-uri"),
        ("a secret", "unexpected argument \"a\"... (try --help)"),
        ("--bogus=1", "unknown flag --bogus (try --help)"),
        ("--a\nb", "unknown flag --a\\nb (try --help)"),
        ("--Log.level=info", "unknown flag --Log.level: write --log.level"),
        ("-x", "unknown flag -x (try --help)"),
        ("-\u{1b}", "unknown flag -\\u{1b} (try --help)"),
        ("-log.level=info", "unknown flag -log.level: write --log.level, with two dashes"),
        ("-haproxy.scrape-uri=http://u:p@h/;csv", "unknown flag -haproxy.scrape-uri: write --haproxy.scrape-uri, with two dashes"),
        ("-no-haproxy.ssl-verify", "unknown flag -no-haproxy.ssl-verify: write --no-haproxy.ssl-verify, with two dashes"),
        ("-help", "unknown flag -help: write --help, with two dashes"),
        ("-version", "unknown flag -version: write --version, with two dashes"),
        ("-hx", "unknown flag -hx (try --help)"),
        ("-h=1", "unknown flag -h (try --help)"),
        ("-haproxy.scrape-url=u:secret@h", "unknown flag -haproxy.scrape-url: write --haproxy.scrape-uri"),
        ("-x:secret", "unknown flag -x (try --help)"),
        ("-\u{1b}", "unknown flag -\\u{1b} (try --help)"),
        ("haproxy.scrape-uri=http://u:secret@h/", "unexpected argument \"haproxy.scrape-uri\"... (try --help)"),
        ("http://u:secret@h/", "unexpected argument \"http\"... (try --help)"),
        ("u:secret@h", "unexpected argument \"u\"... (try --help)"),
        ("word", "unexpected argument \"word\" (try --help)"),
        ("", "unexpected argument \"\" (try --help)"),
        ("-", "unexpected argument \"-\" (try --help)"),
        ("a\nb", "unexpected argument \"a\\nb\" (try --help)"),
    ];
    for (argument, expected) in cases {
        let error = config(&[argument]).unwrap_err();
        assert_eq!(error, expected, "{argument:?}");
        assert!(!error.contains('\n'));
    }
    // A forgotten value does not swallow the next flag.
    for next in ["--web.listen-address=127.0.0.1:1", "-x", "--"] {
        let error = config(&["--haproxy.pid-file", next]).unwrap_err();
        assert_eq!(error, "--haproxy.pid-file needs a value", "{next}");
    }
    let behind_the_end = config(&["--", "--help"]);
    let expected = "unexpected argument \"--help\" (try --help)";
    assert_eq!(behind_the_end.unwrap_err(), expected);
    let not_utf_8 = OsString::from_vec(b"--log.level=\xff".to_vec());
    let expected = "--log.level: \"\\xFF\" is not UTF-8";
    assert_eq!(parse([not_utf_8]).unwrap_err().to_string(), expected);
}

/// Whatever flag a URI is given to, and in whatever way, its password is in no error.
#[test]
fn no_error_holds_a_password() {
    let uris: [&[u8]; 8] = [
        b"http://admin:SECRET@127.0.0.1:1/;csv",
        b"http://admin:SECRET==@127.0.0.1:1/;csv",
        b"http://admin:SE CRET SECRET@127.0.0.1:1/;csv",
        b"http://admin:/SECRET@127.0.0.1:1/",
        b"tcp://admin:SECRET@127.0.0.1:1",
        b"//admin:SECRET@h",
        b"admin:SECRET@h",
        b"http://admin:SECRET\xff@h/",
    ];
    let names = flags::all()
        .map(|flag| flag.name)
        .chain(["bogus", "help", "version"]);
    let mut errors = 0;
    for name in names {
        let before = [
            format!("--{name}="),
            format!("--{name} "),
            format!("--{name}\t"),
            format!("--{name}=x="),
            format!("--{name}=x "),
            format!("--{name}=x=y "),
            format!("-{name}="),
            format!("-{name} "),
            format!("--no-{name}="),
            format!("--no-{name} "),
            format!("{name}="),
            format!("{name} "),
            "@".to_owned(),
            String::new(),
        ];
        for (before, uri) in before.iter().flat_map(|one| uris.map(|uri| (one, uri))) {
            let argument = OsString::from_vec([before.as_bytes(), uri].concat());
            if let Err(error) = parse([argument]) {
                let error = error.to_string();
                assert!(!error.contains("SECRET"), "{before}: {error}");
                errors += 1;
            }
        }
    }
    assert!(errors > 1000, "{errors}");
}

#[cfg(not(feature = "tls"))]
#[test]
fn flags_that_need_tls() {
    for name in ["haproxy.ssl-ca-file", "haproxy.ssl-server-name"] {
        let expected = format!("--{name}: this build has no TLS (build with `make TLS=1`)");
        let error = config(&[&format!("--{name}=x")]).unwrap_err();
        assert_eq!(error, expected);
    }
}

#[test]
fn a_flag_stands_once_unless_it_is_repeatable() {
    for flag in flags::all() {
        let argument = match flag.takes {
            Takes::Switch(_) | Takes::Optional(..) => format!("--{}", flag.name),
            Takes::Value(_, value) | Takes::Values(_, value) => format!("--{}={value}", flag.name),
        };
        let parsed = parse(arguments(&[&argument, &argument]));
        let name = flag.name;
        match flag.takes {
            Takes::Values(..) => assert!(parsed.is_ok(), "{name}"),
            _ => assert_eq!(
                parsed.unwrap_err().to_string(),
                format!("--{name} is given twice")
            ),
        }
    }
    let both = config(&["--http.proxy-from-env", "--no-http.proxy-from-env"]);
    let expected = "--http.proxy-from-env is given twice";
    assert_eq!(both.unwrap_err(), expected);
}

#[test]
fn texts_to_print() {
    let help = printed(&["--help"]);
    assert_eq!(printed(&["-h"]), help);
    assert_eq!(printed(&["--log.level=info", "--help", "--bogus"]), help);
    assert!(help.starts_with("usage: haproxy_exporter [<flags>]\n"));
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let in_one_line = words(&help);
    for flag in flags::all() {
        let usage = match flag.takes {
            Takes::Switch(_) => format!("--[no-]{}", flag.name),
            Takes::Optional(..) => format!("--{}[=", flag.name),
            Takes::Value(..) | Takes::Values(..) => format!("--{}=", flag.name),
        };
        assert!(
            help.contains(&usage) && in_one_line.contains(flag.help),
            "{usage}"
        );
    }
    let version = printed(&["--version"]);
    let number = env!("CARGO_PKG_VERSION");
    assert!(version.starts_with(&format!("haproxy_exporter, version {number}")));
    let built = version.lines().nth(1).unwrap();
    assert_eq!(built, built_line());
    assert!(version.ends_with('\n') && version.lines().count() == 2);
    let metrics = printed(&["--list-metrics"]);
    let builtin = printed(&["--list-metrics", "--haproxy.metric-names=builtin"]);
    assert!(
        metrics
            .lines()
            .any(|line| line.starts_with("haproxy_server_up\tgauge\tbackend,server\t"))
    );
    assert!(
        builtin
            .lines()
            .any(|line| line.starts_with("haproxy_server_status\tgauge\tproxy,server,state\t"))
    );
    assert!(metrics.lines().all(|line| line.split('\t').count() == 4));
    assert!(metrics.contains("haproxy_server_up\tgauge\tbackend,server\t"));
    assert!(metrics.contains("haproxy_up\tgauge\t\t"));
}

/// What the second line of `--version` must be.
fn built_line() -> String {
    let revision = option_env!("HAPROXY_EXPORTER_REVISION").unwrap_or("unknown");
    let library = match cfg!(target_env = "musl") {
        true => "musl",
        false => "gnu",
    };
    let target = match std::env::consts::ARCH {
        // Where the tests usually run.
        arch @ ("x86_64" | "aarch64") => format!("{arch}-linux-{library}"),
        _ => version::built_for(),
    };
    let features = match cfg!(feature = "tls") {
        true => "tls",
        false => "none",
    };
    let build = option_env!("HAPROXY_EXPORTER_BUILD").unwrap_or("plain");
    format!("revision {revision}, target {target}, features: {features}, build: {build}")
}
