use super::*;

fn crc(text: &[u8]) -> u32 {
    update(INVERTED, text) ^ INVERTED
}

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 37 + at / 11) as u8).collect()
}

#[test]
fn the_crc_of_a_text_is_that_of_zlib() {
    assert_eq!(crc(b"123456789"), 0xcbf4_3926);
    for length in [0, 1, 2, 3, 4, 5, 63, 64, 1_000] {
        let text = text(length);
        let mut expected = flate2::Crc::new();
        expected.update(&text);
        assert_eq!(crc(&text), expected.sum(), "{length} bytes");
    }
}

#[test]
fn a_text_is_passed_in_one_step_and_back() {
    let before = 0x1234_5678;
    let mut shifts = Shifts::default();
    for length in [0, 1, 3, 4, 7, 55, 300, 70_000] {
        let text = text(length);
        let behind = update(before, &text);
        let own = update(0, &text);
        let passed = shifts.by(length).apply(before) ^ own;
        assert_eq!(passed, behind, "{length} bytes, from a table");
        let passed = Power::of(length as i64).apply(before) ^ own;
        assert_eq!(passed, behind, "{length} bytes, without one");
        let back = shifts.back_by(length).apply(behind ^ own);
        assert_eq!(back, before, "{length} bytes back, from a table");
        let back = Power::of(-(length as i64)).apply(behind ^ own);
        assert_eq!(back, before, "{length} bytes back, without one");
        let in_advance = before ^ difference(&text, b"");
        assert_eq!(
            shifts.by(length).apply(in_advance),
            behind,
            "{length} bytes in advance"
        );
    }
}

#[test]
fn what_a_text_adds_in_advance_is_found_from_another() {
    let texts: [&[u8]; 6] = [
        b"",
        b"a",
        b"web-1\"",
        b"web-22\"",
        b"web-1-and-longer\"",
        b"other",
    ];
    for one in texts {
        for other in texts {
            let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
            let back = Power::of(-(same as i64));
            let added = back.apply(difference(&one[same..], &other[same..]));
            let expected = difference(one, b"");
            assert_eq!(
                difference(other, b"") ^ added,
                expected,
                "{one:?} from {other:?}"
            );
        }
    }
}

#[test]
fn lengths_that_share_a_slot_are_told_apart() {
    let mut shifts = Shifts::default();
    for bytes in [0, 5, 69, 5, 40_000, 0] {
        let zeros = vec![0; bytes];
        assert_eq!(
            shifts.by(bytes).apply(7),
            update(7, &zeros),
            "{bytes} bytes"
        );
        assert_eq!(
            shifts.back_by(bytes).apply(update(7, &zeros)),
            7,
            "{bytes} bytes back"
        );
    }
}
