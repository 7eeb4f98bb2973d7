//! Which of the certificates that HAProxy has loaded are read: whatever their files are called, and whether a
//! bind uses them or not.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::{END, UP, end, make_at, of_sni, rows, start};
use crate::support::exporter::{Exporter, Problem};
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Act, Fake, Script};
use crate::support::fixtures;
use crate::support::haproxy::{Haproxy, Place, RELEASES};
use crate::support::peers::find;

const UNREAD: &str = "haproxy_ssl_certificates_unread";

/// Names that the CLI has its own idea of.
const NAMES: [&str; 16] = [
    "plain",
    "*.star",
    "(paren)",
    "ha#sh",
    "#first",
    "ümlaut",
    "two words",
    "two  blanks",
    "semi;colon",
    "quo\"te",
    "apo'strophe",
    "back\\slash",
    "end\\",
    "tab\tx",
    "<<a <<b",
    "dol$lar",
];

/// The exported files with their expiry.
fn exported(found: &Exposition) -> Vec<(String, f64)> {
    let samples = found.samples.iter();
    let samples = samples.filter_map(|(key, sample)| {
        let file = key.strip_prefix(END)?.strip_prefix("{filename=\"")?;
        let file = file.strip_suffix("\"}")?;
        let file = file.replace("\\\"", "\"").replace("\\\\", "\\");
        Some((file, sample.number))
    });
    let mut samples: Vec<_> = samples.collect();
    samples.sort_by(|one, other| one.0.cmp(&other.0));
    samples
}

fn missing(count: usize, total: usize, first: &str) -> Problem {
    let why = format!("{count} of {total} could not be read, the first is {first:?}");
    Problem {
        level: "warn".to_owned(),
        msg: "certificates may be missing".to_owned(),
        details: vec![format!("err={why}")],
    }
}

/// Every name is read with its own expiry; those that the CLI cannot be asked for are counted, and logged once.
#[test]
fn whatever_the_files_are_called() {
    for release in RELEASES {
        if find(release).is_none() {
            continue;
        }
        let place = Place::new(1);
        let directory = place.path("certs");
        std::fs::create_dir(&directory).expect("a directory");
        let mut expected = Vec::new();
        for (number, name) in NAMES.iter().enumerate() {
            let file = directory.join(format!("{name}.pem"));
            if make_at(&file, 9000 + number).is_none() {
                return;
            }
            expected.push((file.display().to_string(), end(&file)));
        }
        // A server's certificate, which no bind has. In a command line its name would begin a payload.
        let client = place.path("client<<");
        make_at(&client, 8000).expect("it is installed");
        expected.push((client.display().to_string(), end(&client)));
        expected.sort_by(|one, other| one.0.cmp(&other.0));
        // HAProxy lists the first one as two lines; the second is no UTF-8.
        for name in [&b"line\nend.pem"[..], b"\xfc.pem"] {
            let file = directory.join(OsStr::from_bytes(name));
            std::fs::copy(&client, file).expect("copy a certificate");
        }
        let configuration = format!(
            "{}frontend site\n  bind {} ssl crt {}\nbackend tls\n  server s 127.0.0.1:1 ssl verify none crt {}\n",
            place.global().replace("level admin", "level operator"),
            place.bind(0),
            directory.display(),
            client.display(),
        );
        let first = directory.join("line").display().to_string();
        let haproxy =
            Haproxy::start_release(release, place, &configuration).expect("it is installed");
        let exporter = Exporter::start(&[&haproxy.unix_flag(), "--haproxy.certificates"]);
        for _ in 0..2 {
            let found = exporter.scrape();
            assert_eq!(exported(&found), expected, "{release}");
            assert_eq!(
                (found.value(UP), found.value(UNREAD)),
                (1.0, 3.0),
                "{release}"
            );
        }
        let total = expected.len() + 3;
        assert_eq!(
            exporter.finish().problems(),
            [missing(3, total, &first)],
            "{release}"
        );
    }
}

/// That is what HAProxy before 3.2 says where it has none.
#[test]
fn an_empty_reply_is_said() {
    for release in RELEASES {
        let place = Place::new(0);
        let configuration = format!("{}backend b\n", place.global());
        let Some(haproxy) = Haproxy::start_release(release, place, &configuration) else {
            continue;
        };
        let exporter = Exporter::start(&[&haproxy.unix_flag(), "--haproxy.certificates"]);
        let found = exporter.scrape();
        assert_eq!(found.value(UP), 0.0, "{release}");
        assert!(!found.families.contains_key(UNREAD), "{release}");
        let object = haproxy.socket().display().to_string();
        let expected = Problem {
            level: "warn".to_owned(),
            msg: "certificates cannot be read".to_owned(),
            details: vec![format!(
                "err=unix socket {object}: HAProxy lists no certificates"
            )],
        };
        assert_eq!(exporter.finish().problems(), [expected], "{release}");
    }
}

/// Site 1 to 3 are recorded.
fn site(number: u8) -> (String, f64) {
    let ends = [1_798_170_793.0, 1_800_762_793.0, 1_803_354_793.0];
    let file = format!("/etc/haproxy/certs/site{number}.pem");
    (file, ends[usize::from(number) - 1])
}

/// HAProxy 3.4 with a server that has site 2; `show ssl sni` has the two of binds, and a row that is broken.
fn newer(command: &str, list: &[u8]) -> Script {
    let reply = match command {
        "show ssl sni" => {
            let text = String::from_utf8(fixtures::bytes("cli/3.4.0/c03-show-ssl-sni.out"));
            let text = text.expect("UTF-8");
            let lines = text.split_inclusive('\n');
            let text: String = lines.filter(|line| !line.contains("/site2.pem")).collect();
            let text = text.trim_end().to_owned() + "\nfe_ssl/x\tsite2\n\n.example\t/a.pem\n\n";
            text.into_bytes()
        }
        "show ssl cert" => list.to_vec(),
        "show ssl cert /etc/haproxy/certs/site2.pem" => {
            let both = fixtures::bytes("cli/3.4.0/c10-pipelined.out");
            let text = String::from_utf8(both).expect("UTF-8");
            let at = text
                .find("Filename: /etc/haproxy/certs/site2")
                .expect("it is recorded");
            text.as_bytes()[at..].to_vec()
        }
        _ => return rows(),
    };
    vec![Act::Send(reply)]
}

/// From 3.2 on only those are asked for that `show ssl sni` lacks.
#[test]
fn those_of_servers_are_read_too() {
    fn operator(command: &str) -> Script {
        newer(command, &fixtures::bytes("cli/3.4.0/c00-show-ssl-cert.out"))
    }
    let fake = Fake::tcp("127.0.0.1", of_sni(operator));
    let exporter = start(&fake);
    for _ in 0..2 {
        let found = exporter.scrape();
        assert_eq!(exported(&found), [site(1), site(2), site(3)]);
        assert_eq!((found.value(UP), found.value(UNREAD)), (1.0, 0.0));
    }
    let mut requests = fake.requests();
    requests.retain(|line| line.contains(" ssl "));
    let expected = [
        "show ssl sni;show info\n",
        "show ssl cert;show info\n",
        "show ssl cert /etc/haproxy/certs/site2.pem;show info\n",
    ];
    assert_eq!(requests, expected);
    assert_eq!(exporter.finish().problems(), []);
}

/// A level that is too low for the list costs those that only the list has. The broken row is counted.
#[test]
fn a_user_sees_those_of_binds() {
    fn user(command: &str) -> Script {
        newer(command, b"Can't allocate memory!\n\n")
    }
    let fake = Fake::tcp("127.0.0.1", of_sni(user));
    let exporter = start(&fake);
    for _ in 0..2 {
        let found = exporter.scrape();
        assert_eq!(exported(&found), [site(1), site(3)]);
        assert_eq!((found.value(UP), found.value(UNREAD)), (1.0, 2.0));
    }
    let why = "not a reply to \"show ssl cert\": it begins \"Can't allocate memory!\"";
    let object = fake.object();
    let expected = Problem {
        level: "warn".to_owned(),
        msg: "certificates may be missing".to_owned(),
        details: vec![format!(
            "err=only those of binds are known: {object}: {why} (the CLI socket needs level operator)"
        )],
    };
    assert_eq!(exporter.finish().problems(), [expected]);
}

/// What the list lacks because it took too long is read at the next scrape.
#[test]
fn a_list_that_took_too_long_is_read_again() {
    fn hangs(command: &str) -> Script {
        match command {
            "show ssl cert" => vec![Act::Hold],
            _ => operator(command),
        }
    }
    fn operator(command: &str) -> Script {
        newer(command, &fixtures::bytes("cli/3.4.0/c00-show-ssl-cert.out"))
    }
    let fake = Fake::tcp("127.0.0.1", of_sni(hangs));
    let exporter = start(&fake);
    let found = exporter.scrape();
    assert_eq!(exported(&found), [site(1), site(3)]);
    assert_eq!((found.value(UP), found.value(UNREAD)), (1.0, 2.0));
    fake.set(of_sni(operator));
    let found = exporter.scrape();
    assert_eq!(exported(&found), [site(1), site(2), site(3)]);
    assert_eq!((found.value(UP), found.value(UNREAD)), (1.0, 0.0));
}
