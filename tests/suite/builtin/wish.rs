//! What a query string asks for, read in the plainest code, and what remains of a whole answer.

use std::collections::BTreeSet;

use super::contract;
use super::ours::is_own;
use super::text::Family;

const SCOPES: [&str; 7] = [
    "global",
    "frontend",
    "backend",
    "server",
    "listener",
    "sticktable",
    "resolver",
];

/// What one request wants.
#[derive(Debug)]
pub(super) struct Wish {
    /// `exporter` or `builtin`, where it says so.
    pub(super) names: Option<String>,
    scopes: BTreeSet<String>,
    no_maint: bool,
    has_extra: bool,
    /// Whether to keep a name or to leave it out, in their order.
    metrics: Vec<(bool, String)>,
    /// The names that `extra-counters` adds.
    extra: BTreeSet<String>,
}

impl Wish {
    /// Why it is rejected: something is to be kept, and no name is that of a metric.
    pub(super) fn names_nothing(&self, all: &[Family]) -> Option<String> {
        let is_known = |name: &String| all.iter().any(|family| family.name == *name);
        let keeps = self.metrics.iter().any(|(keep, _)| *keep);
        let names: Vec<&String> = self.metrics.iter().map(|(_, name)| name).collect();
        if !keeps || names.iter().any(|name| is_known(name)) {
            return None;
        }
        let shown: Vec<String> = names
            .iter()
            .take(3)
            .map(|name| format!("{name:?}"))
            .collect();
        let more = match names.len() {
            0..=3 => String::new(),
            count => format!(" and {} more", count - 3),
        };
        Some(format!(
            "metrics: no metric is called {}{more}\n",
            shown.join(", ")
        ))
    }

    /// A query without its question mark, which must be one that is answered.
    pub(super) fn read(query: &str) -> Wish {
        let mut wish = Wish {
            names: None,
            scopes: SCOPES.map(str::to_owned).into(),
            no_maint: false,
            has_extra: false,
            metrics: Vec::new(),
            extra: extra_names(),
        };
        let mut is_first = true;
        for part in query.split('&') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = decode(value);
            match decode(key).as_str() {
                "names" => wish.names = Some(value),
                "no-maint" => wish.no_maint = true,
                "extra-counters" => wish.has_extra = true,
                "metrics" => wish.metrics.extend(value.split(',').filter_map(|item| {
                    let name = item.strip_prefix('-').unwrap_or(item);
                    (!name.is_empty()).then(|| (name == item, name.to_owned()))
                })),
                "scope" => {
                    if std::mem::take(&mut is_first) || value.is_empty() {
                        wish.scopes.clear();
                    }
                    match value.as_str() {
                        "*" => wish.scopes = SCOPES.map(str::to_owned).into(),
                        _ => wish.scopes.extend([value]),
                    }
                }
                _ => {}
            }
        }
        wish
    }

    /// What this request gets of the whole answer, extra counters included, of a HAProxy whose servers
    /// in maintenance are these `(proxy, server)`.
    pub(super) fn of(&self, all: &[Family], maint: &[(String, String)]) -> Vec<Family> {
        let wanted = all.iter().filter(|family| self.has(family)).cloned();
        let wanted = wanted.map(|mut family| {
            if self.no_maint && family.name.starts_with("haproxy_server_") {
                family.samples.retain(|sample| {
                    let values: Vec<&String> = sample.labels.iter().map(|label| &label.1).collect();
                    !maint
                        .iter()
                        .any(|(proxy, server)| values[..2] == [proxy, server])
                });
            }
            family
        });
        wanted.filter(|family| !family.samples.is_empty()).collect()
    }

    fn has(&self, family: &Family) -> bool {
        let name = &family.name;
        let scope = SCOPES
            .iter()
            .find(|scope| name.starts_with(&format!("haproxy_{scope}_")));
        // Counts of servers need the servers' rows.
        let scope = match name.as_str() {
            "haproxy_servers" => "server",
            _ => scope.copied().unwrap_or("global"),
        };
        // The exporter's own belong to no scope.
        let in_scope = is_own(name) || self.scopes.contains(scope);
        let is_extra = self.extra.contains(name);
        let keeps_only_named = self.metrics.iter().any(|(keeps, _)| *keeps);
        let mention = self
            .metrics
            .iter()
            .rev()
            .find(|(_, mentioned)| mentioned == name);
        let is_kept = mention.map_or(!keeps_only_named, |(keeps, _)| *keeps);
        in_scope && is_kept && (self.has_extra || !is_extra)
    }
}

/// Percent signs and pluses.
fn decode(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = u8::from_str_radix(&part[..2], 16).expect("two digits");
        plain.push(char::from(code));
        plain += &part[2..];
    }
    plain
}

fn extra_names() -> BTreeSet<String> {
    let extra = contract::lines()
        .into_iter()
        .filter(|line| line.set == "extra");
    extra.map(|line| line.name).collect()
}
