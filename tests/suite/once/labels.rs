//! `--once=NAME` and `--label`: several HAProxy instances in one directory of textfiles.

use std::collections::BTreeSet;
use std::process::Command;

use tempfile::TempDir;

use super::{INFO, exposition, peers, reference};
use crate::support::exporter;
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::fixtures;

/// Both sets of names.
const NAMES: [&str; 2] = [
    "--haproxy.metric-names=exporter",
    "--haproxy.metric-names=builtin",
];

/// Standard output of one scrape that succeeds. The fakes answer two commands only, of which warnings tell.
fn once(flags: &[&str]) -> String {
    let (status, output, error) = peers::run(exporter::command().args(flags));
    assert_eq!(status.code(), Some(0), "{flags:?}: {error}");
    output
}

/// Each sample without the parts that differ from scrape to scrape, and the comments.
fn lines(text: &str) -> Vec<&str> {
    let name = |line: &str| {
        line.split(['{', ' '])
            .next()
            .is_some_and(reference::volatile)
    };
    text.lines().filter(|line| !name(line)).collect()
}

#[test]
fn each_sample_gets_the_labels_and_nothing_else_changes() {
    let directory = TempDir::new().expect("a temporary directory");
    let [stat, info] =
        ["stat.csv", "info.txt"].map(|file| fixtures::bytes(&format!("3.2.0/{file}")));
    let fake = Fake::unix(&directory.path().join("s"), Answers::whole(&stat, &info));
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    for names in NAMES {
        let flags = ["--once", &uri, names];
        let plain = once(&flags);
        let labels = ["--label=site=a\"b\\c\nd,x=\"", "--label", "_r2=\u{fc}{}"];
        let labelled = once(&[&flags[..], &labels].concat());
        let text = "site=\"a\\\"b\\\\c\\nd,x=\\\"\",_r2=\"\u{fc}{}\"";
        let expected = lines(&plain).into_iter().map(|line| {
            match (
                line.starts_with('#'),
                line.split_once('{'),
                line.split_once(' '),
            ) {
                (true, ..) => line.to_owned(),
                (_, Some((name, rest)), _) => format!("{name}{{{text},{rest}"),
                (_, None, Some((name, rest))) => format!("{name}{{{text}}} {rest}"),
                _ => panic!("{line}"),
            }
        });
        let expected: Vec<String> = expected.collect();
        assert!(expected.len() > 500, "{}", expected.len());
        assert_eq!(lines(&labelled), expected, "{names}");
        exposition::read(labelled.as_bytes()).expect("an exposition");
    }
}

#[test]
fn one_of_several_targets() {
    let directory = TempDir::new().expect("a temporary directory");
    let target = |name: &str, release: &str| {
        let stat = fixtures::bytes(&format!("{release}/stat.csv"));
        let fake = Fake::unix(&directory.path().join(name), Answers::whole(&stat, INFO));
        (format!("{name}={}", fake.uri()), fake)
    };
    let (a, fake_a) = target("a", "2.6.12");
    let (b, fake_b) = target("b", "3.2.0");
    let flags = [
        &format!("--haproxy.target={a}"),
        &format!("--haproxy.target={b}"),
    ];
    let mut seen = [0; 2];
    let mut were_asked = || {
        let before = seen;
        seen = [&fake_a, &fake_b].map(|fake| fake.requests().len());
        [0, 1].map(|at| seen[at] > before[at])
    };
    for (name, expected) in [("a", [true, false]), ("b", [false, true])] {
        let output = once(&[flags[0], flags[1], &format!("--once={name}")]);
        assert_eq!(were_asked(), expected, "{name}");
        let (_, uri) = if name == "a" { &a } else { &b }
            .split_once('=')
            .expect("a URI");
        let alone = once(&["--once", &format!("--haproxy.target=x={uri}")]);
        assert_eq!(lines(&output), lines(&alone), "{name}");
        were_asked();
    }
    // The name that the page at `/` gives to that of the scrape URI.
    let uri = format!("--haproxy.scrape-uri={}", fake_a.uri());
    once(&[&uri, flags[1], "--once=default"]);
    assert_eq!(were_asked(), [true, false]);
}

/// What a program that reads both files must not find.
fn duplicates(text: &str) -> usize {
    let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let series = samples
        .iter()
        .map(|line| line.rsplit_once(' ').map(|(series, _)| series));
    samples.len() - series.collect::<BTreeSet<_>>().len()
}

/// Both files as one, as promtool reads it: each family once, with all its samples.
fn joined(texts: &[String]) -> String {
    let mut comments = BTreeSet::new();
    let lines = texts.iter().flat_map(|text| text.lines());
    let kept = lines.filter(|line| !line.starts_with('#') || comments.insert(line.to_owned()));
    kept.map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_files_of_two_instances_together() {
    let Some(promtool) = peers::find("promtool") else {
        return;
    };
    let uris = ["2.6.12", "3.2.0"].map(|release| {
        let stat = fixtures::path(&format!("{release}/stat.csv"));
        format!("--haproxy.scrape-uri=file:{}", stat.display())
    });
    for names in NAMES {
        let labels = ["--label=haproxy=a", "--label=haproxy=b"];
        let files = [0, 1].map(|at| once(&["--once", names, &uris[at], labels[at]]));
        let without = uris.each_ref().map(|uri| once(&["--once", names, uri]));
        assert!(duplicates(&without.concat()) > 100, "{names}");
        assert_eq!(duplicates(&files.concat()), 0, "{names}");
        let mut command = Command::new(&promtool);
        command.args(["check", "metrics"]);
        let (_, output, error) = peers::run_with_input(&mut command, joined(&files).as_bytes());
        // Some built-in names break the rules of the linter (`builtin::live` holds which).
        let said = output + &error;
        assert!(!said.contains("error while linting"), "{names}: {said}");
        if names == NAMES[0] {
            assert_eq!(said, "");
        }
    }
}
