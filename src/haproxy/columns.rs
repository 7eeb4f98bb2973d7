//! The columns of `show stat` by name (management guide, section 9.1). Only this file contains
//! column numbers.
//!
//! HAProxy only ever appends columns, so a number means the same column in every release. Still,
//! positions are taken from the header line of each reply, so that a HAProxy with other positions
//! is read correctly.

/// The columns with the same position in every release, which is their number. 3.4 prints them all; later
/// ones and those of modules are found by the header alone.
#[rustfmt::skip]
pub(crate) const NUMBERED: [&str; 118] = [
    "pxname", "svname", "qcur", "qmax", "scur", "smax", "slim", "stot", "bin", "bout", "dreq",
    "dresp", "ereq", "econ", "eresp", "wretr", "wredis", "status", "weight", "act", "bck",
    "chkfail", "chkdown", "lastchg", "downtime", "qlimit", "pid", "iid", "sid", "throttle", "lbtot",
    "tracked", "type", "rate", "rate_lim", "rate_max", "check_status", "check_code",
    "check_duration", "hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other",
    "hanafail", "req_rate", "req_rate_max", "req_tot", "cli_abrt", "srv_abrt", "comp_in",
    "comp_out", "comp_byp", "comp_rsp", "lastsess", "last_chk", "last_agt", "qtime", "ctime",
    "rtime", "ttime", "agent_status", "agent_code", "agent_duration", "check_desc", "agent_desc",
    "check_rise", "check_fall", "check_health", "agent_rise", "agent_fall", "agent_health", "addr",
    "cookie", "mode", "algo", "conn_rate", "conn_rate_max", "conn_tot", "intercepted", "dcon",
    "dses", "wrew", "connect", "reuse", "cache_lookups", "cache_hits", "srv_icur", "src_ilim",
    "qtime_max", "ctime_max", "rtime_max", "ttime_max", "eint", "idle_conn_cur", "safe_conn_cur",
    "used_conn_cur", "need_conn_est", "uweight", "agg_server_status", "agg_server_check_status",
    "agg_check_status", "srid", "sess_other", "h1sess", "h2sess", "h3sess", "req_other", "h1req",
    "h2req", "h3req", "proto", "priv_idle_cur", "reqbin", "reqbout", "resbin", "resbout",
];

/// The number of a column that has one.
pub(crate) fn number(name: &str) -> Option<usize> {
    NUMBERED.iter().position(|column| *column == name)
}

/// The same name; one without a number does not compile in a constant.
pub(crate) const fn numbered(name: &'static str) -> &'static str {
    let mut at = 0;
    while at < NUMBERED.len() {
        if equal(NUMBERED[at].as_bytes(), name.as_bytes()) {
            return name;
        }
        at += 1;
    }
    panic!("no such column");
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The columns of the current reply.
#[derive(Debug, Default)]
pub(crate) struct Header {
    /// The header line; empty if there was none.
    line: Vec<u8>,
    changes: u64,
    /// The number of fields of the rows, if HAProxy cut the line.
    cut: Option<usize>,
    /// Positions in a cut line from here on are uncertain.
    uncertain_from: usize,
    /// The last header that was cut.
    known_cut: Option<CutHeader>,
}

/// A header that HAProxy cuts, and the number of fields of its rows.
pub(crate) type CutHeader = Box<(Vec<u8>, usize)>;

/// Longer than any name. HAProxy builds the header in a buffer of `tune.bufsize`. It leaves out each name that
/// does not fit there (`chunk_appendf`), while a shorter one after it can fit: in these last bytes of a cut
/// header, a name can have the position of another one.
const UNCERTAIN_BYTES: usize = 64;

/// A header has no more columns that count: rows with more fields are rejected.
const MOST: usize = u16::MAX as usize;

impl Header {
    /// Returns to the numbers, for a reply without a header.
    pub(crate) fn forget(&mut self) {
        if !self.line.is_empty() {
            self.line.clear();
            self.changes += 1;
            self.cut = None;
        }
    }

    /// Reads a header line, `# pxname,svname,...`, unless it equals the previous one.
    pub(crate) fn read(&mut self, line: &[u8]) {
        if self.line != line {
            self.line.clear();
            self.line.extend_from_slice(line);
            self.changes += 1;
            self.cut = None;
        }
        let known = self.known_cut.as_deref();
        let known = known.filter(|(known, _)| known == line);
        self.cut_at(known.map(|(_, fields)| *fields));
    }

    /// Exchanges the last header that was cut: that of another HAProxy instance is read next.
    pub(super) fn swap_known_cut(&mut self, other: &mut Option<CutHeader>) {
        std::mem::swap(&mut self.known_cut, other);
    }

    /// How often it has changed: as long as it does not, positions stay.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Sets how many fields the rows have if HAProxy cut this header; `None` if it did not.
    pub(crate) fn set_cut(&mut self, row_fields: Option<usize>) {
        self.known_cut = row_fields.map(|fields| Box::new((self.line.clone(), fields)));
        self.cut_at(row_fields);
    }

    fn cut_at(&mut self, row_fields: Option<usize>) {
        if self.cut != row_fields {
            self.cut = row_fields;
            self.changes += 1;
            let certain = self.line.len().saturating_sub(UNCERTAIN_BYTES);
            self.uncertain_from = names(&self.line[..certain]).count().saturating_sub(1);
        }
    }

    /// How many fields the rows have, if HAProxy cut this header.
    pub(crate) fn cut(&self) -> Option<usize> {
        self.cut
    }

    /// The position of a column, if the reply has it.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        match self.line.is_empty() {
            true => number(name),
            false => names(&self.line)
                .take(MOST)
                .position(|column| column == name.as_bytes())
                .filter(|position| !self.is_uncertain(name, *position)),
        }
    }

    /// Whether a name can have the position of another one. The last one can lack its end.
    fn is_uncertain(&self, name: &str, position: usize) -> bool {
        let line = self.line.strip_suffix(b",").unwrap_or(&self.line);
        let is_last = || position + 1 >= names(line).count();
        self.cut.is_some()
            && position >= self.uncertain_from
            && (number(name) != Some(position) || is_last())
    }

    /// Number of fields of the rows: that of the header, unless it is cut; `None` without a header.
    pub(crate) fn field_count(&self) -> Option<usize> {
        self.cut.or_else(|| self.name_count())
    }

    /// Number of names of the header; `None` without a header.
    pub(crate) fn name_count(&self) -> Option<usize> {
        (!self.line.is_empty()).then(|| names(&self.line).count())
    }
}

fn names(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let names = line.strip_prefix(b"# ").unwrap_or(line);
    names.split(|byte| *byte == b',')
}

#[cfg(test)]
mod tests;
