use super::*;

/// Feeds an answer in pieces; the lines, or the words for why it is refused.
fn read(answer: &[u8], piece: usize) -> Result<Vec<String>, String> {
    let mut lines = Lines::default();
    let mut pending = Vec::new();
    let mut is_over = false;
    for piece in answer.chunks(piece) {
        pending.extend_from_slice(piece);
        if !is_over {
            let taken = lines.push(&pending).map_err(|error| error.to_string())?;
            pending.drain(..taken.bytes);
            is_over = taken.ends;
        }
    }
    let result = lines.finish(&pending, "show x", |line| !line.starts_with(b"Unknown"));
    result.map_err(|error| error.to_string())?;
    Ok(lines
        .iter()
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect())
}

#[test]
fn whole_and_cut_answers() {
    let cut = "reply cut: the closing empty line is missing";
    type Case<'a> = (&'a [u8], Result<&'a [&'a str], &'a str>);
    let cases: [Case<'_>; 9] = [
        (b"a\nb\n\n", Ok(&["a", "b"])),
        (b"a\r\nb\r\n\r\n", Ok(&["a", "b"])),
        (b"\n", Ok(&[])),
        (b"", Err("closed without a reply")),
        (b"a\n", Err(cut)),
        (b"a", Err(cut)),
        (b"a\n\nb", Err(cut)),
        (
            b"Unknown command.\nhelp\n\n",
            Err("not a reply to \"show x\": it begins \"Unknown command.\""),
        ),
        (b"a\nUnknown", Err(cut)),
    ];
    for (answer, expected) in cases {
        let expected = expected.map(|lines| lines.iter().map(|line| (*line).to_owned()).collect());
        let expected = expected.map_err(str::to_owned);
        for piece in [usize::MAX, 1, 3] {
            assert_eq!(
                read(answer, piece),
                expected,
                "{} by {piece}",
                answer.escape_ascii()
            );
        }
    }
}

#[test]
fn an_answer_without_end_is_refused() {
    let cases = [
        (
            vec![b'x'; MAX_LINE_BYTES + 1],
            "read: a line is longer than 1048576 bytes",
        ),
        (
            b"x\n".repeat(MAX_BYTES / 2 + 1),
            "read: the reply is larger than 4194304 bytes",
        ),
    ];
    for (answer, words) in cases {
        assert_eq!(read(&answer, 64 * 1024), Err(words.to_owned()));
    }
}
