//! Log services follow a link that somebody planted as `current`; they must not do it as root.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::{Accounts, Ground, RUNIT, S6, write_script};
use crate::support::peers::{self, Peer};

/// Starts a log service's script without input, and waits until it ended or complained.
fn start_logging(script: &Path) {
    let mut logger = Peer::start(Command::new("sh").arg(script));
    peers::wait_for("the log service's end or complaint", || {
        (logger.has_ended() || logger.output().contains("current")).then_some(())
    });
}

fn follows_no_link_as_root(kind: &str, accounts: Accounts) {
    let Some(ground) = Ground::prepare() else {
        return;
    };
    ground.make_log_directory();
    // What root alone may make: a file that cron runs, say. (An existing one is put aside first.)
    let secure = ground.path("secure");
    std::fs::create_dir(&secure).expect("make a directory of root's");
    let file = secure.join("file");
    let [logged, script] = ["logged", "run"].map(|name| ground.path(name));
    let link = logged.join("current");

    // The exporter's account cannot plant one.
    let mut plant = Command::new("sh");
    plant.arg("-c").arg(format!(
        "{}ln -s {} {}",
        accounts.exporter.1,
        file.display(),
        link.display()
    ));
    let (status, _, error) = peers::run(&mut plant);
    assert!(
        !status.success() && error.contains("Permission denied"),
        "{error}"
    );

    // Nor does it help in a directory that it can write to, such as one that was made for it once.
    std::fs::set_permissions(&logged, PermissionsExt::from_mode(0o777))
        .expect("open the directory");
    let (status, _, error) = peers::run(&mut plant);
    assert!(status.success(), "{error}");
    let text = ground.log_script(kind, accounts.logger);
    write_script(&script, &text);
    start_logging(&script);
    assert!(!file.exists(), "the link was followed");

    // Root would have followed it, so the above shows something.
    std::fs::remove_dir_all(&logged).expect("remove the directory");
    std::fs::create_dir(&logged).expect("make it again");
    std::os::unix::fs::symlink(&file, &link).expect("plant the link again");
    write_script(&script, &text.replace(accounts.logger.1, ""));
    start_logging(&script);
    assert!(file.exists(), "root did not follow the link");
}

#[test]
fn svlogd_follows_no_link_as_root() {
    if peers::find_all(["svlogd", "chpst"]).is_some() {
        follows_no_link_as_root("runit", RUNIT);
    }
}

#[test]
fn s6_log_follows_no_link_as_root() {
    if peers::find_all(["s6-log", "s6-setuidgid"]).is_some() {
        follows_no_link_as_root("s6", S6);
    }
}
