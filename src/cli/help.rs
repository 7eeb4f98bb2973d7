//! The text of `--help`: the table of flags in groups, for a terminal of 80 columns.

use super::flags::{self, ONCE};
use crate::config::Takes::{Optional, Switch, Value, Values};
use crate::config::{Flag, PID_FILE};

/// Columns of a terminal.
const WIDTH: usize = 80;
/// Indentation of the texts.
const INDENT: usize = 8;
/// A longer default would not fit into a line; the text of the flag describes it.
const LONGEST_DEFAULT: usize = 40;
/// The first flag of each group, and what the group is about.
const GROUPS: &[(&str, &str)] = &[
    (flags::SCRAPE_URI, "Source"),
    (flags::METRIC_NAMES, "What is exported"),
    (PID_FILE, "More metrics"),
    (flags::SSL_VERIFY, "TLS"),
    (flags::LISTEN_ADDRESS, "Listening"),
    (flags::LOG_LEVEL, "Logging"),
    (ONCE, "Instead of serving"),
];

/// The text of `--help`.
pub(super) fn text() -> String {
    let mut text = String::from(
        "usage: haproxy_exporter [<flags>]\n\n\
         Reads HAProxy's statistics at each request and serves them to Prometheus.\n",
    );
    for flag in flags::all() {
        if let Some((_, group)) = GROUPS.iter().find(|(first, _)| *first == flag.name) {
            text.push_str(&format!("\n{group}:\n"));
        }
        put(&mut text, &usage(flag), flag.help);
    }
    put(&mut text, "-h, --help", "Print this help");
    put(&mut text, "    --version", "Print the version");
    text.push_str("\n@FILE: read arguments from FILE, one per line.\n");
    text
}

/// A flag, and its text in lines of at most `WIDTH` columns.
fn put(text: &mut String, usage: &str, help: &str) {
    text.push_str("  ");
    text.push_str(usage);
    let mut column = WIDTH;
    for word in help.split(' ') {
        if column + 1 + word.len() > WIDTH {
            text.push('\n');
            text.push_str(&" ".repeat(INDENT));
            column = INDENT;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    text.push('\n');
}

fn usage(flag: &Flag) -> String {
    let name = flag.name;
    match flag.takes {
        Switch(true) => format!("    --[no-]{name} (on)"),
        Switch(false) => format!("    --[no-]{name}"),
        Optional(value, _) => format!("    --{name}[={value}]"),
        Value(_, default) | Values(_, default) if (1..LONGEST_DEFAULT).contains(&default.len()) => {
            format!("    --{name}={default:?}")
        }
        Value(placeholder, _) | Values(placeholder, _) => format!("    --{name}={placeholder}"),
    }
}
