//! Makes CSV answers for the tests.

use std::fmt::Write;

/// The columns of HAProxy 1.5. A row has one field more: an empty one after its last comma.
pub(crate) const FIELDS: usize = 62;

/// The start of HAProxy 1.5's header line; how a reader knows that the text is a stats answer.
pub(crate) const HEADER: &str = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,rate_max,check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,req_rate,req_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,rtime,ttime,\n";

/// A row of type 0 (frontend) with the given cells set and the rest empty.
pub(crate) fn frontend(name: &str, cells: &[(usize, &str)]) -> String {
    row(&[&[(0, name), (1, "FRONTEND"), (32, "0")], cells].concat())
}

/// A row of type 1 (backend).
pub(crate) fn backend(name: &str, cells: &[(usize, &str)]) -> String {
    row(&[&[(0, name), (1, "BACKEND"), (32, "1")], cells].concat())
}

/// A row of type 2 (server).
pub(crate) fn server(backend: &str, name: &str, cells: &[(usize, &str)]) -> String {
    row(&[&[(0, backend), (1, name), (32, "2")], cells].concat())
}

/// A row of [`FIELDS`] fields with HAProxy's trailing comma. Later cells win over earlier ones.
pub(crate) fn row(cells: &[(usize, &str)]) -> String {
    let mut row = String::new();
    for column in 0..FIELDS {
        let text = cells
            .iter()
            .rev()
            .find(|(at, _)| *at == column)
            .map_or("", |(_, text)| text);
        write!(row, "{text},").expect("writing to a String");
    }
    row + "\n"
}

/// A whole CLI answer: header, rows, the empty line that proves it complete.
pub(crate) fn answer(rows: &[String]) -> Vec<u8> {
    format!("{HEADER}{}\n", rows.concat()).into_bytes()
}

/// A value of `show info`: a field of the CSV from HAProxy 1.7 on, as it is before.
pub(crate) fn info_value(text: &str, version: &str) -> String {
    let is_old = ["1.3", "1.4", "1.5", "1.6"]
        .iter()
        .any(|old| version.starts_with(old));
    match text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    {
        Some(inner) if !is_old => inner.replace("\"\"", "\""),
        _ => text.to_owned(),
    }
}
