use super::*;

fn read(answer: &[u8]) -> Result<StickTables, ReplyError> {
    let mut tables = StickTables::default();
    let taken = tables.push(answer)?;
    tables.finish(&answer[taken.bytes..], Proof::EmptyLine)?;
    Ok(tables)
}

#[test]
fn tables_of_an_answer() {
    let answer = b"# table: st_src, type: ip, size:200, used:1\n\
        # table: a, b, type: string, size:1024, used:0, expire:5m\n\n";
    let tables = read(answer).unwrap();
    let found: Vec<_> = tables.iter().collect();
    let expected = [
        StickTable {
            name: b"st_src",
            key_type: b"ip",
            size: b"200",
            used: b"1",
        },
        StickTable {
            name: b"a, b",
            key_type: b"string",
            size: b"1024",
            used: b"0",
        },
    ];
    assert_eq!(found, expected);
    assert_eq!(read(b"\n").unwrap().iter().count(), 0);
}

#[test]
fn something_else() {
    let answers: [&[u8]; 3] = [
        b"Permission denied\n\n",
        b"# pxname,svname,\n\n",
        b"# table: a, type: ip, size:1\n\n",
    ];
    for answer in answers {
        let error = read(answer).unwrap_err().to_string();
        assert!(
            error.starts_with("not a reply to \"show table\": it begins "),
            "{error}"
        );
    }
}
