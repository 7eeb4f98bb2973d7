//! Query parameters of HAProxy's own exporter, put to both.

use std::collections::BTreeSet;

use super::farm::Farm;
use super::live::{theirs, values};
use super::ours;
use super::text::Family;
use crate::support::peers;

/// The parameters that HAProxy 2.6 knows select the same series of both.
#[test]
fn parameters() {
    let Some(farm) = Farm::start() else { return };
    let exporter = ours::start(&[&farm.haproxy.unix_flag()]);
    let keys = |families: &[Family]| -> BTreeSet<String> { values(families).into_keys().collect() };
    let (all_theirs, all_ours) = (
        keys(&theirs(&farm, "")),
        keys(&ours::get(&exporter, "/metrics")),
    );
    let both = all_theirs.intersection(&all_ours);
    let both: BTreeSet<String> = both.cloned().collect();
    let mut compared = 0;
    for query in [
        "?scope=*",
        "?scope=",
        "?scope=global",
        "?scope=frontend",
        "?scope=backend",
        "?scope=server",
        "?scope=listener",
        "?scope=sticktable",
        "?scope=frontend&scope=listener",
        "?scope=frontend&scope=&scope=server",
        "?scope=*&scope=",
        "?scope=&scope=*",
        "?scope=%73erver",
        "?s%63ope=backend&scope=global",
        "?no-maint",
        "?no-maint=0",
        "?no-maint&scope=server",
        "?scope=backend&no-maint=",
        "?no-maint&no-maint",
        "?unknown=1&scope=frontend&x",
        "?Scope=frontend",
        "?NO-MAINT",
        "?&&scope=frontend&",
    ] {
        let of_both = |families: &[Family]| -> BTreeSet<String> {
            let mut keys = keys(families);
            keys.retain(|key| both.contains(key));
            keys
        };
        let theirs = of_both(&theirs(&farm, query));
        let ours = of_both(&ours::get(&exporter, &format!("/metrics{query}")));
        let missing: Vec<_> = theirs.difference(&ours).take(9).collect();
        let extra: Vec<_> = ours.difference(&theirs).take(9).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "{query}: {missing:#?}, {extra:#?}"
        );
        compared += theirs.len();
    }
    peers::note(&format!("{compared} series of 23 queries"));
    for query in [
        "?scope",
        "?scope=nope",
        "?scope=Frontend",
        "?scope=frontend,backend",
        "?scope=frontend&scope=x",
        "?scope=front end",
        "?scope=a=b",
    ] {
        let query = query.replace(' ', "%20");
        let statuses = [
            farm.get_builtin(&query).status,
            exporter.get(&format!("/metrics{query}")).status,
        ];
        assert_eq!(statuses, [400, 400], "{query}");
    }
}
