//! `--haproxy.certificates`: what a real HAProxy has loaded, beside what openssl says, and how often
//! a fake one is asked.

use std::path::PathBuf;
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
    let openssl = find("openssl")?;
    let (key, file) = (place.path("key.pem"), place.path("site.pem"));
    let mut command = Command::new(&openssl);
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt"]);
    command.args(["ec_paramgen_curve:P-256", "-nodes", "-days", "9000"]);
    command.args(["-subj", "/CN=site.example", "-keyout"]);
    let (status, _, error) = run(command.arg(&key).arg("-out").arg(&file));
    assert!(status.success(), "{error}");
    let both = [&file, &key].map(|path| std::fs::read(path).expect("a PEM file"));
    std::fs::write(&file, both.concat()).expect("write a PEM file");
    Some(file)
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
fn end(file: &str) -> f64 {
    let script = "date -u +%s -d \"$(openssl x509 -noout -enddate -in \"$0\" | cut -d= -f2)\"";
    let (status, output, error) = run(Command::new("sh").args(["-c", script, file]));
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
        assert!(found.value("haproxy_ssl_certificates_last_read_timestamp_seconds") > 1e9);
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
        stat: vec![Act::Choose(choose)],
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
fn one_command_tells_everything_for_a_while() {
    fn choose(command: &str) -> Script {
        match command {
            "show ssl sni" => vec![Act::Send(fixtures::bytes("cli/3.4.0/c03-show-ssl-sni.out"))],
            _ => rows(),
        }
    }
    let (both, requests, problems, _) = scraped(choose);
    let key = |number| {
        let name = "haproxy_ssl_certificate_not_after_timestamp_seconds";
        format!("{name}{{filename=\"/etc/haproxy/certs/site{number}.pem\"}}")
    };
    let read = "haproxy_ssl_certificates_last_read_timestamp_seconds";
    for found in &both {
        assert_eq!(found.value("haproxy_ssl_certificates_up"), 1.0);
        // As date(1) says.
        let ends = [1_798_170_793.0, 1_800_762_793.0, 1_803_354_793.0];
        assert_eq!([1, 2, 3].map(|number| found.value(&key(number))), ends);
        assert_eq!(found.value(read), both[0].value(read));
    }
    assert_eq!(requests, ["show ssl sni;show info\n"]);
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
        let read = "haproxy_ssl_certificates_last_read_timestamp_seconds";
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
