//! What bounds the memory of a table.

use super::*;
use crate::haproxy::limits::{MAX_FIELDS, MAX_NAME_BYTES};
use crate::metrics::snapshot::IDLE_SCRAPES_BEFORE_SHRINK;

#[test]
fn limits() {
    let name = |bytes: usize| server(&"n".repeat(bytes), &[(4, "1")]);
    let fields = |count: usize| ",".repeat(count - 1) + "\n";
    let line = |bytes: usize| format!("# {}\n", "x".repeat(bytes - 3));
    #[rustfmt::skip]
    let cases: [(&str, String, Result<(), ReplyError>); 11] = [
        ("a name", name(MAX_NAME_BYTES), Ok(())),
        ("a longer name", name(MAX_NAME_BYTES + 1), Err(ReplyError::NameTooLong(3))),
        ("a longer proxy", row(&"n".repeat(MAX_NAME_BYTES + 1), "FRONTEND", "0", &[]), Err(ReplyError::NameTooLong(3))),
        ("a listener's longer name", row("a", &"n".repeat(MAX_NAME_BYTES + 1), "3", &[]), Err(ReplyError::NameTooLong(3))),
        ("fields", fields(MAX_FIELDS), Ok(())),
        ("more fields", fields(MAX_FIELDS + 1), Err(ReplyError::TooManyFields(3))),
        ("more fields, quoted", "\"\"".to_owned() + &fields(MAX_FIELDS + 1), Err(ReplyError::TooManyFields(3))),
        ("a line", line(MAX_LINE_BYTES), Ok(())),
        ("a longer line", line(MAX_LINE_BYTES + 1), Err(ReplyError::LineTooLong(3))),
        ("an endless line", "x".repeat(2 * MAX_LINE_BYTES), Err(ReplyError::LineTooLong(3))),
        ("an endless quote", "\"".to_owned() + &"x\n".repeat(MAX_LINE_BYTES), Err(ReplyError::LineTooLong(3))),
    ];
    for (name, rows, expected) in cases {
        let answer = [HEADER, &frontend(&[(4, "1")]), &rows, "\n"].concat();
        let mut table = table_of(&all_columns(), &[]);
        for piece in [usize::MAX, 64 * 1024] {
            let scraped = scrape(&mut table, answer.as_bytes(), piece, Proof::EmptyLine);
            assert_eq!(scraped.result, expected, "{name}");
        }
        // The next answer is read as if nothing had been.
        let good = [HEADER, &frontend(&[(4, "1")]), "\n"].concat();
        let scraped = scraped_by(&mut table, good.as_bytes(), Proof::EmptyLine);
        assert_eq!((scraped.result, scraped.failures), (Ok(()), 0), "{name}");
        assert_eq!(samples(&scraped.text).len(), 1, "{name}");
    }
}

#[test]
fn memory_that_is_not_needed_any_more_is_given_back() {
    let servers = |count: usize| {
        let rows = (0..count).map(|n| server(&format!("server-{n}"), &[(4, "1"), (17, "UP")]));
        HEADER.to_owned() + &rows.collect::<String>()
    };
    let reserved = |table: &Table| table.snapshot.memory_bytes();
    let (many, few) = (servers(20_000), servers(3));
    let mut table = table_of(&all_columns(), &[]);
    let scrape = |table: &mut Table, answer: &str| {
        let scraped = scrape(table, answer.as_bytes(), 64 * 1024, Proof::LineEnd);
        table.snapshot.shrink();
        (
            scraped.result,
            scraped.failures,
            samples(&scraped.text).len(),
        )
    };
    assert_eq!(scrape(&mut table, &many), (Ok(()), 0, 40_000));
    let at_most = reserved(&table);
    for _ in 1..IDLE_SCRAPES_BEFORE_SHRINK {
        assert_eq!(scrape(&mut table, &few), (Ok(()), 0, 6));
        assert_eq!(reserved(&table), at_most);
    }
    // One that needs it begins to count from zero.
    assert_eq!(scrape(&mut table, &many), (Ok(()), 0, 40_000));
    for _ in 1..IDLE_SCRAPES_BEFORE_SHRINK {
        assert_eq!(scrape(&mut table, &few), (Ok(()), 0, 6));
    }
    assert_eq!(reserved(&table), at_most);
    assert_eq!(scrape(&mut table, &few), (Ok(()), 0, 6));
    assert!(reserved(&table) < at_most / 20, "{}", reserved(&table));
    // And it grows again.
    assert_eq!(scrape(&mut table, &many), (Ok(()), 0, 40_000));
}

/// Bytes that are not UTF-8 make labels three times as long as what the peer sent.
#[test]
fn names_that_only_cost_memory() {
    let mut table = table_of(&[4], &[]);
    let fill = [0xff; MAX_NAME_BYTES - 8];
    let rows = (0..10_000).map(|number| {
        // Of every kind: together they have to stay below the limit.
        let (service, kind) = [("FRONTEND", "0"), ("BACKEND", "1"), ("x", "2")][number % 3];
        let template = row("NAME", service, kind, &[]);
        let (before, after) = template.split_once("NAME").unwrap();
        let number = format!("{number:08}");
        let row = [
            before.as_bytes(),
            number.as_bytes(),
            &fill,
            after.as_bytes(),
        ];
        row.concat()
    });
    let answer = rows.collect::<Vec<_>>().concat();
    let scraped = scrape(&mut table, &answer, 64 * 1024, Proof::LineEnd);
    let refused = scraped.result.unwrap_err();
    assert!(matches!(refused, ReplyError::NamesTooLong(_)), "{refused}");
    let text = refused.to_string();
    assert!(text.ends_with("are longer than 67108864 bytes"), "{text}");
}
