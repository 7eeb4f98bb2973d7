use super::*;
use crate::metrics::value::MAX_VALUE_BYTES;

/// The name and value text of each family.
fn texts<T>(
    group: &'static Group,
    values: &[fn(&T) -> Value<'_>],
    facts: &T,
) -> Vec<(&'static str, String)> {
    assert_eq!(group.families.len(), values.len());
    let texts = values.iter().map(|value| {
        let mut text = [0; MAX_VALUE_BYTES];
        let length = value(facts).write(&mut text);
        String::from_utf8(text[..length].to_vec()).unwrap()
    });
    let names = group.families.iter().map(|family| family.name);
    names.zip(texts).collect()
}

#[test]
fn each_family_of_a_process_shows_its_fact() {
    let facts = Facts {
        cpu_time: Some(Duration::from_millis(18_010)),
        open_fds: Some(4),
        max_fds: Some(4223),
        virtual_memory_bytes: Some(104_857_600),
        virtual_memory_max_bytes: Some(u64::MAX),
        resident_memory_bytes: Some(10_240_000),
        start_time: Some(Duration::from_millis(1_700_000_098_760)),
    };
    let expected = [
        ("cpu_seconds_total", "18.01"),
        ("open_fds", "4"),
        ("max_fds", "4223"),
        ("virtual_memory_bytes", "104857600"),
        ("virtual_memory_max_bytes", "18446744073709551615"),
        ("resident_memory_bytes", "10240000"),
        ("start_time_seconds", "1700000098.76"),
    ];
    for table in [&HAPROXY_PROCESS, &OWN_PROCESS] {
        let found = texts(&table.group, table.values, &facts);
        let expected = expected.map(|(name, text)| (name, text.to_owned()));
        assert_eq!(found, expected);
        let none = texts(&table.group, table.values, &Facts::default());
        assert!(none.iter().all(|(_, text)| text.is_empty()), "{none:?}");
    }
}

#[test]
fn each_family_of_the_exporter_shows_its_fact() {
    let facts = ExporterFacts {
        is_up: true,
        scrapes: 2,
        parse_failures: 3,
        took: Duration::from_millis(250),
    };
    let expected = [
        ("up", "1"),
        ("exporter_scrapes_total", "2"),
        ("exporter_csv_parse_failures_total", "3"),
        ("exporter_scrape_duration_seconds", "0.25"),
    ];
    let found = texts(&EXPORTER.group, EXPORTER.values, &facts);
    assert_eq!(found, expected.map(|(name, text)| (name, text.to_owned())));
}
