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

/// The CRC goes into the lines of a family and out of them as if each byte were counted.
#[test]
fn the_crc_of_every_family() {
    let columns: Vec<usize> = (0..1024).collect();
    let catalog = crate::commands::catalog(&columns);
    for profile in 0..crate::metrics::PROFILES.len() {
        let headers = Headers::new(&catalog, profile);
        for (number, (group, family)) in catalog.families(profile).enumerate() {
            let text = exposition::header_parts(group, family).concat();
            let header = headers.get(number);
            assert_eq!(usize::from(header.bytes), text.len());
            for cell in family.cells {
                let before = CellLine::new(group, family, cell).before().to_vec();
                let register = 0x1234_5678;
                let behind_lines = crc::update(register, text.as_bytes());
                let behind = crc::update(behind_lines, &before);
                assert_eq!(header.enter(register), behind, "{}", family.name);
                assert_eq!(header.leave(behind), behind_lines, "{}", family.name);
                assert_eq!(header.before, crc::update(0, &before), "{}", family.name);
            }
        }
    }
}
