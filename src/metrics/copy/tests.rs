#[test]
fn every_length_is_copied_whole_and_stays_in_its_bounds() {
    let from: Vec<u8> = (0..100).map(|n| n + 1).collect();
    for length in 0..=from.len() {
        for behind in 0..=from.len() - length {
            for room in [0, 1, 20, 100] {
                let mut to = vec![0; length + room];
                super::padded::<16>(&mut to, &from[..length + behind], length);
                assert_eq!(to[..length], from[..length], "{length}");
                assert!(
                    to[length.max(16).min(to.len())..]
                        .iter()
                        .all(|byte| *byte == 0)
                );
            }
        }
    }
}

/// Nothing behind the text is touched, and a text that finds no room is not put at all.
#[test]
fn short_texts_of_every_length() {
    let text: Vec<u8> = (1..=100).collect();
    for length in 0..=text.len() {
        let mut to = [0; 101];
        assert!(super::short(&mut to, &text[..length]));
        assert_eq!(to[..length], text[..length], "{length}");
        assert!(to[length..].iter().all(|byte| *byte == 0), "{length}");
        if length > 0 {
            let mut to = [0; 100];
            assert!(!super::short(&mut to[..length - 1], &text[..length]));
            assert_eq!(to, [0; 100], "{length}");
        }
    }
}
