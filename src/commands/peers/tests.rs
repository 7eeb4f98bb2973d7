use super::*;

fn read(answer: &[u8]) -> Result<Peers, ReplyError> {
    let mut peers = Peers::default();
    let taken = peers.push(answer)?;
    peers.finish(&answer[taken.bytes..], Proof::EmptyLine)?;
    Ok(peers)
}

/// Each remote peer as `SECTION/NAME UP NO_HEARTBEAT NEW_CONNECTIONS PROTOCOL_ERRORS`.
fn shown(answer: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    read(answer).unwrap().for_each(|peer| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let counter = |bytes: Option<&[u8]>| bytes.map_or("-".to_owned(), text);
        found.push(format!(
            "{}/{} {} {} {} {}",
            text(peer.section),
            text(peer.name),
            peer.is_up,
            counter(peer.no_heartbeat),
            counter(peer.new_connections),
            counter(peer.protocol_errors),
        ));
    });
    found
}

macro_rules! recorded {
    ($version:literal, $name:literal) => {
        include_bytes!(concat!(
            "../../../tests/fixtures/cli/",
            $version,
            "/d-show-peers",
            $name,
            ".out"
        ))
    };
}

#[test]
fn recorded_answers() {
    let down = "mypeers/lb2 false 0 1 0";
    let lost = "mypeers/lb2 false 0 2 0";
    let cases: [(&[u8], &str); 11] = [
        (recorded!("2.4.0", ""), down),
        (recorded!("2.6.12", ""), down),
        (recorded!("3.0.0", ""), down),
        (recorded!("3.2.0", ""), down),
        (recorded!("3.4.0", ""), down),
        (recorded!("2.4.0", "-connected"), "mypeers/lb2 true 0 2 0"),
        (recorded!("2.6.12", "-connected"), "mypeers/lb2 true 0 2 0"),
        (recorded!("3.4.0", "-connected"), "mypeers/lb2 true 0 1 0"),
        (recorded!("2.4.0", "-lost"), lost),
        (recorded!("2.6.12", "-lost"), lost),
        (recorded!("3.4.0", "-lost"), lost),
    ];
    for (number, (answer, expected)) in cases.into_iter().enumerate() {
        assert_eq!(shown(answer), [expected], "case {number}");
    }
}

#[test]
fn several_sections_and_peers() {
    let answer = b"0x1: [25/Nov/2026:04:30:12] id=one disabled=0\n\
        \x20 0x2: id=a(remote,active) addr=[::1]:1 last_status=ESTA\n\
        \x20       reconnect=0s no_hbt=1 new_conn=2 proto_err=3\n\
        \x20       shared tables:\n\
        \x20         0x3 local_id=1 no_hbt=8\n\
        \x20 0x4: id=b(remote,active) addr=[::1]:2 last_status=HSHK\n\
        0x5: [25/Nov/2026:04:30:12] id=two disabled=0\n\
        \x20 0x6: id=a(remote,inactive) addr=[::1]:1 last_status=ESTA\n\
        \x20       proto_err=9\n\n";
    let expected = ["one/a true 1 2 3", "one/b false - - -", "two/a false - - 9"];
    assert_eq!(shown(answer), expected);
    // The local peer is one: HAProxy hands stick tables over to the next process through it.
    let alone = b"0x1: [25/Nov/2026:04:30:12] id=one\n  0x2: id=a(local,inactive) addr=[::1]:1\n\n";
    assert!(shown(alone).is_empty());
}

#[test]
fn answers_that_are_refused() {
    let cases: [(&[u8], &str); 6] = [
        (b"\n", NO_PEERS),
        (b"0x1: [25/Nov/2026:04:30:12] id=one\n\n", NO_PEERS),
        (
            b"Permission denied\n\n",
            "not a reply to \"show peers\": it begins \"Permission denied\"",
        ),
        (
            b"0x1: [25/Nov/2026:04:30:12]\n\n",
            "not a reply to \"show peers\": it begins \"0x1: [25/Nov/2026:04:30:12]\"",
        ),
        (
            b"0x1: id=one\n  0x2: id=a(remote,active) last_status=ESTA\n",
            "reply cut: the closing empty line is missing",
        ),
        (b"", "closed without a reply"),
    ];
    for (answer, expected) in cases {
        assert_eq!(read(answer).unwrap_err().to_string(), expected);
    }
}
