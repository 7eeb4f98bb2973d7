use super::*;

#[test]
fn no_column_has_two_numbers() {
    for (position, name) in NUMBERED.iter().enumerate() {
        assert_eq!(number(name), Some(position), "{name}");
    }
    for (name, expected) in [("pxname", 0), ("svname", 1), ("status", 17), ("type", 32)] {
        assert_eq!(number(name), Some(expected), "{name}");
    }
    assert_eq!(NUMBERED[117], "resbout");
}

#[test]
fn recorded_headers_have_the_columns_where_the_numbers_say() {
    let answers: [(&str, &[u8]); 4] = [
        (
            "1.5.0",
            include_bytes!("../../../tests/fixtures/1.5.0/stat.csv"),
        ),
        (
            "2.0.0",
            include_bytes!("../../../tests/fixtures/2.0.0/stat.csv"),
        ),
        (
            "2.6.12",
            include_bytes!("../../../tests/fixtures/2.6.12/stat.csv"),
        ),
        (
            "3.2.0",
            include_bytes!("../../../tests/fixtures/3.2.0/stat.csv"),
        ),
    ];
    for (version, answer) in answers {
        let line = answer.split(|byte| *byte == b'\n').next().unwrap();
        let mut header = Header::default();
        header.read(line);
        assert_eq!(
            header.field_count(),
            Some(line.split(|b| *b == b',').count()),
            "{version}"
        );
        // Up to the column `-`, where those of the modules begin.
        let main = line
            .split(|b| *b == b',')
            .position(|name| name == b"-")
            .unwrap_or(header.field_count().unwrap() - 1);
        for (number, name) in NUMBERED.iter().enumerate() {
            let expected = (number < main).then_some(number);
            assert_eq!(header.position(name), expected, "{version} {name}",);
        }
    }
}

#[test]
fn a_header_in_another_order_is_believed() {
    let mut header = Header::default();
    assert_eq!(
        (header.position("qcur"), header.field_count()),
        (Some(2), None)
    );
    assert_eq!(header.position("h1_bytes_in"), None);
    header.read(b"# svname,new,pxname,h1_bytes_in,qcur,qcur,");
    let found =
        ["pxname", "svname", "qcur", "h1_bytes_in", "type"].map(|name| header.position(name));
    assert_eq!(found, [Some(2), Some(0), Some(4), Some(3), None]);
    assert_eq!(header.field_count(), Some(7));
    header.forget();
    assert_eq!(header.position("svname"), Some(1));
}

/// What is derived from a header stays as long as it has not changed.
#[test]
fn changes_of_the_header_are_counted() {
    let mut header = Header::default();
    let steps: [(Option<&[u8]>, u64); 6] = [
        (None, 0),
        (Some(b"# pxname,svname,"), 1),
        (Some(b"# pxname,svname,"), 1),
        (Some(b"# svname,pxname,"), 2),
        (None, 3),
        (None, 3),
    ];
    for (number, (line, expected)) in steps.into_iter().enumerate() {
        match line {
            Some(line) => header.read(line),
            None => header.forget(),
        }
        assert_eq!(header.changes(), expected, "step {number}");
    }
}
