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

/// HAProxy 2.6.12 with `tune.bufsize 1024`: names were left out before the last one, which had room.
#[test]
fn the_end_of_a_cut_header_is_uncertain() {
    let answer = include_bytes!("../../../tests/fixtures/field/header-cut.csv");
    let line = answer.split(|byte| *byte == b'\n').next().unwrap();
    let mut header = Header::default();
    header.read(line);
    let positions = |header: &Header| {
        [
            "pxname",
            "type",
            "uweight",
            "ssl_reused_sess",
            "h2_rst_stream_rcvd",
            "h1_bytes_in",
        ]
        .map(|name| header.position(name))
    };
    let whole = [Some(0), Some(32), Some(99), Some(105), Some(110), Some(111)];
    assert_eq!(
        (positions(&header), header.field_count()),
        (whole, Some(113))
    );
    header.set_cut(Some(129));
    let cut = [Some(0), Some(32), Some(99), Some(105), None, None];
    assert_eq!((positions(&header), header.field_count()), (cut, Some(129)));
    // It is the same header in the next reply, and another one is not cut.
    header.read(line);
    assert_eq!(header.field_count(), Some(129));
    header.read(&line[..line.len() - 12]);
    assert_eq!(header.field_count(), Some(112));
}

/// Cut after any byte: a name is where it belongs, or nowhere; of those with a number only the last is missing.
#[test]
fn a_header_cut_anywhere() {
    let answer = include_bytes!("../../../tests/fixtures/2.6.12/stat.csv");
    let line = answer.split(|byte| *byte == b'\n').next().unwrap();
    let mut whole = Header::default();
    whole.read(line);
    for length in 300..line.len() {
        let mut header = Header::default();
        header.read(&line[..length]);
        header.set_cut(whole.field_count());
        let names = header.name_count().unwrap() - usize::from(line[length - 1] == b',');
        for name in line.split(|b| *b == b',').filter(|name| !name.is_empty()) {
            let name = std::str::from_utf8(name).unwrap().trim_start_matches("# ");
            let (position, right) = (header.position(name), whole.position(name));
            let is_sure = right.is_some_and(|at| at + 1 < names && number(name) == right);
            let expected = if is_sure || position.is_some() {
                right
            } else {
                None
            };
            assert_eq!(position, expected, "{length}: {name}");
        }
    }
}

/// Several HAProxy instances are read with one header, and each has its own knowledge of whether it is cut.
#[test]
fn a_cut_header_is_known_of_each_haproxy() {
    let (line, another) = (b"# pxname,svname,qcur", b"# pxname,svname");
    let mut header = Header::default();
    let mut of_other = None;
    header.read(line);
    header.set_cut(Some(9));
    for between in [&line[..], &another[..]] {
        header.swap_known_cut(&mut of_other);
        header.read(between);
        assert_eq!(header.cut(), None, "the other instance");
        header.swap_known_cut(&mut of_other);
        let before = header.changes();
        header.read(line);
        assert_eq!(header.cut(), Some(9));
        assert_ne!(header.changes(), before, "positions are looked up again");
    }
    header.set_cut(None);
    header.read(another);
    header.read(line);
    assert_eq!(header.cut(), None);
}
