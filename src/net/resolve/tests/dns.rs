//! DNS, against a name server of our own on 127.0.0.1.

use super::name_server::{NameServer, Question, V6, record};
use super::*;

const CNAME: u16 = 5;
const OK: u8 = 0;
const SERVFAIL: u8 = 2;
const NXDOMAIN: u8 = 3;
const REFUSED: u8 = 5;

/// Some servers never answer for IPv6.
fn only_ipv4() -> NameServer {
    NameServer::start(|q| match q.kind {
        TYPE_A => vec![q.addresses(&[[10, 0, 0, 1]], &[])],
        _ => Vec::new(),
    })
}

const LOCAL: &str = "nameserver 127.0.0.1\n";

/// What one name server makes of every question, and what comes of it for `app`.
#[test]
fn answers() {
    type Script = fn(&Question) -> Vec<Vec<u8>>;
    const TEN: [u8; 4] = [10, 0, 0, 1];
    let cases: [(&str, Script, Result<&str, &str>); 18] = [
        (
            "both kinds",
            |q| vec![q.addresses(&[TEN, [10, 0, 0, 2]], &[V6])],
            Ok("10.0.0.1:7 10.0.0.2:7 [2001:db8::1]:7"),
        ),
        ("IPv4", |q| vec![q.addresses(&[TEN], &[])], Ok("10.0.0.1:7")),
        (
            "IPv6",
            |q| vec![q.addresses(&[], &[V6])],
            Ok("[2001:db8::1]:7"),
        ),
        (
            "neither",
            |q| vec![q.addresses(&[], &[])],
            Err("no such host"),
        ),
        (
            "no such name",
            |q| vec![q.answer(NXDOMAIN, &[])],
            Err("no such host"),
        ),
        (
            "a failed server",
            |q| vec![q.answer(SERVFAIL, &[])],
            Err("no name server answered: 127.0.0.1: it answered with code 2"),
        ),
        (
            "refused",
            |q| vec![q.answer(REFUSED, &[])],
            Err("no name server answered: 127.0.0.1: it answered with code 5"),
        ),
        (
            "cut before the first address",
            |q| {
                let mut packet = q.answer(OK, &[]);
                packet[2] |= 0x02;
                vec![packet]
            },
            Err("no name server answered: 127.0.0.1: its answer does not fit into a packet"),
        ),
        (
            "a chain of aliases",
            |q| {
                let mut packet = q.answer(OK, &[(CNAME, b"\x01b\xc0\x0c"), (CNAME, b"\x01c\0")]);
                packet.extend_from_slice(b"\x01c\0");
                packet.extend_from_slice(&record(TYPE_A, &TEN));
                packet[7] = 3;
                vec![packet]
            },
            Ok("10.0.0.1:7"),
        ),
        (
            "names in full, by pointer, and half and half",
            |q| {
                let mut packet = q.answer(OK, &[(q.kind, &TEN)]);
                packet.extend_from_slice(b"\x03app\0");
                packet.extend_from_slice(&record(TYPE_A, &[10, 0, 0, 2]));
                packet.extend_from_slice(b"\x01x\x02yz\xc0\x0c");
                packet.extend_from_slice(&record(TYPE_AAAA, &V6));
                packet[7] = 3;
                vec![packet]
            },
            Ok("10.0.0.1:7 10.0.0.2:7 10.0.0.1:7 [2001:db8::1]:7"),
        ),
        (
            "other letters' case",
            |q| {
                let mut packet = q.addresses(&[TEN], &[]);
                packet[13..16].copy_from_slice(b"ApP");
                vec![packet]
            },
            Ok("10.0.0.1:7"),
        ),
        (
            "forged answers before the right one",
            |q| {
                let forged = q.answer(OK, &[(q.kind, &[6, 6, 6, 6])]);
                let with = |at: usize, byte: u8| {
                    let mut packet = forged.clone();
                    packet[at] ^= byte;
                    packet
                };
                // Ids, no answer but a question, another name, another kind; cut or empty of sense.
                vec![
                    with(0, 1),
                    with(1, 0x80),
                    with(2, 0x80),
                    with(13, 0x01),
                    with(18, 0x40),
                    forged[..11].to_vec(),
                    b"x".to_vec(),
                    q.addresses(&[TEN], &[V6]),
                ]
            },
            Ok("10.0.0.1:7 [2001:db8::1]:7"),
        ),
        (
            "a forged failure before the right one",
            |q| {
                let mut forged = q.answer(SERVFAIL, &[]);
                forged[1] ^= 1;
                vec![forged, q.addresses(&[TEN], &[])]
            },
            Ok("10.0.0.1:7"),
        ),
        (
            "each answer twice",
            |q| vec![q.addresses(&[TEN], &[V6]), q.addresses(&[TEN], &[V6])],
            Ok("10.0.0.1:7 [2001:db8::1]:7"),
        ),
        (
            "the last record cut, and the truncation said",
            |q| {
                let mut packet = q.addresses(&[TEN, [10, 0, 0, 2]], &[]);
                if q.kind == TYPE_A {
                    packet.truncate(packet.len() - 1);
                    packet[2] |= 2;
                }
                vec![packet]
            },
            Ok("10.0.0.1:7"),
        ),
        (
            "more records announced than there are",
            |q| {
                let mut packet = q.addresses(&[TEN], &[]);
                packet[6] = 0xff;
                vec![packet]
            },
            Ok("10.0.0.1:7"),
        ),
        (
            "records of no known length or kind",
            |q| {
                let records: [(u16, &[u8]); 4] =
                    [(TYPE_A, b"123"), (TYPE_AAAA, b""), (99, &TEN), (1, &TEN)];
                vec![q.answer(OK, &records)]
            },
            Ok("10.0.0.1:7"),
        ),
        (
            "a name of no known form ends the list",
            |q| {
                let mut packet = q.addresses(&[TEN], &[]);
                packet.extend_from_slice(b"\x40xxxx");
                packet.extend_from_slice(&record(q.kind, &[6, 6, 6, 6]));
                packet[7] += 1;
                vec![packet]
            },
            Ok("10.0.0.1:7"),
        ),
    ];
    for (name, script, expected) in cases {
        let server = NameServer::start(script);
        let found = server.resolve(LOCAL, "app", LONG);
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn at_most_16_addresses() {
    let server = NameServer::start(|q| {
        let many: Vec<[u8; 4]> = (0..25).map(|n| [10, 0, 0, n]).collect();
        vec![q.addresses(&many, &[])]
    });
    let found = server.resolve(LOCAL, "app", LONG).unwrap();
    assert_eq!(found.split(' ').count(), MAX_ADDRESSES);
}

#[test]
fn search_domains_are_asked_in_turn() {
    let known = |known: &str| {
        let known = known.to_owned();
        NameServer::start(move |q| match q.name.as_str() {
            name if name == known => vec![q.addresses(&[[10, 0, 0, 1]], &[])],
            "app.broken" => vec![q.answer(SERVFAIL, &[])],
            "app.empty" => vec![q.answer(OK, &[])],
            _ => vec![q.answer(NXDOMAIN, &[])],
        })
    };
    let found = Ok("10.0.0.1:7");
    let unknown = Err("no such host");
    let broken = Err("no name server answered: 127.0.0.1: it answered with code 2");
    let long = ["x"; 126].join(".");
    let too_long = format!("search {long} a");
    // The configuration, the host, the name that is known, what comes of it, the names asked for.
    type Case<'a> = (
        &'a str,
        &'a str,
        &'a str,
        Result<&'a str, &'a str>,
        &'a [&'a str],
    );
    let cases: [Case<'_>; 11] = [
        ("", "app", "app", found, &["app"]),
        ("search a b", "app", "app.b", found, &["app.a", "app.b"]),
        (
            "search empty b",
            "app",
            "app.b",
            found,
            &["app.empty", "app.b"],
        ),
        ("search a", "app", "app", found, &["app.a", "app"]),
        ("search a", "app", "none", unknown, &["app.a", "app"]),
        ("search a", "app.", "app.a", unknown, &["app"]),
        ("search a", "x.app", "x.app.a", found, &["x.app", "x.app.a"]),
        ("search .", "x.app", "none", unknown, &["x.app"]),
        (
            "search broken",
            "app",
            "app",
            found,
            &["app.broken", "app.broken", "app"],
        ),
        (
            "search broken",
            "app",
            "none",
            broken,
            &["app.broken", "app.broken", "app"],
        ),
        // A domain that makes the name too long is passed over.
        (&too_long, "app", "app.a", found, &["app.a"]),
    ];
    for (search, host, name, expected, asked) in cases {
        let server = known(name);
        let found = server.resolve(&format!("{LOCAL}{search}\n"), host, LONG);
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(found, expected, "{search:?} {host}");
        assert_eq!(server.names(), asked, "{search:?} {host}");
    }
}

/// 127.0.0.2 has nobody on the port: the next one is asked at once.
#[test]
fn the_next_name_server_is_asked() {
    let server = NameServer::start(|q| vec![q.addresses(&[[10, 0, 0, 1]], &[])]);
    let configuration = "nameserver 127.0.0.2\nnameserver 127.0.0.1\n";
    let found = server.resolve(configuration, "app", LONG);
    assert_eq!(found, Ok("10.0.0.1:7".to_owned()));
}

#[test]
fn a_silent_name_server_takes_the_time_there_is() {
    let short = Duration::from_millis(60);
    let expected = Err("timed out".to_owned());
    let server = NameServer::start(|_| Vec::new());
    assert_eq!(server.resolve(LOCAL, "app", short), expected);
    // Answers that are not ours do not count.
    let server = NameServer::start(|q| vec![q.packet.clone(), b"x".to_vec()]);
    assert_eq!(server.resolve(LOCAL, "app", short), expected);
    // One kind answered is enough.
    let server = only_ipv4();
    let found = server.resolve(LOCAL, "app", short);
    assert_eq!(found, Ok("10.0.0.1:7".to_owned()));
    // No search domain is asked when the time is over.
    let server = NameServer::start(|_| Vec::new());
    let found = server.resolve("nameserver 127.0.0.1\nsearch a b c\n", "app", short);
    assert_eq!(found, expected);
    assert_eq!(server.names(), ["app.a"]);
}

#[test]
fn half_an_answer_leaves_time() {
    let server = only_ipv4();
    let files = Files::new(None, Some(LOCAL), server.port);
    let deadline = Deadline::after(SERVER_TIMEOUT);
    let found = files.resolve_before("app", deadline).unwrap();
    assert_eq!(found.len(), 1);
    assert!(deadline.remaining() > Some(SERVER_TIMEOUT / 4));
}

/// An answer cut or changed anywhere gives fewer addresses or none, and never a panic.
#[test]
fn damaged_packets() {
    let name = encode_name("app").unwrap();
    let question = Question::read(&query(7, &name, TYPE_A));
    let data: [(u16, &[u8]); 3] = [
        (TYPE_A, b"1234"),
        (CNAME, b"\x01b\xc0\x0c"),
        (TYPE_A, b"5678"),
    ];
    let packet = question.answer(OK, &data);
    let all = parse_answer(&packet, 7, &name, TYPE_A).unwrap().unwrap();
    assert_eq!(all.len(), 2);
    let question_end = 12 + name.len() + 4;
    for end in 0..packet.len() {
        match parse_answer(&packet[..end], 7, &name, TYPE_A).unwrap() {
            None => assert!(end < question_end, "{end}"),
            Some(found) => assert!(end >= question_end && all[..1].starts_with(&found), "{end}"),
        }
    }
    for at in 0..packet.len() {
        for byte in 0..=255 {
            let mut packet = packet.clone();
            packet[at] = byte;
            let found = parse_answer(&packet, 7, &name, TYPE_A);
            let count = found.map_or(0, |found| found.map_or(0, |found| found.len()));
            assert!(count <= data.len(), "{at} {byte}");
        }
    }
}
