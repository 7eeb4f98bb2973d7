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

fn row(proxy: &str, name: &str, iid: u32, row_type: u8) -> String {
    format!("{proxy},{name}{}{iid},,,,,{row_type},\n", ",".repeat(26))
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

/// The row that shows that there is no header is looked at twice, and its lines are counted once.
#[test]
fn lines_without_a_header() {
    let rows = [
        row("\"w\ne\nb\"", "FRONTEND", 2, 0),
        row("a", "BACKEND", 3, 1),
    ];
    let (mut reader, mut names) = (StatReader::new(Filter::default()), Names::default());
    let input = rows.concat() + "\n";
    push(&mut reader.reply(&mut names), &input, input.len());
    assert_eq!(names.rows, ["1 w\ne\nb/FRONTEND", "4 a/BACKEND"]);
}
