use super::*;

fn add(trace: &mut Trace, what: &str) {
    trace.add(what, 12, Some(Duration::from_micros(3_450)), false);
}

#[test]
fn commands_in_words() {
    let mut trace = Trace::default();
    assert_eq!(trace.0, "");
    add(&mut trace, "show stat");
    trace.add("show info", 0, Some(Duration::ZERO), true);
    trace.add("show resolvers", 0, None, true);
    let expected = "show stat (12 bytes, 3.4 ms), show info (0 bytes, 0.0 ms, failed), \
                    show resolvers (no reply)";
    assert_eq!(trace.0, expected);
}

/// It does not grow with the number of commands, nor with their length.
#[test]
fn it_has_an_end() {
    let mut trace = Trace::default();
    for number in 0..10_000 {
        add(&mut trace, &format!("show ssl cert {number}"));
    }
    assert!(trace.0.len() < MAX_BYTES + 100, "{}", trace.0.len());
    assert!(
        trace
            .0
            .starts_with("show ssl cert 0 (12 bytes, 3.4 ms), show ssl cert 1 (")
    );
    let mut trace = Trace::default();
    add(&mut trace, "show info");
    add(&mut trace, &"x".repeat(MAX_BYTES));
    assert_eq!(trace.0, "show info (12 bytes, 3.4 ms), ...");
}
