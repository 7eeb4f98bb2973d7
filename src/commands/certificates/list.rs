//! Reads the replies about certificates into one list.

use super::ask::{SHOW_SSL_CERT, SHOW_SSL_SNI, command};
use super::date::seconds;
use crate::haproxy::failures::excerpt;
use crate::haproxy::limits::MAX_NAME_BYTES;
use crate::haproxy::reply::{Proof, Reply, ReplyError, Taken};

/// The reply below level operator.
const DENIED: &[u8] = b"Can't allocate memory!";
/// Maximum number of certificates: each is a sample of each scrape.
pub(super) const MAX_CERTIFICATES: usize = 10_000;
/// Size in bytes of a name's entry in the list, without the name.
const ENTRY_BYTES: usize = 64;
/// Maximum length of a line of a reply; HAProxy prints no longer ones.
pub(super) const MAX_ANSWER_LINE_BYTES: usize = 64 * 1024;
/// How the reply to `show info` begins, which follows on the connection.
const NEXT_REPLY: &[u8] = b"Name: ";

/// The kind of reply that is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    #[default]
    Sni,
    Names,
    /// A reply for each file.
    Details,
}

/// Names of files, and when the certificate of each expires, in seconds since 1970-01-01 UTC.
#[derive(Debug, Default)]
pub(super) struct List {
    form: Form,
    files: Vec<File>,
    /// Positions of the files, in the order of their names.
    order: Vec<u16>,
    columns: Option<Columns>,
    /// Rows of `show ssl sni` that could not be read.
    bad_rows: usize,
    /// Whether the names that follow are those of loaded files, and not of a transaction.
    is_loaded: bool,
    /// Positions of the files whose replies are expected, in their order.
    asked: Vec<u16>,
    /// The expiry of each of them.
    ends: Vec<Option<i64>>,
    /// How far the current reply about a file was read.
    at: At,
    /// Number of empty lines.
    replies: usize,
    /// Whether the last line was one.
    ends_blank: bool,
    lines: usize,
    error: Option<ReplyError>,
}

/// A file, and when its certificate expires, if that is known.
#[derive(Debug)]
struct File {
    name: Vec<u8>,
    end: Option<i64>,
}

/// Positions in the rows of `show ssl sni`.
#[derive(Clone, Copy, Debug)]
struct Columns {
    count: usize,
    file: usize,
    end: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// It has not named the file yet.
    #[default]
    Start,
    /// The expiry follows.
    File,
    /// What follows are texts that the certificate's owner chose.
    End,
}

impl List {
    /// The next reply is of this form; of details there is one for each of these files.
    pub(super) fn expect(&mut self, form: Form, asked: &[u16]) {
        self.form = form;
        self.asked.clear();
        self.asked.extend_from_slice(asked);
        self.ends.clear();
        self.ends.resize(asked.len(), None);
        self.at = At::Start;
        self.replies = 0;
        self.ends_blank = false;
        self.lines = 0;
    }

    /// Takes over what the replies say, if there was one for each file. The first one to a single command is
    /// the right one in any case. Returns whether they were taken.
    pub(super) fn take_details(&mut self) -> bool {
        let is_right = self.replies == self.asked.len() || self.asked.len() == 1;
        if is_right {
            for (at, end) in self.asked.iter().zip(&self.ends) {
                self.files[usize::from(*at)].end = *end;
            }
        }
        is_right
    }

    /// The line of commands for files whose expiry is not known, from the position `from` on, and their positions:
    /// as many as fit into `most_bytes`, or one.
    pub(super) fn next_unread(&self, from: u16, most_bytes: usize) -> (String, Vec<u16>) {
        let mut line = String::new();
        let mut asked = Vec::new();
        for at in from..self.len() {
            let file = &self.files[usize::from(at)];
            if file.end.is_none() && let Some(command) = command(&file.name) {
                if !asked.is_empty() && line.len() + command.len() >= most_bytes {
                    break;
                }
                if !asked.is_empty() {
                    line.push(';');
                }
                line.push_str(&command);
                asked.push(at);
            }
        }
        (line, asked)
    }

    /// How many files could not be read, and the first of them.
    pub(super) fn unread(&self) -> (usize, Option<&[u8]>) {
        let mut unread = self.files.iter().filter(|file| file.end.is_none());
        let first = unread.next().map(|file| &file.name[..]);
        (unread.count() + usize::from(first.is_some()), first)
    }

    /// Number of rows of `show ssl sni` that could not be read.
    pub(super) fn bad_rows(&self) -> usize {
        self.bad_rows
    }

    /// All certificates whose expiry is known.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], i64)> {
        let files = self.files.iter();
        files.filter_map(|file| Some((&file.name[..], file.end?)))
    }

    /// Number of files.
    pub(super) fn len(&self) -> u16 {
        self.order.len() as u16
    }

    /// Size of the list in bytes.
    pub(super) fn kept_bytes(&self) -> usize {
        let names = self.files.iter().map(|file| file.name.len()).sum::<usize>();
        names + self.files.len() * ENTRY_BYTES
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), ReplyError> {
        self.lines += 1;
        match self.form {
            Form::Sni => self.take_row(line),
            Form::Names => self.take_name(line),
            Form::Details => self.take_detail(line),
        }
    }

    /// The columns are identified by the header. A name with a line end or a tab in it spoils its own row.
    fn take_row(&mut self, line: &[u8]) -> Result<(), ReplyError> {
        let cells = || line.split(|byte| *byte == b'\t');
        let Some(columns) = self.columns else {
            let at = |name: &[u8]| cells().position(|cell| cell == name);
            let columns = at(b"Filename").zip(at(b"NotAfter"));
            self.columns = columns.map(|(file, end)| Columns {
                count: cells().count(),
                file,
                end,
            });
            let is_header = columns.is_some() && line.starts_with(b"# ");
            return is_header.then_some(()).ok_or_else(|| self.refused(line));
        };
        let file = cells().nth(columns.file);
        let end = cells().nth(columns.end).and_then(seconds);
        match file.zip(end) {
            Some((file, end)) if cells().count() == columns.count => self.put(file, Some(end)),
            _ => {
                self.bad_rows += 1;
                Ok(())
            }
        }
    }

    /// `# filename`, and before it possibly `# transaction` with uncommitted files: `*/path`.
    fn take_name(&mut self, line: &[u8]) -> Result<(), ReplyError> {
        if line.starts_with(b"# ") {
            self.is_loaded = line == b"# filename";
        } else if self.lines == 1 {
            return Err(self.refused(line));
        } else if self.is_loaded {
            self.put(line, None)?;
        }
        Ok(())
    }

    /// For a file that was deleted meanwhile, or a bundle, the reply is another line: it has no
    /// expiry.
    fn take_detail(&mut self, line: &[u8]) -> Result<(), ReplyError> {
        if line == DENIED {
            return Err(self.refused(line));
        }
        let Some(asked) = self.asked.get(self.replies) else {
            return Ok(());
        };
        let asked = &self.files[usize::from(*asked)].name;
        match self.at {
            At::Start if line.strip_prefix(b"Filename: ") == Some(asked) => self.at = At::File,
            At::File => {
                if let Some(end) = line.strip_prefix(b"notAfter: ") {
                    self.ends[self.replies] = seconds(end);
                    self.at = At::End;
                }
            }
            At::Start | At::End => {}
        }
        Ok(())
    }

    /// The reply contains a line of another command.
    fn refused(&self, line: &[u8]) -> ReplyError {
        ReplyError::OfAnotherKind(self.command(), excerpt(line))
    }

    fn command(&self) -> &'static str {
        match self.form {
            Form::Sni => SHOW_SSL_SNI,
            Form::Names | Form::Details => SHOW_SSL_CERT,
        }
    }

    /// Of two rows about one file the earlier expiry counts.
    fn put(&mut self, file: &[u8], end: Option<i64>) -> Result<(), ReplyError> {
        if file.len() > MAX_NAME_BYTES {
            return Err(ReplyError::NameTooLong(self.lines as u64));
        }
        let files = &self.files;
        let name = |at: &u16| &files[usize::from(*at)].name[..];
        match self.order.binary_search_by(|at| name(at).cmp(file)) {
            Ok(at) => {
                let known = &mut self.files[usize::from(self.order[at])].end;
                *known = known.map(|known| end.map_or(known, |end| end.min(known)));
            }
            Err(_) if files.len() == MAX_CERTIFICATES => {
                return Err(ReplyError::TooMany(MAX_CERTIFICATES, "certificates"));
            }
            Err(at) => {
                self.order.insert(at, self.len());
                let name = file.to_vec();
                self.files.push(File { name, end });
            }
        }
        Ok(())
    }
}

impl Reply for List {
    /// Names of files and texts within certificates can have empty lines: the one before the next reply ends it.
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        let mut bytes = 0;
        while let Some(end) = memchr::memchr(b'\n', &input[bytes..]) {
            let line = &input[bytes..bytes + end];
            let next = &input[bytes + end + 1..];
            if line.is_empty() && next.len() < NEXT_REPLY.len() && NEXT_REPLY.starts_with(next) {
                return Ok(Taken { bytes, ends: false });
            }
            bytes += end + 1;
            self.ends_blank = line.is_empty();
            if line.is_empty() {
                self.replies += 1;
                self.at = At::Start;
                if next.starts_with(NEXT_REPLY) {
                    return Ok(Taken { bytes, ends: true });
                }
            } else if line.len() > MAX_ANSWER_LINE_BYTES {
                return Err(self.refused(line));
            } else if self.error.is_none() {
                self.error = self.take_line(line).err();
            }
        }
        // Do not wait for the end of a line that is too long.
        match &input[bytes..] {
            line if line.len() > MAX_ANSWER_LINE_BYTES => Err(self.refused(line)),
            _ => Ok(Taken { bytes, ends: false }),
        }
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        // Where no reply follows, the empty line was not taken.
        self.replies += usize::from(rest == b"\n");
        match rest {
            b"" if !self.ends_blank => Err(ReplyError::Cut(Proof::EmptyLine)),
            b"" | b"\n" if self.lines > 0 => Ok(()),
            b"" | b"\n" => Err(ReplyError::Nothing("HAProxy lists no certificates")),
            _ => Err(ReplyError::Cut(Proof::EmptyLine)),
        }
    }

    fn is_denial(&self, error: &ReplyError) -> bool {
        matches!(error, ReplyError::OfAnotherKind(_, line) if line.as_bytes() == DENIED)
    }
}
