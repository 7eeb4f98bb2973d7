//! Roots and names that https cannot start with.

use crate::support::{exporter, peers};

#[test]
#[rustfmt::skip]
fn what_a_start_refuses() {
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let path = |name: &str| directory.path().join(name).display().to_string();
    let begin = "-----BEGIN CERTIFICATE-----\n";
    let end = "-----END CERTIFICATE-----\n";
    for (name, text) in [
        ("empty", String::new()),
        ("noise", format!("{begin}\u{1}\u{2}!!\n{end}")),
        ("der", format!("{begin}AAAA\n{end}")),
        ("large", " ".repeat((4 << 20) + 1)),
    ] {
        std::fs::write(path(name), text).expect("write a file");
    }
    let file = |name: &str| format!("--haproxy.ssl-ca-file={}", path(name));
    let of_file =
        |name: &str, words: &str| format!("--haproxy.ssl-ca-file: {}: {words}", path(name));
    let missing = path("missing");
    let cases = [
        ("https://localhost/", file("missing"), of_file("missing", "no such file or directory")),
        ("https://localhost/", file("empty"), of_file("empty", "no certificate in it (PEM)")),
        ("https://localhost/", file("noise"), of_file("noise", "certificate 1: no PEM")),
        ("https://localhost/", file("der"), of_file("der", "certificate 1: BadEncoding")),
        ("https://localhost/", file("large"), of_file("large", "larger than 4194304 bytes")),
        (
            "https://localhost/",
            format!("--haproxy.ssl-ca-file={}", directory.path().display()),
            format!(
                "--haproxy.ssl-ca-file: {}: is a directory",
                directory.path().display()
            ),
        ),
        (
            "https://localhost/",
            "--haproxy.ssl-server-name=a..b".to_owned(),
            "--haproxy.ssl-server-name: \"a..b\" is neither a DNS name nor an IP address"
                .to_owned(),
        ),
        (
            "https://m\u{fc}nchen.test/",
            "--haproxy.ssl-verify".to_owned(),
            "the host: \"m\u{fc}nchen.test\" is neither a DNS name nor an IP address".to_owned(),
        ),
        (
            "https://localhost/",
            "--haproxy.ssl-verify".to_owned(),
            format!(
                "no root certificates: failed to read PEM from file: No such file or directory (os error 2) at '{missing}' (--haproxy.ssl-ca-file or SSL_CERT_FILE can name some)"
            ),
        ),
    ];
    for (uri, flag, expected) in cases {
        let mut command = exporter::command();
        command.args([&format!("--haproxy.scrape-uri={uri}"), &flag]);
        command
            .env_remove("SSL_CERT_DIR")
            .env("SSL_CERT_FILE", &missing);
        let (status, _, error) = peers::run(&mut command);
        let named = if expected.starts_with("--") {
            ""
        } else {
            "--haproxy.scrape-uri: "
        };
        let expected = format!("haproxy_exporter: {named}{expected}\n");
        assert_eq!((status.code(), error), (Some(2), expected), "{flag}");
    }
}
