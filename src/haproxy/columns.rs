//! The columns of `show stat` by name (management guide, section 9.1). Only this file contains
//! column numbers.
//!
//! HAProxy only ever appends columns, so a number means the same column in every release. Still,
//! positions are taken from the header line of each reply, so that a HAProxy with other positions
//! is read correctly.

/// Names of all columns. The first [`NUMBERED`] have their own index as position in every reply.
#[rustfmt::skip]
pub(crate) const COLUMNS: [&str; 213] = [
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
    // The position of the following columns is known only from the header: a column of 3.5, then
    // those of the modules.
    "cache_hint_hits",
    // ssl
    "ssl_sess", "ssl_reused_sess", "ssl_failed_handshake", "ssl_ocsp_staple",
    "ssl_failed_ocsp_staple",
    // h1
    "h1_open_connections", "h1_open_streams", "h1_total_connections", "h1_total_streams",
    "h1_bytes_in", "h1_bytes_out", "h1_spliced_bytes_in", "h1_spliced_bytes_out",
    // h2
    "h2_headers_rcvd", "h2_data_rcvd", "h2_settings_rcvd", "h2_rst_stream_rcvd", "h2_goaway_rcvd",
    "h2_detected_conn_protocol_errors", "h2_detected_strm_protocol_errors", "h2_rst_stream_resp",
    "h2_goaway_resp", "h2_open_connections", "h2_backend_open_streams", "h2_total_connections",
    "h2_backend_total_streams",
    // h3
    "h3_data", "h3_headers", "h3_cancel_push", "h3_push_promise", "h3_max_push_id", "h3_goaway",
    "h3_settings", "h3_no_error", "h3_general_protocol_error", "h3_internal_error",
    "h3_stream_creation_error", "h3_closed_critical_stream", "h3_frame_unexpected",
    "h3_frame_error", "h3_excessive_load", "h3_id_error", "h3_settings_error",
    "h3_missing_settings", "h3_request_rejected", "h3_request_cancelled", "h3_request_incomplete",
    "h3_message_error", "h3_connect_error", "h3_version_fallback", "pack_decompression_failed",
    "qpack_encoder_stream_error", "qpack_decoder_stream_error",
    // quic
    "quic_rxbuf_full", "quic_dropped_pkt", "quic_dropped_pkt_bufoverrun",
    "quic_dropped_parsing_pkt", "quic_socket_full", "quic_sendto_err", "quic_sendto_err_unknwn",
    "quic_sent_pkt", "quic_lost_pkt", "quic_too_short_dgram", "quic_retry_sent",
    "quic_retry_validated", "quic_retry_error", "quic_half_open_conn", "quic_hdshk_fail",
    "quic_stless_rst_sent", "quic_conn_migration_done", "quic_transp_err_no_error",
    "quic_transp_err_internal_error", "quic_transp_err_connection_refused",
    "quic_transp_err_flow_control_error", "quic_transp_err_stream_limit_error",
    "quic_transp_err_stream_state_error", "quic_transp_err_final_size_error",
    "quic_transp_err_frame_encoding_error", "quic_transp_err_transport_parameter_error",
    "quic_transp_err_connection_id_limit", "quic_transp_err_protocol_violation_error",
    "quic_transp_err_invalid_token", "quic_transp_err_application_error",
    "quic_transp_err_crypto_buffer_exceeded", "quic_transp_err_key_update_error",
    "quic_transp_err_aead_limit_reached", "quic_transp_err_no_viable_path",
    "quic_transp_err_crypto_error", "quic_transp_err_unknown_error", "quic_data_blocked",
    "quic_stream_data_blocked", "quic_streams_blocked_bidi", "quic_streams_blocked_uni",
    "quic_ncbuf_gap_limit",
];

/// Number of columns with the same number in every release (3.4 prints them all).
pub(crate) const NUMBERED: usize = 118;

/// The modules with their own counters, and their columns.
pub(crate) const MODULES: [(&str, std::ops::Range<usize>); 5] = [
    ("ssl", 119..124),
    ("h1", 124..132),
    ("h2", 132..145),
    ("h3", 145..172),
    ("quic", 172..213),
];

/// The index of a column in [`COLUMNS`].
pub(crate) const fn number(name: &str) -> u16 {
    index_of(&COLUMNS, name)
}

/// The index of a name in a table of names; an unknown name does not compile.
pub(crate) const fn index_of(names: &[&str], name: &str) -> u16 {
    let mut at = 0;
    while at < names.len() {
        if equal(names[at].as_bytes(), name.as_bytes()) {
            return at as u16;
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

/// The positions of the columns in the current reply.
#[derive(Debug)]
pub(crate) struct Header {
    /// The header line of these positions; empty if there was none.
    line: Vec<u8>,
    /// The position of each of [`COLUMNS`]; `ABSENT` if the reply lacks it.
    positions: Box<[u16; COLUMNS.len()]>,
}

/// No reply has this many columns: rows with more fields are rejected.
const ABSENT: u16 = u16::MAX;

impl Default for Header {
    fn default() -> Self {
        let mut header = Self {
            line: Vec::new(),
            positions: Box::new([ABSENT; COLUMNS.len()]),
        };
        header.forget();
        header
    }
}

impl Header {
    /// Returns to the numbers, for a reply without a header.
    pub(crate) fn forget(&mut self) {
        self.line.clear();
        for (number, position) in self.positions.iter_mut().enumerate() {
            *position = if number < NUMBERED {
                number as u16
            } else {
                ABSENT
            };
        }
    }

    /// Reads a header line, `# pxname,svname,...`, unless it equals the previous one.
    pub(crate) fn read(&mut self, line: &[u8]) {
        if self.line == line {
            return;
        }
        self.line.clear();
        self.line.extend_from_slice(line);
        self.positions.fill(ABSENT);
        // HAProxy appends columns, so the next name is nearly always the one after the last found.
        let mut expected = 0;
        for (position, name) in names(line).enumerate().take(usize::from(ABSENT)) {
            let is_name = |number: &usize| COLUMNS[*number].as_bytes() == name;
            let found = Some(expected)
                .filter(|number| *number < COLUMNS.len() && is_name(number))
                .or_else(|| (0..COLUMNS.len()).find(is_name));
            let Some(number) = found else {
                continue;
            };
            expected = number + 1;
            if self.positions[number] == ABSENT {
                self.positions[number] = position as u16;
            }
        }
    }

    /// The position of a column of [`COLUMNS`], if the reply has it.
    pub(crate) fn position(&self, number: u16) -> Option<usize> {
        let position = self.positions[usize::from(number)];
        (position != ABSENT).then_some(usize::from(position))
    }

    /// Number of fields of the header; `None` without a header.
    pub(crate) fn field_count(&self) -> Option<usize> {
        (!self.line.is_empty()).then(|| names(&self.line).count())
    }
}

fn names(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let names = line.strip_prefix(b"# ").unwrap_or(line);
    names.split(|byte| *byte == b',')
}

#[cfg(test)]
mod tests;
