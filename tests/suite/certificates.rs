//! `--haproxy.certificates`: what a real HAProxy has loaded, beside what openssl says, and how often
//! a fake one is asked.

mod loaded;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::csv;
use crate::support::exporter::{Exporter, Problem};
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Act, Answers, Fake, Script};
use crate::support::faults::INFO;
use crate::support::fixtures;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::peers::{find, run};

/// Makes a certificate that ends on a day after 2038, with its key behind it; returns the file.
pub(crate) fn make(place: &Place) -> Option<PathBuf> {
    let file = place.path("site.pem");
    make_at(&file, 9000)?;
    Some(file)
}

/// Makes one at this path that is valid for so many days.
fn make_at(file: &Path, days: usize) -> Option<()> {
    let openssl = find("openssl")?;
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let key = directory.path().join("key.pem");
    let mut command = Command::new(&openssl);
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt"]);
    command.args(["ec_paramgen_curve:P-256", "-nodes", "-days"]);
    command.arg(days.to_string());
    command.args(["-subj", "/CN=site.example", "-keyout"]);
    let (status, _, error) = run(command.arg(&key).arg("-out").arg(file));
    assert!(status.success(), "{error}");
    let both = [file, &key].map(|path| std::fs::read(path).expect("a PEM file"));
    std::fs::write(file, both.concat()).expect("write a PEM file");
    Some(())
}

/// A HAProxy with such a certificate; its CLI has this level. Returns the file's name as well.
fn haproxy(level: &str) -> Option<(Haproxy, String)> {
    find("haproxy")?;
    let place = Place::new(1);
    let file = make(&place)?;
    let global = place
        .global()
        .replace("level admin", &format!("level {level}"));
    let (bind, name) = (place.bind(0), file.display().to_string());
    let configuration = format!("{global}frontend site\n  bind {bind} ssl crt {name}\n");
    Some((Haproxy::start(place, &configuration)?, name))
}

/// When a certificate ends, as openssl and date(1) say it.
fn end(file: impl AsRef<OsStr>) -> f64 {
    let script = "date -u +%s -d \"$(openssl x509 -noout -enddate -in \"$0\" | cut -d= -f2)\"";
    let (status, output, error) = run(Command::new("sh").args(["-c", script]).arg(file));
    assert!(status.success(), "{error}");
    output.trim().parse().expect("seconds")
}

#[test]
fn the_end_is_that_of_openssl() {
    let Some((haproxy, file)) = haproxy("operator") else {
        return;
    };
    let exporter = Exporter::start(&[&haproxy.unix_flag(), "--haproxy.certificates"]);
    let key = format!("haproxy_ssl_certificate_not_after_timestamp_seconds{{filename=\"{file}\"}}");
    let expected = end(&file);
    assert!(expected > f64::from(i32::MAX), "{expected}");
    // The second is from memory.
    for _ in 0..2 {
        let found = exporter.scrape();
        assert_eq!(found.value(&key), expected);
        assert_eq!(found.value("haproxy_ssl_certificates_up"), 1.0);
        assert!(found.value("haproxy_ssl_certificates_read_timestamp_seconds") > 1e9);
    }
    assert_eq!(exporter.finish().problems(), []);
}

#[test]
fn a_level_that_is_too_low_costs_the_certificates_alone() {
    let Some((haproxy, _)) = haproxy("user") else {
        return;
    };
    // HAProxy from 3.2 on tells everyone.
    if !haproxy.cli("show ssl sni").starts_with("Unknown command") {
        return;
    }
    let exporter = Exporter::start(&[&haproxy.unix_flag(), "--haproxy.certificates"]);
    for _ in 0..2 {
        let found = exporter.scrape();
        assert_eq!(found.value("haproxy_up"), 1.0);
        assert_eq!(found.value("haproxy_ssl_certificates_up"), 0.0);
        let of_one = "haproxy_ssl_certificate_not_after_timestamp_seconds";
        assert!(!found.families.contains_key(of_one));
    }
    let why = "not a reply to \"show ssl cert\": it begins \"Can't allocate memory!\"";
    let expected = Problem {
        level: "warn".to_owned(),
        msg: "certificates cannot be read".to_owned(),
        details: vec![format!(
            "err=unix socket {}: {why} (the CLI socket needs level operator)",
            haproxy.socket().display()
        )],
    };
    assert_eq!(exporter.finish().problems(), [expected]);
}

/// Scrapes twice; returns what came, what HAProxy was asked about certificates, the log's problems, and
/// how the exporter names this HAProxy.
fn scraped(choose: fn(&str) -> Script) -> ([Exposition; 2], Vec<String>, Vec<Problem>, String) {
    let answers = Answers {
        stat: vec![Act::choose(choose)],
        info: vec![Act::Send(INFO.to_vec())],
    };
    let fake = Fake::tcp("127.0.0.1", answers);
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let exporter = Exporter::start(&[&uri, "--haproxy.certificates"]);
    let found = [(); 2].map(|()| exporter.scrape());
    let mut requests = fake.requests();
    requests.retain(|line| line.contains(" ssl "));
    (found, requests, exporter.finish().problems(), fake.object())
}

fn rows() -> Script {
    let rows = [csv::frontend("site", &[(4, "1")])];
    vec![Act::Send(csv::answer(&rows))]
}

/// HAProxy 3.2 and later. The second scrape comes within 5 minutes and shows what the first one read.
#[test]
fn everything_is_read_once_for_a_while() {
    fn choose(command: &str) -> Script {
        match command {
            "show ssl sni" => vec![Act::Send(fixtures::bytes("cli/3.4.0/c03-show-ssl-sni.out"))],
            "show ssl cert" => vec![Act::Send(fixtures::bytes(
                "cli/3.4.0/c00-show-ssl-cert.out",
            ))],
            _ => rows(),
        }
    }
    let (both, requests, problems, _) = scraped(choose);
    let key = |number| {
        let name = "haproxy_ssl_certificate_not_after_timestamp_seconds";
        format!("{name}{{filename=\"/etc/haproxy/certs/site{number}.pem\"}}")
    };
    let read = "haproxy_ssl_certificates_read_timestamp_seconds";
    for found in &both {
        assert_eq!(found.value("haproxy_ssl_certificates_up"), 1.0);
        // As date(1) says.
        let ends = [1_798_170_793.0, 1_800_762_793.0, 1_803_354_793.0];
        assert_eq!([1, 2, 3].map(|number| found.value(&key(number))), ends);
        assert_eq!(found.value(read), both[0].value(read));
    }
    assert_eq!(
        requests,
        ["show ssl sni;show info\n", "show ssl cert;show info\n"]
    );
    assert_eq!(problems, []);
}

/// A HAProxy that refuses is not asked at each scrape either.
#[test]
fn a_failure_is_not_tried_again_for_a_while() {
    fn choose(command: &str) -> Script {
        match command.starts_with("show ssl ") {
            true => vec![Act::Send(b"Permission denied\n\n".to_vec())],
            false => rows(),
        }
    }
    let (both, requests, problems, object) = scraped(choose);
    for found in both {
        assert_eq!(found.value("haproxy_up"), 1.0);
        assert_eq!(found.value("haproxy_ssl_certificates_up"), 0.0);
        let read = "haproxy_ssl_certificates_read_timestamp_seconds";
        assert!(!found.families.contains_key(read));
    }
    assert_eq!(
        requests,
        ["show ssl sni;show info\n", "show ssl cert;show info\n"]
    );
    let why = "not a reply to \"show ssl cert\": it begins \"Permission denied\"";
    let expected = Problem {
        level: "warn".to_owned(),
        msg: "certificates cannot be read".to_owned(),
        details: vec![format!("err={object}: {why}")],
    };
    assert_eq!(problems, [expected]);
}

/// It was the right question: the dearer one of older releases would not be answered better.
#[test]
fn a_cut_answer_is_not_asked_for_in_another_way() {
    fn choose(command: &str) -> Script {
        match command {
            "show ssl sni" => vec![Act::Send(b"# Bind\tFilename\tNotAfter\n".to_vec())],
            "show ssl cert" => vec![Act::Send(b"Can't allocate memory!\n\n".to_vec())],
            _ => rows(),
        }
    }
    let (both, requests, problems, object) = scraped(choose);
    for found in both {
        assert_eq!(found.value("haproxy_ssl_certificates_up"), 0.0);
    }
    assert_eq!(requests, ["show ssl sni;show info\n"]);
    let why = "reply cut: the closing empty line is missing";
    let expected = Problem {
        level: "warn".to_owned(),
        msg: "certificates cannot be read".to_owned(),
        details: vec![format!("err={object}: {why}")],
    };
    assert_eq!(problems, [expected]);
}

const UP: &str = "haproxy_ssl_certificates_up";
const END: &str = "haproxy_ssl_certificate_not_after_timestamp_seconds";
/// Large replies take a while on a busy machine.
const PATIENT: &str = "--haproxy.timeout=60s";
const ANNOUNCES: &str = "X-Prometheus-Scrape-Timeout-Seconds";

fn sni(_: &str) -> Script {
    vec![Act::Send(fixtures::bytes("cli/3.4.0/c03-show-ssl-sni.out"))]
}

/// A reply of so many certificates, whose names have so many bytes.
fn sni_of(count: usize, name_bytes: usize) -> Vec<u8> {
    let mut reply =
        b"# Frontend/Bind\tSNI\tNegative Filter\tType\tFilename\tNotAfter\tNotBefore\n".to_vec();
    for number in 0..count {
        let row = format!(
            "f/b:1\tx\t-\tecdsa\t{number:0>name_bytes$}\tJan  1 00:00:00 2099 GMT\tJan  1 00:00:00 2020 GMT\n"
        );
        reply.extend_from_slice(row.as_bytes());
    }
    reply.push(b'\n');
    reply
}

/// A HAProxy that answers `show ssl sni` so.
fn of_sni(choose: fn(&str) -> Script) -> Answers {
    Answers {
        stat: vec![Act::choose(choose)],
        info: vec![Act::Send(INFO.to_vec())],
    }
}

fn start(fake: &Fake) -> Exporter {
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    Exporter::start(&[&uri, "--haproxy.certificates"])
}

fn hangs(command: &str) -> Script {
    match command {
        "show ssl sni" => vec![Act::Hold],
        _ => rows(),
    }
}

fn whole(command: &str) -> Script {
    match command {
        "show ssl sni" => sni(command),
        _ => rows(),
    }
}

/// A request whose time is too short does not begin a reading, so it takes the certificates from nobody; one
/// that took too long is repeated at the next scrape.
#[test]
fn a_reading_has_enough_time_and_is_repeated_where_it_had_not() {
    let fake = Fake::tcp("127.0.0.1", of_sni(whole));
    let exporter = start(&fake);
    for _ in 0..3 {
        let hurried = exporter.scrape_with(&[(ANNOUNCES, "0.5")]);
        assert_eq!(hurried.value("haproxy_up"), 1.0);
        assert!(!hurried.families.contains_key(UP), "not read yet");
    }
    assert!(!fake.requests().iter().any(|line| line.contains(" ssl ")));
    assert_eq!(exporter.scrape_with(&[(ANNOUNCES, "10")]).value(UP), 1.0);
    // The last ones are shown to whoever has little time.
    assert_eq!(exporter.scrape_with(&[(ANNOUNCES, "0.5")]).value(UP), 1.0);
    let fake = Fake::tcp("127.0.0.1", of_sni(hangs));
    let exporter = start(&fake);
    assert_eq!(exporter.scrape().value(UP), 0.0);
    fake.set(of_sni(whole));
    assert_eq!(exporter.scrape().value(UP), 1.0);
}

/// How many certificates there are.
fn ends(found: &Exposition) -> usize {
    let keys = found.samples.keys();
    keys.filter(|key| key.starts_with(END)).count()
}

/// Another process cannot be read: what was read stays, with its time.
#[test]
fn what_was_read_stays_while_it_cannot_be_read_again() {
    let fake = Fake::tcp("127.0.0.1", of_sni(whole));
    let exporter = start(&fake);
    let before = exporter.scrape();
    assert_eq!((before.value(UP), ends(&before)), (1.0, 3));
    let other = String::from_utf8_lossy(INFO).replace("\nPid: ", "\nPid: 9");
    assert_ne!(other.as_bytes(), INFO);
    fake.set(Answers {
        info: vec![Act::Send(other.into_bytes())],
        ..of_sni(hangs)
    });
    exporter.scrape();
    let after = exporter.scrape();
    let read = "haproxy_ssl_certificates_read_timestamp_seconds";
    assert_eq!(
        (after.value(UP), after.value(read)),
        (0.0, before.value(read))
    );
    assert_eq!(ends(&after), 3);
}

#[test]
fn what_certificates_need_is_bounded() {
    fn long(command: &str) -> Script {
        match command {
            "show ssl sni" => vec![Act::Send(sni_of(1, 4097))],
            _ => rows(),
        }
    }
    fn large(command: &str) -> Script {
        match command {
            "show ssl sni" => vec![Act::Send(sni_of(4200, 4000))],
            _ => rows(),
        }
    }
    type Case = (fn(&str) -> Script, &'static str);
    let cases: [Case; 2] = [
        (long, "line 2 has a name longer than 4096 bytes"),
        (large, "larger than 16777216 bytes"),
    ];
    for (choose, expected) in cases {
        let fake = Fake::tcp("127.0.0.1", of_sni(choose));
        let uri = format!("--haproxy.scrape-uri={}", fake.uri());
        let exporter = Exporter::start(&[&uri, "--haproxy.certificates", PATIENT]);
        assert_eq!(exporter.scrape().value(UP), 0.0);
        let problems = exporter.finish().problems();
        assert!(problems[0].details[0].ends_with(expected), "{problems:?}");
    }
    // Two lists of 12 MiB each are kept, and a third is not.
    fn some(command: &str) -> Script {
        match command {
            "show ssl sni" => vec![Act::Send(sni_of(3100, 4000))],
            _ => rows(),
        }
    }
    let fake = Fake::tcp("127.0.0.1", of_sni(some));
    let target = |name| format!("--haproxy.target={name}={}", fake.uri());
    let targets = ["a", "b", "c"].map(target);
    let flags = [
        &targets[0],
        &targets[1],
        &targets[2],
        "--haproxy.certificates",
        PATIENT,
    ];
    let exporter = Exporter::start(&flags);
    let up = ["a", "b", "c"].map(|name| {
        let response = exporter.get(&format!("/metrics?target={name}"));
        let text = response.text();
        let line = text
            .lines()
            .find(|line| line.starts_with(UP))
            .expect("a line");
        line.ends_with(" 1")
    });
    assert_eq!(up, [true, true, false]);
    let peak = exporter.proc_status("VmHWM");
    assert!(peak < 100 * 1024, "{peak} KiB");
}
