//! `--haproxy.certificates` on a real HAProxy: what it has loaded, beside what openssl says.

use std::path::PathBuf;
use std::process::Command;

use crate::support::exporter::{Exporter, Problem};
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
    let why = "not an answer to \"show ssl cert\": it begins \"Can't allocate memory!\"";
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
