use super::*;
use crate::commands;
use crate::metrics::PROFILES;

#[test]
fn labels_are_escaped() {
    let cases: [(&[u8], &str); 7] = [
        (b"", ""),
        (b"web", "web"),
        (b"a\"b\\c\nd\r", "a\\\"b\\\\c\\nd\r"),
        ("\u{fc}\u{1f600}".as_bytes(), "\u{fc}\u{1f600}"),
        (b"\xff", "\u{fffd}"),
        (b"a\xc3\"b\xe2\x82", "a\u{fffd}\\\"b\u{fffd}"),
        (b"\0", "\0"),
    ];
    for (value, expected) in cases {
        let mut to = Vec::new();
        push_escaped(&mut to, value);
        assert_eq!(String::from_utf8(to).as_deref(), Ok(expected));
    }
}

#[test]
fn every_cell_of_every_profile_has_whole_lines_of_the_length_that_is_said() {
    for profile in 0..PROFILES.len() {
        for (group, family) in commands::catalog(&[]).families(profile) {
            for cell in family.cells {
                let line = CellLine::new(group, family, cell);
                let labels = match group.labels {
                    [] => "",
                    _ => "a\"} ",
                };
                let (mut to, mut used) = ([b'x'; 512], 0);
                let (text, value) = (labels.as_bytes(), &b"12"[..]);
                assert!(line.put(&mut to, &mut used, (text, text.len()), (value, value.len())));
                let found = std::str::from_utf8(&to[..used]).unwrap();
                let name = format!("{}{}", group.prefix, family.name);
                let (label, state) = LABELS[usize::from(cell.label)];
                let expected = match (group.labels.first(), label) {
                    (None, _) => format!("{name} 12\n"),
                    (Some(first), "") => format!("{name}{{{first}=\"a\"}} 12\n"),
                    (Some(first), _) => format!("{name}{{{first}=\"a\",{label}=\"{state}\"}} 12\n"),
                };
                assert_eq!(found, expected);
                assert_eq!(line.bytes(1, labels.len() as u64, 2), used as u64, "{name}");
                // Where there is no room for the whole of it, there is no line.
                for room in 0..used {
                    let mut begun = 0;
                    let room = &mut to[..room];
                    assert!(!line.put(room, &mut begun, (text, text.len()), (value, 2)));
                    assert_eq!(begun, 0);
                }
            }
        }
    }
}

#[test]
fn a_header_is_as_long_as_it_says() {
    for profile in 0..PROFILES.len() {
        for (group, family) in commands::catalog(&[]).families(profile) {
            let (mut to, mut used) = ([0; 512], 0);
            assert!(put_header(&mut to, &mut used, group, family));
            assert_eq!(used, header_bytes(group, family));
            let text = std::str::from_utf8(&to[..used]).unwrap();
            let (name, kind) = (
                format!("{}{}", group.prefix, family.name),
                family.kind.word(),
            );
            let expected = format!(
                "# HELP {name} {}\n# TYPE {name} {kind}\n",
                family.help(group).concat()
            );
            assert_eq!(text, expected);
            used = 1;
            assert!(!put_header(
                &mut to[..expected.len()],
                &mut used,
                group,
                family
            ));
        }
    }
}
