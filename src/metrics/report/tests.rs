use super::*;

#[test]
fn times_in_words() {
    let cases = [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (86_399, "23 h 59 min"),
        (90_000, "1 d 1 h"),
    ];
    for (seconds, expected) in cases {
        assert_eq!(Words(Duration::from_secs(seconds)).to_string(), expected);
    }
}
