use std::time::Duration;

use super::*;

fn targets(names: &[&str]) -> Targets {
    Targets::new(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn found_by_name() {
    type Case<'a> = (&'a [&'a str], Option<&'a str>, Result<usize, &'a str>);
    let cases: [Case<'_>; 9] = [
        (&[""], None, Ok(0)),
        (&[""], Some(""), Ok(0)),
        (&["", "a", "b"], None, Ok(0)),
        (&["", "a", "b"], Some("b"), Ok(2)),
        (&["a", "b"], Some("a"), Ok(0)),
        (
            &["a", "b"],
            None,
            Err("target: the value is missing (use target=a, b)"),
        ),
        (
            &["a", "b"],
            Some(""),
            Err("target: the value is missing (use target=a, b)"),
        ),
        (
            &["a", "b"],
            Some("A\n"),
            Err("target: \"A\\n\" is not a known target (use a, b)"),
        ),
        (
            &[""],
            Some("a"),
            Err("target: \"a\" is not a known target (there is none with a name)"),
        ),
    ];
    for (names, name, expected) in cases {
        let found = targets(names).find(name).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{names:?} {name:?}");
    }
}

#[test]
fn the_last_scrape_is_remembered() {
    let mut targets = targets(&["", "a"]);
    let now = Instant::now();
    let at = |seconds| now + Duration::from_secs(seconds);
    let outcome = |is_up| Outcome {
        is_up,
        took: Duration::from_millis(3),
    };
    let failure = |why: &str| Report {
        failure: Some(why.to_owned()),
        ..Report::default()
    };
    assert_eq!(targets.last_began(1), None);
    // Since when it is so, and the last failure.
    let scrapes = [
        (outcome(false), failure("x"), 1, Some(("x", 1))),
        (outcome(false), failure("y"), 1, Some(("y", 2))),
        (outcome(true), Report::default(), 3, Some(("y", 2))),
        (outcome(true), Report::default(), 3, Some(("y", 2))),
        (outcome(false), failure("z"), 5, Some(("z", 5))),
    ];
    for (second, (outcome, report, since, failed)) in (1..).zip(scrapes) {
        targets.scraped(1, (outcome, report), at(second));
        let last: Vec<_> = targets.iter().collect();
        let (name, Some(last)) = last[1] else {
            panic!("no scrape");
        };
        assert_eq!((name, last.outcome, last.at), ("a", outcome, at(second)));
        assert_eq!(last.since, at(since), "{second}");
        let failure = last.failure.as_ref();
        assert_eq!(
            failure.map(|(why, at)| (why.as_str(), *at)),
            failed.map(|(why, second)| (why, at(second)))
        );
    }
    assert_eq!(targets.last_began(0), None);
    assert_eq!(
        targets.last_began(1),
        Some(at(5) - Duration::from_millis(3))
    );
    assert!(
        targets
            .iter()
            .next()
            .is_some_and(|(name, last)| name.is_empty() && last.is_none())
    );
    // There is no such target.
    targets.scraped(7, (outcome(true), Report::default()), now);
}
