use super::*;

fn read(answer: &[u8]) -> Result<Resolvers, ReplyError> {
    let mut resolvers = Resolvers::default();
    let taken = resolvers.rows.push(answer)?;
    let rest = &answer[taken.bytes..];
    resolvers.rows.finish(rest, Proof::EmptyLine)?;
    Ok(resolvers)
}

#[test]
fn name_servers_of_an_answer() {
    let answer = b"# id,pid,sent,new,valid,\nns1,dns1,14,x,3,\nns2,dns1,0,,\n\n";
    let resolvers = read(answer).unwrap();
    let cells: Vec<_> = resolvers
        .rows
        .iter()
        .map(|server| ["pid", "id", "sent", "valid", "nx"].map(|column| server.cell(column)))
        .collect();
    let some = |text: &'static str| Some(text.as_bytes());
    assert_eq!(
        cells[0],
        [some("dns1"), some("ns1"), some("14"), some("3"), None]
    );
    assert_eq!(
        cells[1],
        [some("dns1"), some("ns2"), some("0"), some(""), None]
    );
    assert_eq!(cells.len(), 2);
    // A HAProxy without resolvers prints the header.
    assert_eq!(read(b"# id,pid,sent,\n\n").unwrap().rows.iter().count(), 0);
}

#[test]
fn something_else() {
    for answer in [
        &b"Invalid statistics domain.\n\n"[..],
        b"# pxname,svname,\na,b,\n\n",
        b"\n",
    ] {
        let error = read(answer);
        match answer {
            // Nothing at all is an answer without resolvers.
            b"\n" => assert_eq!(error.unwrap().rows.iter().count(), 0),
            _ => {
                let error = error.unwrap_err().to_string();
                let words = "not a reply to \"show stat domain resolvers\": it begins ";
                assert!(error.starts_with(words), "{error}");
            }
        }
    }
}

const NAMES_OF_TWO: &str =
    "Resolvers section rr\n nameserver n1:\n  sent:        0\n nameserver n2:\n  sent:        0\n\n";

/// Rows that have lost their names get those of `show resolvers`, unless it lists other name servers.
#[test]
fn names_that_were_lost() {
    let odd = NAMES_OF_TWO.replace("n2", "::1");
    let section = "Resolvers section a: b\n nameserver n1:\n\nResolvers section c\n nameserver n1:\n\n";
    let one = "Resolvers section rr\n nameserver n1:\n\n";
    let (one_nameless, named) = ("n1,rr,1,\n,,2,\n", "n1,rr,1,\nn2,rr,2,\n");
    let (n1, n2) = (Some(("rr", "n1")), Some(("rr", "n2")));
    type Found = Option<(&'static str, &'static str)>;
    // Rows, what `show resolvers` says, names, whether that is asked for.
    let cases: [(&str, &str, [Found; 2], bool); 11] = [
        (named, "", [n1, n2], false),
        (",,1,\n,,2,\n", NAMES_OF_TWO, [n1, n2], true),
        (one_nameless, NAMES_OF_TWO, [n1, n2], true),
        (",rr,1,\nn2,,2,\n", NAMES_OF_TWO, [n1, n2], true),
        (",,1,\n,,2,\n", &odd, [n1, Some(("rr", "::1"))], true),
        (",,1,\n,,2,\n", section.split_once("\n\n").map_or("", |(one, _)| one), [None, None], true),
        (",,1,\n,,2,\n", "", [None, None], true),
        (",,1,\n,,2,\n", one, [None, None], true),
        (one_nameless, one, [n1, None], true),
        ("n2,rr,1,\n,,2,\n", NAMES_OF_TWO, [n2, None], true),
        ("n1,other,1,\n,,2,\n", NAMES_OF_TWO, [Some(("other", "n1")), None], true),
    ];
    for (rows, names, expected, is_asked) in cases {
        let mut resolvers = Resolvers::default();
        let text = format!("# id,pid,sent,\n{rows}\n");
        let (reply, further) = resolvers.replies();
        assert!(further.is_none(), "not at first");
        reply.push(text.as_bytes()).unwrap();
        assert_eq!(resolvers.needs_further(), is_asked, "{rows}");
        resolvers.clear();
        let (reply, further) = resolvers.replies();
        reply.push(text.as_bytes()).unwrap();
        assert_eq!(further.is_some(), is_asked, "{rows}");
        if let Some((command, reply)) = further {
            assert_eq!(command, "show resolvers");
            let taken = reply.push(names.as_bytes()).unwrap();
            let _ = reply.finish(&names.as_bytes()[taken.bytes..], Proof::EmptyLine);
        }
        assert!(!resolvers.needs_further(), "asked once: {rows}");
        let mut found = Vec::new();
        resolvers.for_each(|_, name| {
            let text = |part: &[u8]| String::from_utf8(part.to_vec()).unwrap();
            found.push(name.map(|[section, server]| (text(section), text(server))));
        });
        let expected = expected.map(|name| name.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(found, expected, "{rows} {names}");
        let mut failures = Failures::default();
        resolvers.count_bad_rows(&mut failures);
        let missing = expected.iter().filter(|name| name.is_none()).count();
        assert_eq!(failures.count, missing as u64, "{rows} {names}");
    }
    // As recorded, and what is wrong with a row.
    let mut resolvers = Resolvers::default();
    resolvers.rows.push(b"# id,pid,sent,\nn1,rr,1,\n,,2,\n\n").unwrap();
    let mut failures = Failures::default();
    resolvers.count_bad_rows(&mut failures);
    let first = failures.first.map(|first| first.to_string());
    let expected = "line 3 of \"show stat domain resolvers\": a name server without a name";
    assert_eq!(first.as_deref(), Some(expected));
}
