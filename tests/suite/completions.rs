//! The completions for shells, which are made of the manual page when they are installed.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::readme;
use crate::support::peers;

/// Below `share`.
pub(crate) const FILES: [&str; 3] = [
    "bash-completion/completions/haproxy_exporter",
    "zsh/site-functions/_haproxy_exporter",
    "fish/vendor_completions.d/haproxy_exporter.fish",
];

fn make() -> TempDir {
    let place = TempDir::new().expect("a temporary directory");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join("tests/tools/completions.sh"));
    command
        .arg(root.join("src/share/haproxy_exporter.8"))
        .arg(place.path());
    let (status, output, error) = peers::run(&mut command);
    assert!(status.success() && error.is_empty(), "{output}{error}");
    place
}

/// The flags of `--help` as they are typed, sorted.
fn flags() -> Vec<String> {
    let mut flags = Vec::new();
    for (usage, _) in readme::help() {
        let name = usage.split(", ").last().unwrap_or_default();
        let name = name.split(['=', ' ']).next().unwrap_or_default();
        let name = name.trim_end_matches('[');
        match name.strip_prefix("--[no-]") {
            Some(switch) => flags.extend([format!("--{switch}"), format!("--no-{switch}")]),
            None => flags.push(name.to_owned()),
        }
    }
    flags.sort();
    flags
}

/// What a shell offers for a beginning, sorted by itself.
fn offered(shell: &str, script: &str, file: &Path) -> Option<Vec<String>> {
    let shell = peers::find(shell)?;
    let mut command = Command::new(shell);
    command.args(["-c", script]).env("FILE", file);
    let (status, output, error) = peers::run(&mut command);
    assert!(status.success() && error.is_empty(), "{output}{error}");
    let mut found: Vec<String> = output.lines().map(str::to_owned).collect();
    found.sort();
    Some(found)
}

#[test]
fn bash_offers_every_flag() {
    let place = make();
    let file = place.path().join(FILES[0]);
    let script = "set -eu; . \"$FILE\"; COMP_WORDS=(haproxy_exporter --); COMP_CWORD=1; \
                  $(complete -p haproxy_exporter | sed 's/.*-F \\([^ ]*\\).*/\\1/'); \
                  printf '%s\\n' \"${COMPREPLY[@]}\"";
    if let Some(found) = offered("bash", script, &file) {
        assert_eq!(found, flags());
    }
    let script = script.replace("exporter --)", "exporter --no-web.c)");
    if let Some(found) = offered("bash", &script, &file) {
        assert_eq!(found, ["--no-web.compression"]);
    }
}

/// zsh and fish get the same names; their own syntax is checked where they are installed.
#[test]
fn the_others_have_every_flag() {
    let place = make();
    let read = |name: &str| std::fs::read_to_string(place.path().join(name)).expect("read it");
    let (zsh, fish) = (read(FILES[1]), read(FILES[2]));
    for flag in flags() {
        let name = &flag[2..];
        let is_there = |line: &str| {
            let rest = line
                .trim_start_matches([' ', '\'', '*'])
                .strip_prefix(&flag);
            rest.is_some_and(|rest| rest.starts_with(['[', '=']))
        };
        assert!(zsh.lines().any(is_there), "{flag} in {zsh}");
        let line = format!("complete -c haproxy_exporter -l {name}");
        let is_there = |other: &str| other == line || other.starts_with(&format!("{line} "));
        assert!(fish.lines().any(is_there), "{flag} in {fish}");
    }
}
