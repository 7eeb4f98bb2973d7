//! https against a real HAProxy: who is trusted, and the words for who is not.

use std::path::{Path, PathBuf};

use crate::support::exporter::{self, Exporter};
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::haproxy::{Haproxy, Place};
use crate::support::pages;
use crate::tls::certificates::{self as certificates, Authority, Key, LOCAL, Wish};
use crate::tls::peer;

/// One HAProxy with a stats page behind each certificate.
struct Farm {
    haproxy: Haproxy,
    names: Vec<&'static str>,
}

impl Farm {
    /// A listener for each certificate: its name, the file, and more words for the `bind` line.
    fn start(listeners: &[(&'static str, &Path, &str)]) -> Option<Farm> {
        let place = Place::new(listeners.len());
        let mut configuration = place.global();
        for (number, (name, file, words)) in listeners.iter().enumerate() {
            let bind = place.bind(number);
            let file = file.display();
            configuration.push_str(&format!(
                "frontend {name}\n  bind {bind} ssl crt {file} {words}\n  stats enable\n  stats uri /\n"
            ));
        }
        Some(Farm {
            haproxy: Haproxy::start(place, &configuration)?,
            names: listeners.iter().map(|(name, ..)| *name).collect(),
        })
    }

    /// `https://HOST:PORT/;csv` of a listener.
    fn uri(&self, name: &str, host: &str) -> String {
        let number = self.names.iter().position(|other| *other == name);
        let address = self.haproxy.address(number.expect(name));
        format!("https://{host}:{}/;csv", address.port())
    }

    /// One scrape of a listener.
    fn scrape(&self, name: &str, host: &str, flags: &[&str]) -> Result<(), String> {
        scrape(&self.uri(name, host), flags, &[])
    }
}

/// One scrape without the roots of this machine.
fn scrape(uri: &str, flags: &[&str], environment: &[(&str, &Path)]) -> Result<(), String> {
    let mut command = exporter::command();
    command
        .env_remove("SSL_CERT_FILE")
        .env_remove("SSL_CERT_DIR");
    command.args([&format!("--haproxy.scrape-uri={uri}")]);
    command.args(flags).envs(environment.iter().copied());
    peer::outcome(Exporter::spawn(&mut command), uri)
}

fn refused(words: &str) -> Result<(), String> {
    Err(format!("TLS handshake: {words}"))
}

#[test]
fn keys_and_versions() {
    for key in [Key::Ec, Key::Rsa] {
        let Some(authority) = Authority::new("Test CA", key) else {
            return;
        };
        let [ec, rsa] = [("ec", Key::Ec), ("rsa", Key::Rsa)]
            .map(|(name, key)| authority.sign(name, Wish { key, ..LOCAL }));
        let old = "ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2";
        let new = "ssl-min-ver TLSv1.3";
        let Some(farm) = Farm::start(&[
            ("ec", &ec, ""),
            ("ec-1.2", &ec, old),
            ("ec-1.3", &ec, new),
            ("rsa", &rsa, ""),
            ("rsa-1.2", &rsa, old),
            ("rsa-1.3", &rsa, new),
            (
                "chacha",
                &ec,
                "ciphersuites TLS_CHACHA20_POLY1305_SHA256 ciphers ECDHE-ECDSA-CHACHA20-POLY1305",
            ),
            ("p384", &ec, "curves P-384"),
        ]) else {
            return;
        };
        for name in &farm.names {
            for host in ["127.0.0.1", "localhost", "localhost."] {
                let result = farm.scrape(name, host, &[&authority.flag()]);
                assert_eq!(result, Ok(()), "{name} at {host}");
            }
        }
    }
}

#[test]
#[rustfmt::skip]
fn certificates_that_are_refused() {
    let Some(authority) = Authority::new("Test CA", Key::Ec) else {
        return;
    };
    let other = Authority::new("Other CA", Key::Ec).expect("openssl");
    let twin = Authority::new("Test CA", Key::Ec).expect("openssl");
    let sign = |name, wish| authority.sign(name, wish);
    let names = |names| Wish { names, ..LOCAL };
    let dates = |dates| Wish { dates, ..LOCAL };
    let between = Wish {
        is_authority: true,
        names: "",
        ..LOCAL
    };
    let expired = ["20190102030405Z", "20200229235959Z"];
    let many: Vec<String> = (1..=8).map(|n| format!("DNS:n{n}.test")).collect();
    let local = sign("local", LOCAL);
    let files: [(&'static str, PathBuf); 13] = [
        ("expired", sign("expired", dates(expired))),
        ("future", sign("future", dates(["20400102030405Z", "20500101000000Z"]))),
        ("names", sign("names", names("DNS:a.test,DNS:*.b.test,IP:10.0.0.1,IP:::1"))),
        ("many", sign("many", names(&many.join(",")))),
        ("nameless", sign("nameless", names(""))),
        ("local-ca", sign("local-ca", Wish { is_authority: true,..LOCAL })),
        ("other", other.sign("other", LOCAL)),
        ("twin", twin.sign("twin", LOCAL)),
        ("self", authority.self_signed("self", "localhost", Key::Ec, LOCAL.names)),
        ("below", authority.sign_below("below", between, LOCAL)),
        ("local", local.clone()),
        ("client", local.clone()),
        ("old", local),
    ];
    let words = |name: &str| match name {
        "client" => format!("verify required ca-file {}", authority.file().display()),
        "old" => "ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.1 ciphers ALL:@SECLEVEL=0".to_owned(),
        _ => String::new(),
    };
    let words: Vec<String> = files.iter().map(|(name, _)| words(name)).collect();
    let listeners: Vec<_> = files
        .iter()
        .zip(&words)
        .map(|((name, file), words)| (*name, file.as_path(), words.as_str()))
        .collect();
    let Some(farm) = Farm::start(&listeners) else {
        return;
    };
    let stale = Authority::new("Stale CA", Key::Ec).expect("openssl");
    let stale_between = Wish {
        dates: expired,
        ..between
    };
    let stale_file = stale.sign_below("below", stale_between, LOCAL);
    let stale_farm = Farm::start(&[("stale", &stale_file, "")]).expect("haproxy");

    let cases = [
        ("expired", "127.0.0.1", refused("the certificate expired at 2020-02-29T23:59:59Z")),
        ("future", "127.0.0.1", refused("the certificate is not valid before 2040-01-02T03:04:05Z")),
        (
            "names",
            "127.0.0.1",
            refused(
                "the certificate is not for \"127.0.0.1\" but for \"a.test\", \"*.b.test\", \"10.0.0.1\", \"::1\"",
            ),
        ),
        (
            "many",
            "localhost",
            refused(
                "the certificate is not for \"localhost\" but for \"n1.test\", \"n2.test\", \"n3.test\", \"n4.test\", \"n5.test\" and 3 more",
            ),
        ),
        ("nameless", "localhost", refused("the certificate is not for \"localhost\": it has no names")),
        ("local-ca", "localhost", refused("the certificate cannot be used: CaUsedAsEndEntity")),
        (
            "other",
            "localhost",
            refused("the certificate's issuer is unknown: \"Other CA\" (--haproxy.ssl-ca-file can trust it)"),
        ),
        ("twin", "localhost", refused("the certificate is not signed by the \"Test CA\" that is trusted")),
        ("self", "localhost", refused("the certificate is self-signed (--haproxy.ssl-ca-file can trust it)")),
        ("below", "localhost", Ok(())),
        ("local", "localhost", Ok(())),
        (
            "client",
            "localhost",
            Err("read: the peer wants a client certificate, and there is none to give".to_owned()),
        ),
        ("old", "localhost", refused("the peer refused with the alert ProtocolVersion")),
    ];
    for (name, host, expected) in cases {
        let result = farm.scrape(name, host, &[&authority.flag()]);
        assert_eq!(result, expected, "{name}");
        // Without a check only the handshake itself can fail.
        let unchecked = unchecked(&farm.uri(name, host));
        let expected = if matches!(name, "client" | "old") {
            0.0
        } else {
            1.0
        };
        assert_eq!(unchecked, expected, "{name} unchecked");
    }
    let words = "the certificate of the issuer \"between\" expired at 2020-02-29T23:59:59Z";
    let result = stale_farm.scrape("stale", "localhost", &[&stale.flag()]);
    assert_eq!(result, refused(words));
}

/// `haproxy_up` without a check, which must be warned of.
fn unchecked(uri: &str) -> f64 {
    let uri = format!("--haproxy.scrape-uri={uri}");
    let exporter = Exporter::start(&[&uri, "--no-haproxy.ssl-verify"]);
    let up = exporter.scrape().value("haproxy_up");
    let warning = "the certificate of the scrape URI is not checked";
    let problems = exporter.finish().problems();
    assert_eq!((&*problems[0].level, &*problems[0].msg), ("warn", warning));
    assert_eq!(problems.len(), if up == 1.0 { 1 } else { 2 });
    up
}

/// What `openssl req -x509` makes is an authority that signed itself; named as a root, it is good.
#[test]
fn a_self_signed_certificate_can_be_a_root() {
    let Some(authority) = Authority::new("Test CA", Key::Ec) else {
        return;
    };
    let [own, other] = ["own", "other"]
        .map(|file| authority.self_signed(file, "localhost", Key::Ec, "DNS:localhost"));
    let Some(farm) = Farm::start(&[("own", &own, ""), ("other", &other, "")]) else {
        return;
    };
    let flag = certificates::flag(&own);
    assert_eq!(farm.scrape("own", "localhost", &[&flag]), Ok(()));
    let wrong = "the certificate is not for \"127.0.0.1\" but for \"localhost\"";
    assert_eq!(farm.scrape("own", "127.0.0.1", &[&flag]), refused(wrong));
    let unknown = "the certificate is self-signed (--haproxy.ssl-ca-file can trust it)";
    assert_eq!(
        farm.scrape("other", "localhost", &[&flag]),
        refused(unknown)
    );
}

/// A root that is out of date is refused like any other certificate, whether it may sign others or not.
#[test]
fn a_pinned_root_that_is_out_of_date() {
    let Some(authority) = Authority::new("Test CA", Key::Ec) else {
        return;
    };
    let past = ["20190102030405Z", "20200229235959Z"];
    let future = ["20400102030405Z", "20500101000000Z"];
    let expired = "the certificate expired at 2020-02-29T23:59:59Z";
    let not_yet = "the certificate is not valid before 2040-01-02T03:04:05Z";
    let cases = [
        ("good", LOCAL.dates, false, Ok(())),
        ("good-ca", LOCAL.dates, true, Ok(())),
        ("expired", past, false, refused(expired)),
        ("expired-ca", past, true, refused(expired)),
        ("future", future, false, refused(not_yet)),
        ("future-ca", future, true, refused(not_yet)),
    ];
    let files = cases.each_ref().map(|(name, dates, is_authority, _)| {
        let wish = Wish {
            dates: *dates,
            is_authority: *is_authority,
            ..LOCAL
        };
        (*name, authority.pinned(name, wish))
    });
    let listeners = files
        .each_ref()
        .map(|(name, file)| (*name, file.as_path(), ""));
    let Some(farm) = Farm::start(&listeners) else {
        return;
    };
    for ((name, file), (_, _, _, expected)) in files.iter().zip(cases) {
        let flag = certificates::flag(file);
        assert_eq!(farm.scrape(name, "localhost", &[&flag]), expected, "{name}");
    }
}

/// HAProxy says good-bye behind a body that only the end of the connection ends, as its own stats
/// page is before 2.0 and since 3.2.
#[test]
fn a_body_that_ends_with_the_connection() {
    let Some(authority) = Authority::new("Test CA", Key::Rsa) else {
        return;
    };
    let open = format!("HTTP/1.0 200 OK\r\n\r\n{}", pages::body());
    let origin = Fake::http("127.0.0.1", Answers::page(open.as_bytes()));
    let file = authority.sign("local", LOCAL);
    for words in ["ssl-max-ver TLSv1.2", "ssl-min-ver TLSv1.3"] {
        let place = Place::new(1);
        let configuration = format!(
            "{}listen relay\n  bind {} ssl crt {} {words}\n  server origin {}\n",
            place.global(),
            place.bind(0),
            file.display(),
            origin.address()
        );
        let Some(haproxy) = Haproxy::start(place, &configuration) else {
            return;
        };
        let uri = format!("https://{}/;csv", haproxy.address(0));
        assert_eq!(scrape(&uri, &[&authority.flag()], &[]), Ok(()), "{words}");
    }
}

#[test]
fn names_and_roots_from_elsewhere() {
    let Some(authority) = Authority::new("Test CA", Key::Ec) else {
        return;
    };
    let file = authority.sign(
        "named",
        Wish {
            names: "DNS:stats.test,IP:10.0.0.1",
            ..LOCAL
        },
    );
    let Some(farm) = Farm::start(&[("named", &file, "strict-sni")]) else {
        return;
    };
    let uri = farm.uri("named", "127.0.0.1");
    let name = "--haproxy.ssl-server-name=stats.test";
    assert_eq!(scrape(&uri, &[&authority.flag(), name], &[]), Ok(()));
    // With strict-sni HAProxy knows no other name, nor a handshake without one.
    let refusal = refused("the peer refused with the alert UnrecognisedName");
    for name in [
        "--haproxy.ssl-server-name=other.test",
        "--haproxy.ssl-server-name=10.0.0.1",
    ] {
        assert_eq!(
            scrape(&uri, &[&authority.flag(), name], &[]),
            refusal,
            "{name}"
        );
    }
    let root = authority.file();
    let directory = authority.hashed_directory();
    let empty = tempfile::TempDir::new().expect("a temporary directory");
    for (variable, value) in [("SSL_CERT_FILE", &root), ("SSL_CERT_DIR", &directory)] {
        assert_eq!(
            scrape(&uri, &[name], &[(variable, value)]),
            Ok(()),
            "{variable}"
        );
    }
    let unknown =
        "the certificate's issuer is unknown: \"Test CA\" (--haproxy.ssl-ca-file can trust it)";
    let other = Authority::new("Other CA", Key::Ec).expect("openssl");
    let result = scrape(&uri, &[name, &other.flag()], &[("SSL_CERT_FILE", &root)]);
    assert_eq!(result, refused(unknown), "only the roots of the flag");
    drop(empty);
}
