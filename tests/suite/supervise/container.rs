//! The image of supervisors.md without a container engine: its files in an empty root directory, run there
//! with its user and its command.

use std::process::Command;

use tempfile::TempDir;

use super::adapted;
use crate::lifecycle::binaries::static_binary;
use crate::support::exporter::{self, Exporter};
use crate::support::haproxy::{Haproxy, Place};
use crate::support::peers;

/// What the lines of the Dockerfile say, one of each.
struct Image {
    binary: String,
    user: String,
    command: Vec<String>,
}

impl Image {
    fn read() -> Image {
        let text = adapted("dockerfile", &[]);
        let line = |word: &str| {
            let mut lines = text.lines().filter_map(|line| line.strip_prefix(word));
            let value = lines
                .next()
                .unwrap_or_else(|| panic!("no {word} in {text}"));
            assert_eq!(lines.next(), None, "{word}");
            value.trim().to_owned()
        };
        assert_eq!(line("FROM"), "scratch");
        let list = |word: &str| -> Vec<String> {
            serde_json::from_str(&line(word)).expect("a list of words")
        };
        let copy = line("COPY");
        let (from, to) = copy.split_once(' ').expect("from and to");
        assert_eq!(from, "haproxy_exporter");
        let entry = list("ENTRYPOINT");
        assert_eq!(entry, [to]);
        Image {
            binary: to.to_owned(),
            user: line("USER"),
            command: [entry, list("CMD")].concat(),
        }
    }
}

#[test]
fn container() {
    let image = Image::read();
    let (Some(binary), Some(chroot)) = (static_binary(), peers::find("chroot")) else {
        return;
    };
    if !peers::is_root() {
        peers::skip("only root can change the root directory");
        return;
    }
    // The volume is a directory below the root, since nothing is mounted here.
    let root = TempDir::new().expect("a temporary directory");
    let volume = root.path().join("run/haproxy");
    std::fs::create_dir_all(&volume).expect("make a directory");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(root.path(), open).expect("let all enter");
    let place = Place::new(0);
    let configuration = format!(
        "{}global\n  stats socket {}/admin.sock mode 660 gid 65532 level operator\n\
         backend app\n  server one 127.0.0.1:1\n",
        place.global(),
        volume.display()
    );
    let Some(_haproxy) = Haproxy::start(place, &configuration) else {
        return;
    };
    exporter::copy_program(binary.as_os_str(), &root.path().join(&image.binary[1..]));
    let mut command = Command::new(chroot);
    command
        .arg(format!("--userspec={}", image.user))
        .arg("--groups=")
        .arg(root.path())
        .args(&image.command);
    let exporter = Exporter::spawn(&mut command);
    let got = exporter.scrape();
    assert_eq!(got.value("haproxy_up"), 1.0, "{:?}", exporter.log_lines());
    let owner = std::fs::metadata(format!("/proc/{}", exporter.pid())).expect("its /proc");
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&owner), 65532);
    assert_eq!(exporter.finish().problems(), []);
}
