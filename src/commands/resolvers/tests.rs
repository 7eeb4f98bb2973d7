use super::*;

fn read(answer: &[u8]) -> Result<Resolvers, ReplyError> {
    let mut resolvers = Resolvers::default();
    let taken = resolvers.push(answer)?;
    resolvers.finish(&answer[taken.bytes..], Proof::EmptyLine)?;
    Ok(resolvers)
}

#[test]
fn name_servers_of_an_answer() {
    let answer = b"# id,pid,sent,new,valid,\nns1,dns1,14,x,3,\nns2,dns1,0,,\n\n";
    let resolvers = read(answer).unwrap();
    let cells: Vec<_> = resolvers
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
    assert_eq!(read(b"# id,pid,sent,\n\n").unwrap().iter().count(), 0);
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
            b"\n" => assert_eq!(error.unwrap().iter().count(), 0),
            _ => {
                let error = error.unwrap_err().to_string();
                let words = "not a reply to \"show stat domain resolvers\": it begins ";
                assert!(error.starts_with(words), "{error}");
            }
        }
    }
}
