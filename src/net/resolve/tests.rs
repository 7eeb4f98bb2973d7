use super::*;
use tempfile::TempDir;

mod dns;
mod name_server;

/// A resolver with its own files.
struct Files {
    directory: TempDir,
    name_server_port: u16,
}

impl Files {
    fn new(hosts: Option<&str>, configuration: Option<&str>, name_server_port: u16) -> Self {
        let directory = TempDir::new().unwrap();
        for (name, text) in [("hosts", hosts), ("resolv.conf", configuration)] {
            if let Some(text) = text {
                std::fs::write(directory.path().join(name), text).unwrap();
            }
        }
        Self {
            directory,
            name_server_port,
        }
    }

    /// All addresses of a host, joined with blanks, or the error's text.
    fn resolve(&self, host: &str, time: Duration) -> Result<String, String> {
        let found = self.resolve_before(host, Deadline::after(time));
        let text = |found: Vec<SocketAddr>| {
            let texts: Vec<String> = found.iter().map(SocketAddr::to_string).collect();
            texts.join(" ")
        };
        found.map(text).map_err(|error| error.to_string())
    }

    fn resolve_before(
        &self,
        host: &str,
        deadline: Deadline,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        let resolver = Resolver {
            hosts: self.directory.path().join("hosts"),
            configuration: self.directory.path().join("resolv.conf"),
            name_server_port: self.name_server_port,
        };
        let address = HostPort {
            host: host.to_owned(),
            port: 7,
        };
        resolver.resolve(&address, deadline)
    }
}

/// Port 1 has no name server: whoever asks it is told at once.
const NOBODY: u16 = 1;
const LONG: Duration = Duration::from_secs(60);

#[test]
fn hosts_without_dns() {
    let hosts = "\u{feff}\n\
        # 10.0.0.9 comment\n\
        127.0.0.1\tlocalhost\n\
        10.0.0.1  app  App.Lan # other\n\
        10.0.0.2 app\n\
        2001:db8::1 app\r\n\
        10.0.0.1 app\n\
        10.0.0.300 app\n\
        fe80::1%eth0 app\n\
        app 10.0.0.8\n\
        10.0.0.3\n\
        10.0.0.4 db#app\n\
        10.0.0.5 only.localhost";
    let files = Files::new(Some(hosts), None, NOBODY);
    let nobody = Err("no name server answered: 127.0.0.1: connection refused".to_owned());
    let cases = [
        ("app", Ok("10.0.0.1:7 10.0.0.2:7 [2001:db8::1]:7")),
        ("APP", Ok("10.0.0.1:7 10.0.0.2:7 [2001:db8::1]:7")),
        ("app.", Ok("10.0.0.1:7 10.0.0.2:7 [2001:db8::1]:7")),
        ("app.lan", Ok("10.0.0.1:7")),
        ("db", Ok("10.0.0.4:7")),
        ("localhost", Ok("127.0.0.1:7")),
        ("only.localhost", Ok("10.0.0.5:7")),
        ("other.localhost", Ok("127.0.0.1:7 [::1]:7")),
        ("ap", nobody.clone()),
        ("other", nobody.clone()),
        ("comment", nobody),
        // Addresses need nobody.
        ("10.0.0.1", Ok("10.0.0.1:7")),
        ("::1", Ok("[::1]:7")),
        ("2001:DB8::1", Ok("[2001:db8::1]:7")),
        ("fe80::1%2", Ok("[fe80::1%2]:7")),
        ("fe80::1%253", Ok("[fe80::1%253]:7")),
        ("fe80::1%lo", Ok("[fe80::1%1]:7")),
        (
            "fe80::1%nowhere",
            Err("no such interface: \"nowhere\"".to_owned()),
        ),
        ("fe80::1%", Err("no such interface: \"\"".to_owned())),
    ];
    for (host, expected) in cases {
        assert_eq!(
            files.resolve(host, LONG),
            expected.map(str::to_owned),
            "{host}"
        );
    }
}

/// RFC 6761, 6.3.
#[test]
fn localhost_needs_no_file() {
    let files = Files::new(None, None, NOBODY);
    for host in ["localhost", "LocalHost.", "a.localhost", "a.b.LOCALHOST."] {
        let expected = Ok("127.0.0.1:7 [::1]:7".to_owned());
        assert_eq!(files.resolve(host, LONG), expected, "{host}");
    }
    for host in ["localhost.lan", "mylocalhost"] {
        let expected = "no name server answered: 127.0.0.1: connection refused";
        assert_eq!(
            files.resolve(host, LONG),
            Err(expected.to_owned()),
            "{host}"
        );
    }
}

#[test]
fn names_that_cannot_be_asked_for() {
    let long_label = "x".repeat(64);
    let long_name = ["x"; 128].join(".");
    let hosts = [
        ".",
        "..",
        "a..b",
        ".a",
        "a..",
        "\u{fc}.de",
        &long_label,
        &long_name,
    ];
    for search in ["", "search lan", "search ."] {
        let files = Files::new(None, Some(search), NOBODY);
        for host in hosts {
            let expected = Err("not a valid host name".to_owned());
            assert_eq!(files.resolve(host, LONG), expected, "{host} {search}");
        }
    }
}

#[test]
fn encoded_names() {
    let longest_label = "x".repeat(63);
    // 127 labels of a byte and the root: 255 bytes.
    let longest_name = ["x"; 127].join(".");
    assert_eq!(encode_name("a.bc").as_deref(), Some(&b"\x01a\x02bc\0"[..]));
    assert_eq!(encode_name(&longest_label).map(|name| name.len()), Some(65));
    assert_eq!(encode_name(&longest_name).map(|name| name.len()), Some(255));
    assert_eq!(encode_name(&(longest_name + "y.x")), None);
    assert_eq!(encode_name(""), None);
}

#[test]
fn configurations() {
    let parsed = |name_servers: &[&str], search: &[&str], dots| Configuration {
        name_servers: name_servers.iter().map(|ip| ip.parse().unwrap()).collect(),
        search: search.iter().map(|domain| (*domain).to_owned()).collect(),
        dots,
    };
    let local = ["127.0.0.1"];
    let cases = [
        ("", parsed(&local, &[], 1)),
        (
            "# nameserver 10.0.0.1\n;nameserver 10.0.0.2\n",
            parsed(&local, &[], 1),
        ),
        ("nameserver 10.0.0.1", parsed(&["10.0.0.1"], &[], 1)),
        (
            " nameserver\t10.0.0.1 # first\r\nnameserver ::1\n",
            parsed(&["10.0.0.1", "::1"], &[], 1),
        ),
        (
            "nameserver\nnameserver x\nnameserver fe80::1%eth0\n",
            parsed(&local, &[], 1),
        ),
        (
            &(1..9)
                .map(|n| format!("nameserver 10.0.0.{n}\n"))
                .collect::<String>(),
            parsed(&["10.0.0.1", "10.0.0.2", "10.0.0.3"], &[], 1),
        ),
        ("search a b.c. d\n", parsed(&local, &["a", "b.c", "d"], 1)),
        ("search .\n", parsed(&local, &[], 1)),
        ("search a . b\n", parsed(&local, &["a", "b"], 1)),
        ("search a\nsearch b\n", parsed(&local, &["b"], 1)),
        ("search a\ndomain b\n", parsed(&local, &["b"], 1)),
        (
            "search 1 2 3 4 5 6 7 8\n",
            parsed(&local, &["1", "2", "3", "4", "5", "6"], 1),
        ),
        ("options rotate ndots:3 timeout:1\n", parsed(&local, &[], 3)),
        ("options ndots:0\n", parsed(&local, &[], 0)),
        ("options ndots:99\n", parsed(&local, &[], 15)),
        (
            "options ndots:5\noptions ndots:x edns0\n",
            parsed(&local, &[], 5),
        ),
        (
            "sortlist 10.0.0.0\nNAMESERVER 10.0.0.1\n",
            parsed(&local, &[], 1),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(Configuration::parse(text), expected, "{text:?}");
    }
}

#[test]
fn candidates() {
    let cases: [(&str, &str, &[&str]); 10] = [
        ("", "app", &["app"]),
        ("", "app.lan", &["app.lan"]),
        ("", "app.lan.", &["app.lan"]),
        ("search a b", "app", &["app.a", "app.b", "app"]),
        (
            "search a b",
            "app.lan",
            &["app.lan", "app.lan.a", "app.lan.b"],
        ),
        ("search a b", "app.", &["app"]),
        ("search a.", "app", &["app.a", "app"]),
        ("search .", "app", &["app"]),
        (
            "search a\noptions ndots:2",
            "app.lan",
            &["app.lan.a", "app.lan"],
        ),
        ("search a\noptions ndots:0", "app", &["app", "app.a"]),
    ];
    for (text, host, expected) in cases {
        let found = Configuration::parse(text).candidates(host);
        assert_eq!(found, expected, "{text:?} {host}");
    }
}
