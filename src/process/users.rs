//! Users and groups by name, for messages: /etc/passwd and /etc/group without the C library, which a static
//! program would let load others.

use std::fmt::{self, Display};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The user and the groups of this process, as `user u, groups a, b`; empty without /proc (proc(5), status).
pub(crate) fn own() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ids = |key: &str| -> Vec<u32> {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let words = line.unwrap_or_default().split_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    };
    // The second number is the effective one.
    let (Some(user), Some(group)) = (ids("Uid:").get(1).copied(), ids("Gid:").get(1).copied())
    else {
        return String::new();
    };
    let mut groups = vec![group];
    groups.extend(ids("Groups:").into_iter().filter(|other| *other != group));
    let groups: Vec<_> = groups.iter().map(|id| name(GROUPS, *id)).collect();
    let word = if groups.len() == 1 { "group" } else { "groups" };
    format!("user {}, {word} {}", name(USERS, user), groups.join(", "))
}

/// Who may open a file.
pub(crate) struct Access {
    owner: String,
    pub(crate) group: String,
    mode: u32,
    /// Whether its group may read and write it.
    pub(crate) is_open_to_group: bool,
}

impl Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (owner, group, mode) = (&self.owner, &self.group, self.mode);
        write!(f, "owner {owner}, group {group}, mode {mode:04o}")
    }
}

/// Who may open a file; `None` if that is not known either.
pub(crate) fn of_file(path: &Path) -> Option<Access> {
    let file = fs::metadata(path).ok()?;
    Some(Access {
        owner: name(USERS, file.uid()),
        group: name(GROUPS, file.gid()),
        mode: file.mode() & 0o7777,
        is_open_to_group: file.mode() & 0o060 == 0o060,
    })
}

const USERS: &str = "/etc/passwd";
const GROUPS: &str = "/etc/group";

/// The name of a number in a file of lines `name:password:number:...`, else the number (passwd(5), group(5)).
fn name(file: &str, id: u32) -> String {
    let id = id.to_string();
    let text = fs::read_to_string(file).unwrap_or_default();
    let found = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    });
    found.unwrap_or(id)
}
