use super::ask::command;
use super::list::{MAX_ANSWER_LINE_BYTES, MAX_CERTIFICATES};
use super::*;
use crate::haproxy::reply::{Proof, Reply};

/// In two parts, as they may come, with the next reply behind it.
fn give(list: &mut List, answer: &[u8]) -> Result<(), String> {
    let text = |error: ReplyError| error.to_string();
    // A reply that is cut has none behind it.
    let is_whole = answer == b"\n" || answer.ends_with(b"\n\n");
    let next: &[u8] = if is_whole { b"Name: HAProxy\n" } else { b"" };
    let with_info = [answer, next].concat();
    let (first, _) = with_info.split_at(answer.len() / 2);
    let mut used = list.push(first).map_err(text)?.bytes;
    used += list.push(&with_info[used..]).map_err(text)?.bytes;
    list.finish(&answer[used..], Proof::EmptyLine).map_err(text)
}

/// A list that expects such a reply.
fn list(form: Form) -> List {
    let mut list = List::default();
    list.expect(form, &[]);
    list
}

fn shown(list: &List) -> Vec<(String, i64)> {
    let all = list.iter();
    all.map(|(name, end)| (String::from_utf8_lossy(name).into_owned(), end))
        .collect()
}

/// The first line of commands for those that are not known yet.
fn commands(list: &List) -> String {
    list.next_unread(0, MAX_LINE_BYTES).0
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
    let cases: [(&str, Option<i64>); 22] = [
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
        ("Dec 25 03:60:13 2026 GMT", None),
        ("Dec 25 03:53:61 2026 GMT", None),
        ("Feb 30 00:00:00 2024 GMT", None),
        ("Feb 29 00:00:00 2023 GMT", None),
        ("Apr 31 00:00:00 2026 GMT", None),
        ("Nov 31 00:00:00 2026 GMT", None),
        ("Dec 25 03:53 2026 GMT", None),
        ("Dec 0 03:53:13 2026 GMT", None),
        ("anF 25 03:53:13 2026 GMT", None),
        ("Jan 1 00:00:00 10000 GMT", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(date::seconds(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn recorded_names_of_servers() {
    let answers: [&[u8]; 2] = [
        recorded!("3.2.0", "c03-show-ssl-sni"),
        recorded!("3.4.0", "c03-show-ssl-sni"),
    ];
    for answer in answers {
        let mut list = list(Form::Sni);
        give(&mut list, answer).unwrap();
        let expected = [site(1, SITE1), site(2, SITE2), site(3, SITE3)];
        assert_eq!(shown(&list), expected);
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
    for (list_of, details) in answers {
        let mut list = list(Form::Names);
        give(&mut list, list_of).unwrap();
        assert!(shown(&list).is_empty());
        let line = [1, 2, 3].map(|number| format!("show ssl cert {}", site(number, 0).0));
        assert_eq!(commands(&list), line.join(";"));
        // The recording asks for a file in between that is not there.
        list.expect(Form::Details, &[0, 2, 1]);
        give(&mut list, details).unwrap();
        assert!(list.take_details());
        assert_eq!(shown(&list), [site(1, SITE1), site(2, SITE2)]);
        // Had it been asked for the second and the third, no reply would count for another one.
        list.expect(Form::Details, &[0, 1, 2]);
        give(&mut list, details).unwrap();
        assert!(list.take_details());
        assert_eq!(shown(&list), [site(1, SITE1)]);
    }
}

const HEADER: &str = "# Frontend/Bind\tSNI\tNegative Filter\tType\tFilename\tNotAfter\tNotBefore\n";
const DATES: &str = "Dec 25 03:53:13 2026 GMT\tNov 25 03:53:13 2026 GMT\n";

/// A row that does not parse costs itself alone, and forged ones do not make an expiry later.
#[test]
fn rows_of_binds_that_have_line_ends() {
    let row = |sni: &str, file: &str| format!("f/b:1\t{sni}\t-\tecdsa\t{file}\t{DATES}");
    let forged = format!(
        "x\t-\trsa\t/evil.pem\t{DATES}f/b:1\tz\t-\trsa\t/a.pem\tJan  1 00:00:00 2099 GMT\tx\nf/b:1\ty"
    );
    let both: &[&str] = &["/evil.pem", "/a.pem"];
    let cases: [(&str, &[&str], usize); 6] = [
        ("x", both, 0),
        ("x\ny", &["/a.pem"], 2),
        ("x\n\ny", &["/a.pem"], 2),
        ("x\ty", &["/a.pem"], 1),
        ("\n", &["/a.pem"], 2),
        (&forged, both, 0),
    ];
    for (sni, expected, bad) in cases {
        let mut list = list(Form::Sni);
        let text = [HEADER, &row(sni, "/evil.pem"), &row("v", "/a.pem"), "\n"].concat();
        give(&mut list, text.as_bytes()).unwrap();
        let expected: Vec<_> = expected.iter().map(|name| (name.to_string(), SITE1)).collect();
        assert_eq!(shown(&list), expected, "{sni:?}");
        assert_eq!((list.bad_rows(), list.unread().0), (bad, 0), "{sni:?}");
    }
}

/// What a certificate says of itself neither ends its own reply nor begins another one.
#[test]
fn details_belong_to_their_commands() {
    let detail = |name: &str, end: &str, subject: &str| {
        format!("Filename: {name}\nStatus: Used\nnotAfter: {end} GMT\nSubject: /CN={subject}\n\n")
    };
    let (soon, late) = ("Dec 25 03:53:13 2026", "Jan  1 00:00:00 2099");
    let is = |name: &str| (name.to_owned(), SITE1);
    type Case<'a> = (&'a str, String, Option<Vec<(String, i64)>>);
    let cases: [Case<'_>; 8] = [
        ("as asked", detail("/a", soon, "x") + &detail("/b", soon, "x"), Some(vec![is("/a"), is("/b")])),
        ("another expiry", detail("/a", soon, "\nnotAfter: Jan  1 00:00:00 2099 GMT") + &detail("/b", soon, "x"), Some(vec![is("/a"), is("/b")])),
        ("another name", detail("/a", soon, "\nFilename: /b\nnotAfter: Jan  1 00:00:00 2099 GMT") + &detail("/b", soon, "x"), Some(vec![is("/a"), is("/b")])),
        ("its own name", detail("/a", soon, "\nFilename: /a\nnotAfter: Jan  1 00:00:00 2099 GMT") + &detail("/b", soon, "x"), Some(vec![is("/a"), is("/b")])),
        ("not asked for", detail("/c", late, "x") + &detail("/b", soon, "x"), Some(vec![is("/b")])),
        ("other order", detail("/b", late, "x") + &detail("/a", late, "x"), Some(vec![])),
        ("expiry without a name", format!("notAfter: {late} GMT\n\n") + &detail("/b", soon, "x"), Some(vec![is("/b")])),
        ("an empty line", detail("/a", soon, &format!("\n\nFilename: /b\nnotAfter: {late} GMT")) + &detail("/b", soon, "x"), None),
    ];
    for (case, answer, expected) in cases {
        let mut list = list(Form::Names);
        give(&mut list, b"# filename\n/a\n/b\n\n").unwrap();
        list.expect(Form::Details, &[0, 1]);
        give(&mut list, answer.as_bytes()).unwrap();
        assert_eq!(list.take_details(), expected.is_some(), "{case}");
        assert_eq!(shown(&list), expected.unwrap_or_default(), "{case}");
    }
}

#[test]
fn answers_that_are_refused() {
    let cases: [(List, &[u8], &str); 7] = [
        (
            list(Form::Names),
            recorded!("2.6.12", "c02-user-show-ssl-cert"),
            "not a reply to \"show ssl cert\": it begins \"Can't allocate memory!\"",
        ),
        (
            list(Form::Sni),
            recorded!("2.6.12", "c03-show-ssl-sni"),
            "not a reply to \"show ssl sni\": it begins \"Unknown command, \
             but maybe one of the following ones is a better match:\"",
        ),
        (
            list(Form::Names),
            b"# filename\n/a\n",
            "reply cut: the closing empty line is missing",
        ),
        (
            list(Form::Names),
            b"# filename\n/a\n\n/b\n",
            "reply cut: the closing empty line is missing",
        ),
        (list(Form::Names), b"\n", "HAProxy lists no certificates"),
        (list(Form::Sni), b"\n", "HAProxy lists no certificates"),
        (
            list(Form::Names),
            &[b"# filename\n".to_vec(), many(), b"\n".to_vec()].concat(),
            "more than 10000 certificates",
        ),
    ];
    for (mut list, answer, expected) in cases {
        assert_eq!(give(&mut list, answer).unwrap_err(), expected);
    }
    let (all, last) = (many(), format!("/{MAX_CERTIFICATES}\n").len());
    let most = &all[..all.len() - last];
    let answer = [b"# filename\n", most, b"\n"].concat();
    give(&mut list(Form::Names), &answer).unwrap();
}

/// Whether it comes whole or without end.
#[test]
fn a_line_that_is_too_long() {
    let start = "not a reply to \"show ssl cert\": it begins \"/nnn";
    for end in ["", "\n\n"] {
        let name = "n".repeat(MAX_ANSWER_LINE_BYTES);
        let answer = format!("# filename\n/{name}{end}");
        let error = give(&mut list(Form::Names), answer.as_bytes()).unwrap_err();
        assert!(error.starts_with(start), "{error}");
    }
}

fn many() -> Vec<u8> {
    let lines = (0..=MAX_CERTIFICATES).map(|number| format!("/{number}\n"));
    lines.collect::<String>().into_bytes()
}

/// Which names can be said, and how; the others count as unread. A blank line within a name ends nothing.
#[test]
fn names_that_are_commands() {
    let mut all = list(Form::Names);
    let answer = b"# transaction\n*/t.pem\n# filename\n/a.pem\n/b \xfcml\n\n*.pem\n#c\n/d\n\n";
    give(&mut all, answer).unwrap();
    assert_eq!(commands(&all), "show ssl cert /a.pem;show ssl cert \\#c;show ssl cert /d");
    assert_eq!(all.unread(), (5, Some(&b"/a.pem"[..])));
    let cases = [
        ("/a.pem", Some("/a.pem")),
        ("/*.(x)=~%$.\u{fc}", Some("/*.(x)=~%$.\u{fc}")),
        ("/two words\t", Some("/two\\ words\\\t")),
        ("/a;shutdown", Some("/a\\;shutdown")),
        ("/\"a'", Some("/\\\"a\\'")),
        ("/a\\b#", Some("/a\\\\b\\#")),
        ("/<<", Some("/\\<\\<")),
        ("*/a.pem", None),
    ];
    for (name, expected) in cases {
        let expected = expected.map(|text| format!("show ssl cert {text}"));
        assert_eq!(command(name.as_bytes()), expected, "{name}");
    }
}

#[test]
fn lines_have_a_bounded_length() {
    let mut list = list(Form::Names);
    let half = &many()[..50_000];
    give(&mut list, &[b"# filename\n", half, b"\n\n"].concat()).unwrap();
    let (mut from, mut count) = (0, 0);
    loop {
        let (line, asked) = list.next_unread(from, MAX_LINE_BYTES);
        let Some(last) = asked.last() else { break };
        assert_eq!(line.matches("show ssl cert /").count(), asked.len());
        assert!(line.len() < MAX_LINE_BYTES, "{}", line.len());
        from = last + 1;
        count += asked.len();
    }
    assert_eq!(count, usize::from(list.len()));
    // One that is longer than wanted is sent alone.
    assert_eq!(list.next_unread(0, 1), ("show ssl cert /0".to_owned(), vec![0]));
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
    for (error, expected) in cases {
        assert_eq!(list(Form::Names).is_denial(&error), expected, "{error}");
    }
}

/// Reads everything from a HAProxy that answers so, and returns what was asked.
fn read(answer: impl Fn(&str) -> String) -> (Certificates, Vec<String>) {
    let mut asked = Vec::new();
    let mut certificates = Certificates::default();
    let result = certificates.read(&mut |line, reply| {
        asked.push(line.to_owned());
        let answers: String = line.split(';').map(&answer).collect();
        let text = answers + "Name: HAProxy\n";
        let failed = |error| {
            ReadError::Failed(SourceError {
                object: "here".to_owned(),
                problem: Problem::Reply(error),
                advice: None,
            })
        };
        reply.push(text.as_bytes()).map_err(failed)?;
        reply.finish(b"", Proof::EmptyLine).map_err(failed)
    });
    result.unwrap();
    (certificates, asked)
}

fn found(certificates: &Certificates) -> Vec<String> {
    let names = certificates.list.iter().map(|(name, end)| {
        assert_eq!(end, SITE1);
        String::from_utf8_lossy(name).into_owned()
    });
    names.collect()
}

fn detail(name: &str, subject: &str) -> String {
    format!("Filename: {name}\nnotAfter: Dec 25 03:53:13 2026 GMT\nSubject: /CN={subject}\n\n")
}

const UNKNOWN: &str = "Unknown command: 'show ssl sni'\n\n";
const NOT_FOUND: &str = "Can't display the certificate: Not found or the certificate is a bundle!\n\n";

/// A certificate whose subject has an empty line in it costs the others nothing, wherever it is.
#[test]
fn an_empty_line_in_a_subject() {
    for evil in ["/a", "/b", "/e", "/g"] {
        let (certificates, asked) = read(|command| match command {
            "show ssl sni" => UNKNOWN.to_owned(),
            "show ssl cert" => "# filename\n/a\n/b\n/c\n/d\n/e\n/f\n/g\n\n".to_owned(),
            _ => {
                let name = &command["show ssl cert ".len()..];
                let forged = "x\n\nFilename: /c\nnotAfter: Jan  1 00:00:00 2099 GMT";
                detail(name, if name == evil { forged } else { "x" })
            }
        });
        assert_eq!(found(&certificates), ["/a", "/b", "/c", "/d", "/e", "/f", "/g"]);
        assert!(certificates.missing().is_none());
        assert!(asked.len() < 12, "{asked:?}");
    }
}

/// What each release can say at each level, and what is known to be missing.
#[test]
fn what_is_read_and_what_is_missing() {
    let sni = |names: &[&str]| {
        let row = |name: &&str| format!("f/b:1\tx\t-\tecdsa\t{name}\t{DATES}");
        format!("{HEADER}{}\n", names.iter().map(row).collect::<String>())
    };
    let list = "# filename\n*x\n/a\n/b\n/gone\n\n";
    let denied = "Can't allocate memory!\n\n";
    let lacks_two = "2 of 4 could not be read, the first is \"*x\"";
    let unlisted = "only those of binds are known: here: not a reply to \"show ssl cert\": it begins \
                    \"Can't allocate memory!\"";
    type Case<'a> = (String, &'a str, &'a [&'a str], &'a [&'a str], Option<(usize, String)>);
    let cases: [Case<'_>; 7] = [
        // Before 3.2.
        (UNKNOWN.to_owned(), list, &["/a", "/b"], &["/a", "/b", "/gone"], Some((2, lacks_two.to_owned()))),
        (UNKNOWN.to_owned(), "# filename\n/a\n\n", &["/a"], &["/a"], None),
        // Later ones: only what the first reply lacks is asked for.
        (sni(&["/a"]), list, &["/a", "/b"], &["/b", "/gone"], Some((2, lacks_two.to_owned()))),
        (sni(&["/a"]), "# filename\n/a\n\n", &["/a"], &[], None),
        (sni(&["/a", "/b\tx"]), denied, &["/a"], &[], Some((1, unlisted.to_owned()))),
        // An empty list is that of a HAProxy without files: what was read is right.
        (sni(&["/a"]), "\n", &["/a"], &[], None),
        (
            sni(&["/a", "/b\tx"]),
            "\n",
            &["/a"],
            &[],
            Some((1, "1 of 2 could not be read".to_owned())),
        ),
    ];
    for (sni, list, expected, details, missing) in cases {
        let (certificates, asked) = read(|command| match command.strip_prefix("show ssl cert ") {
            Some("/gone") => NOT_FOUND.to_owned(),
            Some(name) => detail(name, "x"),
            None if command == "show ssl sni" => sni.clone(),
            None => list.to_owned(),
        });
        assert_eq!(found(&certificates), expected);
        let details: Vec<_> = details.iter().map(|name| format!("show ssl cert {name}")).collect();
        assert_eq!(asked.get(2).cloned().unwrap_or_default(), details.join(";"));
        let found = certificates.missing().map(|missing| (missing.count, missing.why));
        assert_eq!(found, missing);
    }
}
