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
