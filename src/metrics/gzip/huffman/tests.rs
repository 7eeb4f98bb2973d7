use super::*;

fn lengths<const N: usize>(counts: &[u32; N], most: usize) -> [u8; N] {
    codes(counts, most).map(|code| code.length)
}

/// Bits that all counted symbols take with these lengths.
fn cost<const N: usize>(counts: &[u32; N], lengths: &[u8; N]) -> u64 {
    let each = counts.iter().zip(lengths);
    each.map(|(count, length)| u64::from(*count) * u64::from(*length))
        .sum()
}

/// The least bits without a limit: the sum of all inner nodes of Huffman's tree.
fn least(counts: &[u32]) -> u64 {
    let mut nodes: Vec<u64> = counts
        .iter()
        .filter(|c| **c > 0)
        .map(|c| u64::from(*c))
        .collect();
    let mut sum = 0;
    while nodes.len() > 1 {
        nodes.sort_unstable_by(|a, b| b.cmp(a));
        let two = nodes.split_off(nodes.len() - 2);
        let node = two[0] + two[1];
        sum += node;
        nodes.push(node);
    }
    sum
}

/// Counts of several kinds, the same for a seed.
fn counts<const N: usize>(seed: u32) -> [u32; N] {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    std::array::from_fn(|at| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        match seed % 5 {
            0 => 1,
            1 => state % 1_000,
            2 => state >> (10 + state % 22),
            // Each as large as all before: the deepest tree.
            3 => 1 << (at % 24),
            _ => u32::from(state.is_multiple_of(20)) * (1 + state % 7),
        }
    })
}

#[test]
fn lengths_are_a_whole_prefix_code_and_the_shortest_where_no_limit_is_met() {
    for seed in 0..500 {
        let mut counts: [u32; LITERALS_AND_LENGTHS] = counts(seed);
        (counts[0], counts[1]) = (counts[0].max(1), counts[1].max(1));
        let lengths = lengths(&counts, MAX_LITERAL_BITS);
        let mut space = 0;
        for (count, length) in counts.iter().zip(lengths) {
            assert_eq!(*count > 0, length > 0, "seed {seed}");
            assert!(usize::from(length) <= MAX_LITERAL_BITS, "seed {seed}");
            if length > 0 {
                space += 1 << (MAX_LITERAL_BITS - usize::from(length));
            }
        }
        assert_eq!(space, 1 << MAX_LITERAL_BITS, "seed {seed}");
        let (cost, least) = (cost(&counts, &lengths), least(&counts));
        let is_limited = lengths
            .iter()
            .any(|length| usize::from(*length) == MAX_LITERAL_BITS);
        assert!(
            cost == least || is_limited,
            "seed {seed}: {cost} for {least}"
        );
        assert!(
            cost <= least + least / 10,
            "seed {seed}: {cost} for {least}"
        );
    }
}

#[test]
fn rarer_symbols_have_no_shorter_codes() {
    let counts: [u32; DISTANCES] = counts(1);
    let lengths = lengths(&counts, MAX_DISTANCE_BITS);
    for (count, length) in counts.iter().zip(&lengths).filter(|(count, _)| **count > 0) {
        for (other, longer) in counts
            .iter()
            .zip(&lengths)
            .filter(|(_, other)| *other > length)
        {
            assert!(
                other <= count,
                "{other} has {longer} bits, {count} {length}"
            );
        }
    }
}

#[test]
fn codes_are_those_of_the_formats_example() {
    // RFC 1951, 3.2.2: A to H.
    let mut codes = [3, 3, 3, 3, 3, 2, 4, 4].map(|length| Code { bits: 0, length });
    set_bits(&mut codes);
    let expected = ["010", "011", "100", "101", "110", "00", "1110", "1111"];
    for (code, expected) in codes.iter().zip(expected) {
        // The first bit is the lowest.
        let text: String = (0..code.length)
            .map(|bit| (b'0' + (code.bits >> bit & 1) as u8) as char)
            .collect();
        assert_eq!(text, expected);
    }
}

#[test]
fn every_description_is_read_by_zlib() {
    for seed in 0..200 {
        let mut counted = Counts::new();
        counted.literals_and_lengths = counts(seed);
        counted.distances = counts(seed + 1);
        let needed = [
            &mut counted.literals_and_lengths[END],
            &mut counted.distances[0],
        ];
        needed
            .into_iter()
            .for_each(|count| *count = (*count).max(1));
        let used = |counts: &[u32]| counts.iter().filter(|count| **count > 0).count();
        if used(&counted.literals_and_lengths) < 2 || used(&counted.distances) < 2 {
            continue;
        }
        let codes = Codes::new(&counted, 0);
        let (mut bits, mut to, mut length) = (Bits::default(), [0; 1024], 0);
        codes.describe(&mut bits, &mut to, &mut length);
        let letter = codes
            .literals_and_lengths
            .iter()
            .position(|code| code.length > 0)
            .unwrap();
        for code in [codes.literals_and_lengths[letter], end(&codes)] {
            bits.put(u64::from(code.bits), u32::from(code.length));
            bits.flush(&mut to, &mut length);
        }
        bits.put(0, bits.missing());
        bits.flush(&mut to, &mut length);
        let text = miniz_oxide::inflate::decompress_to_vec(&to[..length]);
        assert_eq!(
            text.ok().as_deref(),
            Some(&[letter as u8][..]),
            "seed {seed}"
        );
        let mut zlib = flate2::Decompress::new(false);
        let mut text = Vec::with_capacity(8);
        let status = zlib.decompress_vec(&to[..length], &mut text, flate2::FlushDecompress::Finish);
        assert!(
            matches!(status, Ok(flate2::Status::StreamEnd)),
            "seed {seed}: {status:?}"
        );
        assert_eq!(text, [letter as u8], "seed {seed}");
    }
}
