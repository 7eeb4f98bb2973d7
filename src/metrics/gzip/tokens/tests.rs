use super::*;

/// Code, bits behind it, and the first value of each (RFC 1951, 3.2.5).
const LENGTHS: [(usize, u32, usize); 29] = [
    (257, 0, 3),
    (258, 0, 4),
    (259, 0, 5),
    (260, 0, 6),
    (261, 0, 7),
    (262, 0, 8),
    (263, 0, 9),
    (264, 0, 10),
    (265, 1, 11),
    (266, 1, 13),
    (267, 1, 15),
    (268, 1, 17),
    (269, 2, 19),
    (270, 2, 23),
    (271, 2, 27),
    (272, 2, 31),
    (273, 3, 35),
    (274, 3, 43),
    (275, 3, 51),
    (276, 3, 59),
    (277, 4, 67),
    (278, 4, 83),
    (279, 4, 99),
    (280, 4, 115),
    (281, 5, 131),
    (282, 5, 163),
    (283, 5, 195),
    (284, 5, 227),
    (285, 0, 258),
];
const DISTANCE_STARTS: [usize; DISTANCES] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
    2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
];

#[test]
fn lengths_have_the_codes_of_the_format() {
    for bytes in MIN_COPY..=MAX_COPY {
        let starts = LENGTHS.iter().rev();
        let (code, extra_bits, first) = *starts
            .clone()
            .find(|(_, _, first)| *first <= bytes)
            .unwrap();
        let expected = Symbol {
            code,
            extra: (bytes - first) as u64,
            extra_bits,
        };
        assert_eq!(length(bytes), expected, "{bytes}");
        assert!(bytes - first < 1 << extra_bits, "{bytes}");
    }
}

#[test]
fn distances_have_the_codes_of_the_format() {
    for bytes in 1..=WINDOW {
        let code = DISTANCE_STARTS
            .iter()
            .rposition(|first| *first <= bytes)
            .unwrap();
        let expected = Symbol {
            code,
            extra: (bytes - DISTANCE_STARTS[code]) as u64,
            extra_bits: (code as u32 / 2).saturating_sub(1),
        };
        assert_eq!(distance(bytes), expected, "{bytes}");
    }
}

#[test]
fn long_copies_are_put_in_parts_none_of_which_is_too_short() {
    struct Parts(Vec<usize>);
    impl Tokens for Parts {
        fn literals(&mut self, _: &[u8]) {}
        fn copy(&mut self, length: usize, distance: usize) {
            assert_eq!(distance, 77);
            self.0.push(length);
        }
    }
    for bytes in MIN_COPY..2_000 {
        let mut parts = Parts(Vec::new());
        parts.long_copy(bytes, 77);
        assert_eq!(parts.0.iter().sum::<usize>(), bytes);
        assert!(
            parts
                .0
                .iter()
                .all(|part| (MIN_COPY..=MAX_COPY).contains(part)),
            "{bytes}"
        );
        assert_eq!(parts.0.len(), bytes.div_ceil(MAX_COPY), "{bytes}");
    }
}

#[test]
fn counts_have_an_end() {
    let mut counts = Counts::new();
    counts.weight = 65_536;
    for _ in 0..1_000_000 {
        counts.literals(b"a");
        counts.copy(3, 1);
    }
    let sum = |counts: &[u32]| counts.iter().map(|count| u64::from(*count)).sum::<u64>();
    let all = LITERALS_AND_LENGTHS as u64 * u64::from(MAX_COUNT);
    assert!(all <= u64::from(u32::MAX));
    assert!(sum(&counts.literals_and_lengths) <= all);
    assert_eq!(counts.literals_and_lengths[usize::from(b'a')], MAX_COUNT);
    assert_eq!(counts.distances[0], MAX_COUNT);
}
