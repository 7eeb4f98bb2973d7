use super::*;

/// Help texts of all families together may pass 64 KiB: each part is where it is said to be.
#[test]
fn parts_of_many_texts() {
    let mut finder = Finder::new();
    let texts: Vec<String> = (0..2_000)
        .map(|number| {
            format!("# HELP family_{number} Number {number} of many, counted in pieces.\n")
        })
        .collect();
    assert!(texts.concat().len() > usize::from(u16::MAX));
    let mut count = 0;
    for (number, text) in texts.iter().enumerate() {
        let mut parts = Vec::new();
        finder.find(text.as_bytes(), &mut parts);
        count += parts.len();
        for part in parts {
            let (at, bytes) = (usize::from(part.at), usize::from(part.bytes));
            let from = usize::from(part.from);
            let family = usize::from(part.family);
            assert!(family <= number);
            let there = texts[family].as_bytes().get(from..from + bytes);
            assert_eq!(there, text.as_bytes().get(at..at + bytes), "{number}");
        }
    }
    assert!(count >= texts.len(), "{count} parts");
}
