//! Rows and cells that cannot be read: what is kept, counted and said.

use super::*;

/// Rows between two good ones: what is kept, counted and said.
#[test]
fn bad_rows_and_cells() {
    let wide = |count: usize| ",".repeat(count - 1) + "\n";
    let bad_cell = |cell| server("x", &[(4, cell)]);
    let twice = |a: &str, b: &str| server(a, &[(4, "5")]) + &server(b, &[(4, "6")]);
    // name, rows, samples besides the two good ones, failures, first failure
    #[rustfmt::skip]
    let cases: [(&str, String, usize, u64, &str); 26] = [
        ("nothing", String::new(), 0, 0, ""),
        ("a comment", "# \"\n".to_owned(), 0, 0, ""),
        ("an empty line", "\n\r\n".to_owned(), 0, 0, ""),
        ("a field less", wide(61), 0, 1, "line 3: 61 fields instead of 62"),
        ("a field more", wide(63), 0, 1, "line 3: 63 fields instead of 62"),
        ("one field", "x\n".to_owned(), 0, 1, "line 3: 1 fields instead of 62"),
        ("two bad rows", "x\n\n".to_owned() + &wide(9), 0, 2, "line 3: 1 fields instead of 62"),
        ("a bare quote", "a\"b,\n".to_owned(), 0, 1, "line 3: a quote where none may stand"),
        ("text behind a quote", "\"a\"b\n".to_owned(), 0, 1, "line 3: a quote where none may stand"),
        ("an empty cell", server("x", &[]), 0, 0, ""),
        ("a name in quotes", server("\"x,\"\"\ny\"", &[(4, "5")]), 1, 0, ""),
        ("a listener", row("web", "sock", "3", &[(4, "x")]), 0, 0, ""),
        ("an unknown type", row("web", "y", "7", &[(4, "x")]), 0, 0, ""),
        ("no type", row("web", "y", "", &[(4, "x")]), 0, 1, "line 3: the type \"\" is not a number"),
        ("a type that is a word", row("web", "y", "x", &[]), 0, 1, "line 3: the type \"x\" is not a number"),
        ("a proxy without a name", row("", "FRONTEND", "0", &[(4, "5")]), 0, 1, "line 3: the proxy has no name"),
        ("a server without a name", server("", &[(4, "5")]), 0, 1, "line 3: a server of \"app\" has no name"),
        ("a frontend called otherwise", row("web", "BACKEND", "0", &[(4, "5")]), 0, 1,
            "line 3: a row that should be called FRONTEND is called \"BACKEND\""),
        ("a backend called otherwise", row("web", "", "1", &[(4, "5")]), 0, 1,
            "line 3: a row that should be called BACKEND is called \"\""),
        ("a word", bad_cell("x"), 0, 1,
            "line 3, field 4 (scur): \"x\" is not a number"),
        ("a fraction", bad_cell("1.5"), 0, 1,
            "line 3, field 4 (scur): \"1.5\" is not a number"),
        ("control characters", bad_cell("\u{1b}\u{7f}"), 0, 1,
            "line 3, field 4 (scur): \"\\u{1b}\\u{7f}\" is not a number"),
        ("a bad time beside a good cell", server("x", &[(4, "5"), (38, "-")]), 1, 1,
            "line 3, field 38 (check_duration): \"-\" is not a number"),
        ("a second row", twice("x", "x"), 1, 1,
            "line 4: a second row for \"app/x\""),
        ("a second row, in quotes", twice("x", "\"x\""), 1, 1,
            "line 4: a second row for \"app/x\""),
        ("other case", twice("x", "X"), 2, 0, ""),
    ];
    for (name, rows, kept, count, first) in cases {
        let answer = [
            HEADER,
            &frontend(&[(4, "1")]),
            &rows,
            &server("z", &[(4, "2")]),
            "\n",
        ];
        let scraped = scraped(answer.concat(), Proof::EmptyLine);
        assert_eq!(scraped.result, Ok(()), "{name}");
        assert_eq!(
            (scraped.failures, scraped.first.as_deref().unwrap_or("")),
            (count, first),
            "{name}"
        );
        assert_eq!(
            samples(&scraped.text).len(),
            kept + 2,
            "{name}: {}",
            scraped.text
        );
    }
}

#[test]
fn a_long_cell_is_quoted_in_part() {
    let answer = HEADER.to_owned() + &frontend(&[(4, &"9".repeat(10_000))]) + "\n";
    let scraped = scraped(&answer, Proof::EmptyLine);
    assert_eq!(scraped.failures, 1);
    let expected = format!(
        "line 2, field 4 (scur): {:?} is not a number",
        "9".repeat(80)
    );
    assert_eq!(scraped.first, Some(expected));
}

#[test]
fn the_first_of_two_rows_wins_and_the_neighbours_keep_their_values() {
    let answer = [
        HEADER,
        &server("a", &[(4, "1")]),
        &server("b", &[]),
        &server("a", &[(4, "9")]),
        &server("c", &[(4, "x")]),
        &server("d", &[(4, "4")]),
    ];
    let scraped = scraped(answer.concat(), Proof::LineEnd);
    let name = "haproxy_server_current_sessions";
    assert_eq!(scraped.failures, 2);
    assert_eq!(
        samples(&scraped.text),
        [
            format!("{name}{{backend=\"app\",server=\"a\"}} 1"),
            format!("{name}{{backend=\"app\",server=\"d\"}} 4"),
        ]
    );
}

#[test]
fn rows_of_fewer_than_33_fields_are_no_statistics() {
    let short = "a,FRONTEND".to_owned() + &",".repeat(30) + "\n";
    let cases = [
        (
            HEADER.to_owned() + &short,
            Ok(()),
            "line 2: 32 fields instead of 33",
        ),
        (
            short.clone(),
            Err(ReplyError::NotStatistics(short.trim_end().to_owned())),
            "line 1: 32 fields instead of 33",
        ),
    ];
    for (answer, result, first) in cases {
        let scraped = scraped(&answer, Proof::LineEnd);
        assert_eq!(scraped.result, result);
        assert_eq!(
            (scraped.failures, scraped.first.as_deref()),
            (1, Some(first))
        );
    }
    // As many as are needed and no more.
    let row = "a,FRONTEND,,,5".to_owned() + &",".repeat(28) + "0\n";
    let scraped = scraped(&row, Proof::LineEnd);
    assert_eq!((scraped.result, scraped.failures), (Ok(()), 0));
    assert_eq!(
        samples(&scraped.text),
        ["haproxy_frontend_current_sessions{frontend=\"a\"} 5"]
    );
}

#[test]
fn a_quote_that_is_never_closed() {
    let answer = [HEADER, &frontend(&[(4, "1")]), "app,\"x\n", "y\n\n"].concat();
    for proof in [Proof::EmptyLine, Proof::LineEnd] {
        // The rest of the answer might have come yet.
        assert_eq!(scraped(&answer, proof).result, Err(ReplyError::Cut(proof)));
    }
    let scraped = scraped(&answer, Proof::Length);
    assert_eq!(scraped.result, Ok(()));
    assert_eq!(samples(&scraped.text).len(), 1);
    assert_eq!(
        (scraped.failures, scraped.first.as_deref()),
        (1, Some("line 3: a quote that is never closed"))
    );
}
