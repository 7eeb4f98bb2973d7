use super::*;

const SERVERS: u8 = 4;

/// A HAProxy with so many servers in each backend, whose numbers count from 2.
fn scraped(rows_per_question: usize, backends: &[usize]) -> Proxies {
    let mut proxies = Proxies::default();
    proxies.set_rows_per_question(rows_per_question);
    list(&mut proxies, backends);
    proxies.remember();
    proxies
}

fn list(proxies: &mut Proxies, backends: &[usize]) {
    proxies.clear();
    for (at, servers) in backends.iter().enumerate() {
        let (iid, name) = ((at + 2).to_string(), format!("b{at}"));
        for _ in 0..*servers {
            proxies.add(RowType::Server, iid.as_bytes(), name.as_bytes());
        }
        proxies.add(RowType::Backend, iid.as_bytes(), name.as_bytes());
    }
}

fn groups(proxies: &Proxies) -> Vec<Range<usize>> {
    let mut groups = vec![proxies.group(0)];
    while let Some(last) = groups.last().filter(|last| !last.is_empty()) {
        groups.push(proxies.group(last.end));
    }
    groups.pop();
    groups
}

#[test]
fn groups_of_about_so_many_rows() {
    type Case = (usize, &'static [usize], &'static [Range<usize>]);
    let cases: [Case; 6] = [
        (10, &[5, 5, 5], &[0..2, 2..3]),
        (10, &[5, 6, 5], &[0..1, 1..2, 2..3]),
        (10, &[50, 1, 1], &[0..1, 1..3]),
        (10, &[0, 0, 11, 0], &[0..2, 2..4]),
        (1, &[1, 1], &[0..1, 1..2]),
        (10, &[], &[]),
    ];
    for (rows, backends, expected) in cases {
        let mut proxies = scraped(rows, backends);
        list(&mut proxies, &vec![0; backends.len()]);
        assert_eq!(groups(&proxies), expected, "{rows}: {backends:?}");
    }
    let many = scraped(1000, &[0; 1000]);
    assert_eq!(groups(&many), [0..400, 400..800, 800..1000]);
    // Nothing is known of the last one, which may be large.
    let mut grown = scraped(10, &[1, 1]);
    list(&mut grown, &[0, 0, 0]);
    assert_eq!(groups(&grown), [0..2, 2..3]);
}

#[test]
fn who_is_worth_several_questions() {
    let (large, small) = ([100; 100], [10; 1000]);
    let (of_a_thousand, too_small) = ([10; 100], [8; 100]);
    let cases: [(usize, &[usize], bool); 11] = [
        (200, &large, true),
        (200, &of_a_thousand, true),
        // The commands would cost too much.
        (200, &too_small, false),
        (200, &small, false),
        (1, &[5, 5], false),
        (10, &[12, 8], true),
        (10, &[5, 5], false),
        (10, &[11], false),
        (10, &[11, 0], false),
        (10, &[25, 1], true),
        (0, &[1000, 1000], false),
    ];
    for (rows, backends, expected) in cases {
        let mut proxies = scraped(rows, backends);
        assert_eq!(
            proxies.are_worth_several(7),
            expected,
            "{rows}: {backends:?}"
        );
        assert!(!proxies.are_worth_several(3));
        proxies.forget();
        assert!(!proxies.are_worth_several(7));
    }
}

/// Only a backend has servers, only a frontend listeners.
#[test]
fn who_is_asked_for_what() {
    let listed = || {
        let mut proxies = scraped(10, &[]);
        for (row_type, iid) in [
            (RowType::Frontend, "2"),
            (RowType::Backend, "3"),
            (RowType::Frontend, "4"),
            (RowType::Backend, "4"),
        ] {
            proxies.add(row_type, iid.as_bytes(), b"x");
        }
        proxies
    };
    let cases = [
        (SERVERS, "show stat 3 4 -1;show stat 4 4 -1"),
        (8, "show stat 2 8 -1;show stat 4 8 -1"),
        (12, "show stat 2 12 -1;show stat 3 12 -1;show stat 4 12 -1"),
    ];
    for (types, expected) in cases {
        let mut proxies = listed();
        proxies.keep_with(types);
        let mut text = "old".to_owned();
        proxies.write_commands(0..proxies.found.len(), types, &mut text);
        assert_eq!(text, expected);
    }
}

/// A row of another proxy that has the number now does not count.
#[test]
fn a_number_may_change_hands() {
    let mut proxies = scraped(10, &[]);
    list(&mut proxies, &[0, 0]);
    assert!(proxies.add_to(1, RowType::Server, b"b1"));
    assert!(!proxies.add_to(1, RowType::Server, b"b0"));
    assert!(!proxies.add_to(2, RowType::Server, b"b1"));
    proxies.remember();
    assert_eq!(proxies.last, [(2, 0), (3, 1)]);
}

/// Without good numbers everything is asked at once.
#[test]
fn numbers_that_are_none() {
    for bad in ["", "x", "-1", "+1", "1234567890", "1 "] {
        let mut proxies = scraped(1, &[5, 5]);
        list(&mut proxies, &[5, 5]);
        proxies.add(RowType::Server, bad.as_bytes(), b"b9");
        proxies.remember();
        assert!(!proxies.are_worth_several(7), "{bad:?}");
    }
    let mut proxies = scraped(1, &[]);
    for number in 0..=MAX_PROXIES {
        proxies.add(RowType::Server, number.to_string().as_bytes(), b"x");
    }
    assert_eq!(proxies.found.len(), MAX_PROXIES);
    proxies.remember();
    assert!(!proxies.are_worth_several(7));
}
