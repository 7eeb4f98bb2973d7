use super::*;

fn give(certificates: &mut Certificates, answer: &[u8]) -> Result<(), String> {
    let text = |error: ReplyError| error.to_string();
    // In two parts, as they may come.
    let (first, _) = answer.split_at(answer.len() / 2);
    let mut used = certificates.push(first).map_err(text)?.bytes;
    used += certificates.push(&answer[used..]).map_err(text)?.bytes;
    certificates
        .finish(&answer[used..], Proof::EmptyLine)
        .map_err(text)
}

fn shown(certificates: &Certificates) -> Vec<(String, i64)> {
    let all = certificates.iter();
    all.map(|(name, end)| (String::from_utf8_lossy(name).into_owned(), end))
        .collect()
}

macro_rules! recorded {
    ($version:literal, $name:literal) => {
        include_bytes!(concat!(
            "../../../tests/fixtures/cli/",
            $version,
            "/",
            $name,
            ".out"
        ))
    };
}

/// As `date -d` says.
const SITE1: i64 = 1_798_170_793;
const SITE2: i64 = 1_800_762_793;
const SITE3: i64 = 1_803_354_793;

fn site(number: u8, end: i64) -> (String, i64) {
    (format!("/etc/haproxy/certs/site{number}.pem"), end)
}

#[test]
fn dates() {
    let cases: [(&str, Option<i64>); 17] = [
        ("Jan  1 00:00:00 1970 GMT", Some(0)),
        ("Dec 25 03:53:13 2026 GMT", Some(SITE1)),
        ("Feb 29 00:00:00 2024 GMT", Some(1_709_164_800)),
        ("Mar  1 00:00:00 2100 GMT", Some(4_107_542_400)),
        ("Jan 19 03:14:08 2038 GMT", Some(2_147_483_648)),
        ("Dec 31 23:59:59 9999 GMT", Some(253_402_300_799)),
        ("Dec 25 03:53:13 2026", None),
        ("Dec 25 03:53:13 2026 GMT x", None),
        ("dec 25 03:53:13 2026 GMT", None),
        ("Dec 32 03:53:13 2026 GMT", None),
        ("Dec 25 24:53:13 2026 GMT", None),
        ("Feb 30 00:00:00 2024 GMT", None),
        ("Feb 29 00:00:00 2023 GMT", None),
        ("Apr 31 00:00:00 2026 GMT", None),
        ("Nov 31 00:00:00 2026 GMT", None),
        ("Dec 25 03:53 2026 GMT", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(seconds(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn recorded_names_of_servers() {
    let answers: [&[u8]; 2] = [
        recorded!("3.2.0", "c03-show-ssl-sni"),
        recorded!("3.4.0", "c03-show-ssl-sni"),
    ];
    for answer in answers {
        let mut certificates = Certificates::new(Form::Sni);
        give(&mut certificates, answer).unwrap();
        let expected = [site(1, SITE1), site(2, SITE2), site(3, SITE3)];
        assert_eq!(shown(&certificates), expected);
    }
}

#[test]
fn recorded_files() {
    let answers: [(&[u8], &[u8]); 3] = [
        (
            recorded!("2.6.12", "c00-show-ssl-cert"),
            recorded!("2.6.12", "c10-pipelined"),
        ),
        (
            recorded!("3.2.0", "c00-show-ssl-cert"),
            recorded!("3.2.0", "c10-pipelined"),
        ),
        (
            recorded!("3.4.0", "c00-show-ssl-cert"),
            recorded!("3.4.0", "c10-pipelined"),
        ),
    ];
    for (names, details) in answers {
        let mut certificates = Certificates::new(Form::Names);
        give(&mut certificates, names).unwrap();
        assert!(shown(&certificates).is_empty());
        let [(line, 3)] = &certificates.commands()[..] else {
            panic!("{:?}", certificates.commands())
        };
        assert!(line.starts_with("show ssl cert /etc/haproxy/certs/site1.pem;show ssl cert /"));
        // The recording asks for a file in between that is not there.
        certificates.expect_files(3);
        give(&mut certificates, details).unwrap();
        assert_eq!(shown(&certificates), [site(1, SITE1), site(2, SITE2)]);
    }
}

#[test]
fn answers_that_are_refused() {
    let cases: [(Certificates, &[u8], &str); 5] = [
        (
            Certificates::new(Form::Names),
            recorded!("2.6.12", "c02-user-show-ssl-cert"),
            "not a reply to \"show ssl cert\": it begins \"Can't allocate memory!\"",
        ),
        (
            Certificates::new(Form::Sni),
            recorded!("2.6.12", "c03-show-ssl-sni"),
            "not a reply to \"show ssl sni\": it begins \"Unknown command, \
             but maybe one of the following ones is a better match:\"",
        ),
        (
            Certificates::new(Form::Sni),
            b"# Bind\tFilename\tNotAfter\nx\t/a\tsoon\n\n",
            "not a reply to \"show ssl sni\": it begins \"x\\t/a\\tsoon\"",
        ),
        (
            Certificates::new(Form::Names),
            b"# filename\n/a\n",
            "reply cut: the closing empty line is missing",
        ),
        (
            Certificates::new(Form::Names),
            &[b"# filename\n".to_vec(), many(), b"\n".to_vec()].concat(),
            "more than 10000 certificates",
        ),
    ];
    for (mut certificates, answer, expected) in cases {
        assert_eq!(give(&mut certificates, answer).unwrap_err(), expected);
    }
}

/// Whether it comes whole or without end.
#[test]
fn a_line_that_is_too_long() {
    let start = "not a reply to \"show ssl cert\": it begins \"/nnn";
    for end in ["", "\n\n"] {
        let name = "n".repeat(MAX_ANSWER_LINE_BYTES);
        let answer = format!("# filename\n/{name}{end}");
        let error = give(&mut Certificates::new(Form::Names), answer.as_bytes()).unwrap_err();
        assert!(error.starts_with(start), "{error}");
    }
}

fn many() -> Vec<u8> {
    let lines = (0..=MAX_CERTIFICATES).map(|number| format!("/{number}\n"));
    lines.collect::<String>().into_bytes()
}

#[test]
fn names_that_are_commands() {
    let mut certificates = Certificates::new(Form::Names);
    let answer =
        b"# transaction\n*/a.pem\n# filename\n/a b\n/a;shutdown\n/a\\b\n/<<\n/\"a\"\n/a.pem\n\n";
    give(&mut certificates, answer).unwrap();
    let expected = [("show ssl cert /a.pem".to_owned(), 1)];
    assert_eq!(certificates.commands(), expected);
    let mut certificates = Certificates::new(Form::Names);
    give(
        &mut certificates,
        &[
            b"# filename\n".to_vec(),
            many()[..50_000].to_vec(),
            b"\n\n".to_vec(),
        ]
        .concat(),
    )
    .unwrap();
    assert!(
        certificates
            .commands()
            .iter()
            .all(|(line, _)| line.len() < 15_000)
    );
    assert!(certificates.commands().len() > 1);
}

/// Which answers say that the level is too low.
#[test]
fn denials() {
    let other = |line: &str| ReplyError::OfAnotherKind(SHOW_SSL_CERT, line.to_owned());
    let cases = [
        (other("Can't allocate memory!"), true),
        (other("Permission denied"), false),
        (ReplyError::Empty(Proof::EmptyLine), false),
    ];
    let certificates = Certificates::new(Form::Names);
    for (error, expected) in cases {
        assert_eq!(certificates.is_denial(&error), expected, "{error}");
    }
}
