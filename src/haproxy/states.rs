//! The meaning of status texts (management guide, section 9.1, columns 17 and 36).

/// No state: the field is empty.
pub(crate) const NOTHING: u8 = u8::MAX;
/// A status that is none of the known states.
pub(crate) const OTHER: u8 = u8::MAX - 1;

/// States of a listener, in the order of their numbers.
pub(crate) const LISTENER_STATES: [&str; 3] = ["WAITING", "OPEN", "FULL"];
/// States of a server, in the order of their numbers; frontends and backends have the first two.
pub(crate) const SERVER_STATES: [&str; 5] = ["DOWN", "UP", "MAINT", "DRAIN", "NOLB"];
/// The status of a server without checks.
pub(crate) const NO_CHECK: &str = "no check";
/// The number of MAINT.
pub(crate) const MAINT: u8 = 2;
/// Results of a health or agent check, in the order of their numbers, which are the same in every
/// release.
pub(crate) const CHECK_RESULTS: [&str; 16] = [
    "HANA", "SOCKERR", "L4OK", "L4TOUT", "L4CON", "L6OK", "L6TOUT", "L6RSP", "L7TOUT", "L7RSP",
    "L7OK", "L7OKC", "L7STS", "PROCERR", "PROCTOUT", "PROCOK",
];

/// Whether a server, backend or frontend of this status takes traffic. Words in brackets (`DOWN
/// (agent)`) and counts of checks (`UP 1/3`, `UP -1/3`) are ignored.
pub(crate) fn takes_traffic(status: &[u8]) -> bool {
    let is_up = |status: &[u8]| matches!(status, b"UP" | b"OPEN" | b"DRAIN" | b"no check");
    // Most statuses have nothing to strip.
    is_up(status) || is_up(bare(status))
}

/// The status without its suffix: ` (words in brackets)`, then ` n/m`.
pub(crate) fn bare(status: &[u8]) -> &[u8] {
    let status = match memchr::memmem::find(status, b" (") {
        Some(at) if status.ends_with(b")") => &status[..at],
        _ => status,
    };
    match memchr::memrchr(b' ', status) {
        Some(at) if is_count(&status[at + 1..]) => &status[..at],
        _ => status,
    }
}

/// `n/m`. HAProxy 2.6 also prints `-1/3`, for some seconds after the agent of a failing server was
/// configured.
fn is_count(text: &[u8]) -> bool {
    let Some(slash) = memchr::memchr(b'/', text) else {
        return false;
    };
    let is_number = |part: &[u8]| {
        let digits = part.strip_prefix(b"-").unwrap_or(part);
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    };
    is_number(&text[..slash]) && is_number(&text[slash + 1..])
}

/// The number of a frontend's state: stopped is down, everything else (OPEN, PAUSED, FULL) is up.
pub(crate) fn frontend_state(status: &[u8]) -> u8 {
    match status {
        b"" => NOTHING,
        status => u8::from(!status.starts_with(b"STOP")),
    }
}

/// The number of a backend's state; the text after `UP` counts its servers.
pub(crate) fn backend_state(status: &[u8]) -> u8 {
    match status {
        b"" => NOTHING,
        status => u8::from(status.starts_with(b"UP")),
    }
}

/// The number of a listener's state.
pub(crate) fn listener_state(status: &[u8]) -> u8 {
    number(&LISTENER_STATES, status)
}

/// The number of a server's state, from the first word of its status. A server without checks is
/// up.
pub(crate) fn server_state(status: &[u8]) -> u8 {
    // Nearly all servers have one of these.
    if status == b"UP" || status == NO_CHECK.as_bytes() {
        return 1;
    }
    let end = memchr::memchr(b' ', status).unwrap_or(status.len());
    number(&SERVER_STATES, &status[..end])
}

/// The number of a check's result. A check that is running again is marked `* `. A check without a
/// result yet (UNK, INI, CHECKED) has no number.
pub(crate) fn check_result(status: &[u8]) -> u8 {
    number(&CHECK_RESULTS, status.strip_prefix(b"* ").unwrap_or(status))
}

/// Why a server takes no new sessions though nobody found it down, in the order of the numbers: in MAINT by
/// an operator or the configuration, since the server that it tracks is, since its name has no address; in
/// DRAIN by an operator, by its agent; in NOLB by its check (`http-check disable-on-404`).
pub(crate) const OUT_OF_SERVICE: [&str; 6] =
    ["admin", "tracked", "resolution", "admin", "agent", "check"];
/// How many of these are about MAINT; the others are about DRAIN and NOLB.
pub(crate) const MAINTENANCE_REASONS: usize = 3;

/// The number of such a reason, or [`NOTHING`].
pub(crate) fn out_of_service(status: &[u8]) -> u8 {
    // Nearly all servers have another one.
    if !matches!(status.first(), Some(b'M' | b'D' | b'N')) {
        return NOTHING;
    }
    let end = memchr::memchr(b' ', status).unwrap_or(status.len());
    let (state, rest) = status.split_at(end);
    match state {
        b"MAINT" if rest == b" (resolution)" => 2,
        b"MAINT" => u8::from(rest.starts_with(b" (via ")),
        b"DRAIN" => 3 + u8::from(rest == b" (agent)"),
        b"NOLB" => 5,
        _ => NOTHING,
    }
}

/// Whether a backend takes requests by rules that name it: not so after `unpublish backend` (HAProxy 3.4),
/// which its status shows.
pub(crate) fn is_published(status: &[u8]) -> bool {
    !status.ends_with(b"(UNPUB)")
}

/// Whether an agent check has a result; without one its duration is meaningless.
pub(crate) fn has_result(status: &[u8]) -> bool {
    !matches!(
        status.strip_prefix(b"* ").unwrap_or(status),
        b"UNK" | b"INI"
    )
}

fn number(states: &[&str], status: &[u8]) -> u8 {
    if status.is_empty() {
        return NOTHING;
    }
    let found = states.iter().position(|state| state.as_bytes() == status);
    found.map_or(OTHER, |position| position as u8)
}

#[cfg(test)]
mod tests;
