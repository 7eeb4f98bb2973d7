use super::*;

#[test]
fn no_column_has_two_numbers() {
    for (position, name) in COLUMNS.iter().enumerate() {
        assert_eq!(usize::from(number(name)), position, "{name}");
    }
    for (name, expected) in [("pxname", 0), ("svname", 1), ("status", 17), ("type", 32)] {
        assert_eq!(number(name), expected, "{name}");
    }
    assert_eq!(COLUMNS[NUMBERED - 1], "resbout");
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
        for (number, name) in COLUMNS.iter().enumerate().take(NUMBERED) {
            let expected = (number < main).then_some(number);
            assert_eq!(header.position(number as u16), expected, "{version} {name}",);
        }
    }
}

#[test]
fn a_header_in_another_order_is_believed() {
    let mut header = Header::default();
    assert_eq!(
        (header.position(number("qcur")), header.field_count()),
        (Some(2), None)
    );
    assert_eq!(header.position(number("h1_bytes_in")), None);
    header.read(b"# svname,new,pxname,h1_bytes_in,qcur,qcur,");
    let found = ["pxname", "svname", "qcur", "h1_bytes_in", "type"]
        .map(|name| header.position(number(name)));
    assert_eq!(found, [Some(2), Some(0), Some(4), Some(3), None]);
    assert_eq!(header.field_count(), Some(7));
    header.forget();
    assert_eq!(header.position(number("svname")), Some(1));
}
