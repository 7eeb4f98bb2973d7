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
    let outcome = |is_up| Outcome {
        is_up,
        took: Duration::from_millis(3),
    };
    targets.scraped(1, outcome(false), now);
    targets.scraped(7, outcome(false), now);
    targets.scraped(1, outcome(true), now);
    assert_eq!(targets.last_began(0), None);
    let began = now - Duration::from_millis(3);
    assert_eq!(targets.last_began(1), Some(began));
    let last: Vec<_> = targets.iter().collect();
    assert_eq!(last[0], ("", None));
    assert_eq!(
        last[1].1.map(|last| last.age(now + Duration::from_secs(5))),
        Some(Duration::from_secs(5))
    );
}
