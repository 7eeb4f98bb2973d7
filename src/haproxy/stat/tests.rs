use super::*;

/// Keeps what comes, as text.
#[derive(Default)]
struct Names {
    rows: Vec<String>,
    begun: usize,
}

impl RowSink for Names {
    fn begin(&mut self, _: &Header) -> usize {
        self.begun += 1;
        0
    }

    fn push(&mut self, _: RowType, row: &Row<'_>, place: Place<'_>, _: &mut Failures) {
        let field = |at| String::from_utf8_lossy(row.field(at).unwrap()).into_owned();
        self.rows
            .push(format!("{} {}/{}", place.line, field(0), field(1)));
    }

    fn count(&mut self, _: &Row<'_>) {}
    fn flush(&mut self, _: &[u8], _: &mut Failures) {}
    fn name_bytes(&self) -> usize {
        0
    }
}

const HEADER: &str = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,\
    eresp,wretr,wredis,status,weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,\
    throttle,lbtot,tracked,type,\n";

fn row(proxy: &str, name: &str, iid: u32, row_type: u8) -> String {
    format!("{proxy},{name}{}{iid},,,,,{row_type},\n", ",".repeat(26))
}

fn list() -> String {
    let rows = [
        row("web", "FRONTEND", 2, 0),
        row("a", "BACKEND", 3, 1),
        row("b", "BACKEND", 4, 1),
    ];
    format!("{HEADER}{}\n", rows.concat())
}

fn reader() -> StatReader {
    let mut reader = StatReader::new(Filter::default());
    reader.proxies().set_rows_per_question(1);
    reader
}

/// Pushes in pieces of a size until the reply has its end; returns the bytes that it took.
fn push(reply: &mut StatReply<'_>, input: &str, size: usize) -> usize {
    let (mut at, mut end) = (0, 0);
    loop {
        end = (end + size).min(input.len());
        let taken = reply.push(&input.as_bytes()[at..end]).unwrap();
        at += taken.bytes;
        if taken.ends {
            assert_eq!(reply.finish(&[], Proof::EmptyLine), Ok(()));
            return at;
        }
        assert!(end < input.len(), "it does not end");
    }
}

/// Proxies are listed, and only the rows that are wanted go on.
#[test]
fn only_some_types() {
    for (types, expected) in [
        (3, &["2 web/FRONTEND", "3 a/BACKEND", "4 b/BACKEND"][..]),
        (2, &["3 a/BACKEND", "4 b/BACKEND"]),
        (4, &[]),
    ] {
        let (mut reader, mut rows) = (reader(), Names::default());
        push(&mut reader.reply(&mut rows).only(types), &list(), 1000);
        assert_eq!(rows.rows, expected);
        reader.proxies().keep_with(4);
        let mut commands = String::new();
        reader.proxies().write_commands(0..2, 4, &mut commands);
        assert_eq!(commands, "show stat 3 4 -1;show stat 4 4 -1");
    }
}

/// The row that shows that there is no header is looked at twice, and its lines are counted once.
#[test]
fn lines_without_a_header() {
    let rows = [
        row("\"w\ne\nb\"", "FRONTEND", 2, 0),
        row("a", "BACKEND", 3, 1),
    ];
    let (mut reader, mut names) = (reader(), Names::default());
    let input = rows.concat() + "\n";
    push(&mut reader.reply(&mut names), &input, input.len());
    assert_eq!(names.rows, ["1 w\ne\nb/FRONTEND", "4 a/BACKEND"]);
}

/// Several answers are one reply, whatever pieces they come in; what is behind the last is not its.
#[test]
fn answers_of_a_group() {
    let first = format!("{HEADER}{}{}\n", row("a", "s1", 3, 2), row("a", "s2", 3, 2));
    // After a reload the number may be another proxy's.
    let other = format!("{HEADER}{}\n", row("x", "s1", 4, 2));
    let second = format!("{HEADER}{}\n", row("b", "s1", 4, 2));
    let gone = format!("{HEADER}\n");
    let cases = [
        (&second, &["7 a/s1", "8 a/s2", "11 b/s1"][..]),
        (&other, &["7 a/s1", "8 a/s2"]),
        (&gone, &["7 a/s1", "8 a/s2"]),
    ];
    for (second, expected) in cases {
        let input = format!("{first}{second}Name: HAProxy\n\n");
        for size in [1, 7, 100, input.len()] {
            let (mut reader, mut rows) = (reader(), Names::default());
            push(&mut reader.reply(&mut rows).only(0), &list(), 1000);
            reader.proxies().keep_with(4);
            let taken = push(&mut reader.reply_of(0..2, &mut rows), &input, size);
            assert_eq!(taken, first.len() + second.len());
            assert_eq!(rows.rows, expected);
            // The columns are those of the first answer.
            assert_eq!(rows.begun, 1);
            assert!(!reader.has_no_row());
        }
    }
}

/// Each answer of a group needs its empty line, and must be one.
#[test]
fn groups_that_are_not_whole() {
    let first = format!("{HEADER}{}\n", row("a", "s1", 3, 2));
    let cut = TableError::Cut(Proof::EmptyLine);
    let cases = [
        (first.clone(), TableError::Empty(Proof::EmptyLine)),
        (format!("{first}{HEADER}"), cut.clone()),
        (format!("{first}{HEADER}b,s"), cut),
        (
            format!("{first}Permission denied\n\n"),
            TableError::NotStatistics("Permission denied".to_owned()),
        ),
        (
            format!("Permission denied\n\n{first}"),
            TableError::NotStatistics("Permission denied".to_owned()),
        ),
    ];
    for (input, expected) in cases {
        let (mut reader, mut rows) = (reader(), Names::default());
        push(&mut reader.reply(&mut rows), &list(), 1000);
        reader.proxies().keep_with(4);
        let mut reply = reader.reply_of(0..2, &mut rows);
        let result = reply
            .push(input.as_bytes())
            .and_then(|taken| reply.finish(&input.as_bytes()[taken.bytes..], Proof::EmptyLine));
        assert_eq!(result, Err(expected.into()), "{input:?}");
    }
}
