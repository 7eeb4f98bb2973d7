use super::*;

#[test]
fn pid_files() {
    let good = [
        "42\n",
        "42",
        " 42 \n",
        "42\n43\n44\n",
        "\n42\r\n",
        "42 43",
        "0042\n",
    ];
    for text in good {
        let tree = Tree::new();
        tree.write("pid", text);
        let expected = (all_facts(), String::new());
        assert_eq!(tree.of_pid_file("pid"), expected, "{text:?}");
    }
    let no_pid = "pid file pid: does not begin with a process id";
    #[rustfmt::skip]
    let bad: [(&[u8], &str); 12] = [
        (b"", "pid file pid: is empty"),
        (b" \n\n", "pid file pid: is empty"),
        (b"garbage\n", no_pid),
        (b"42x\n", no_pid),
        (b"x 42\n", no_pid),
        (b"0\n", no_pid),
        (b"-42\n", no_pid),
        (b"4.2\n", no_pid),
        (b"4294967296\n", no_pid),
        (b"\xff\n", no_pid),
        (b"../42\n", no_pid),
        // The process has ended.
        (b"77\n", "77/stat: no such file or directory"),
    ];
    for (bytes, expected) in bad {
        let tree = Tree::new();
        tree.write("pid", bytes);
        let expected = (Facts::default(), expected.to_owned());
        assert_eq!(
            tree.of_pid_file("pid"),
            expected,
            "{}",
            bytes.escape_ascii()
        );
    }
    let tree = Tree::new();
    let cases = [
        ("none", "pid file none: no such file or directory"),
        ("42", "pid file 42: is a directory"),
        (
            "stat/pid",
            "pid file stat/pid: a part of the path is not a directory",
        ),
    ];
    for (name, expected) in cases {
        let expected = (Facts::default(), expected.to_owned());
        assert_eq!(tree.of_pid_file(name), expected);
    }
}

/// The process that answered, as far as the file vouches for it.
#[test]
fn pid_files_and_the_process_that_answered() {
    let (first, other) = (
        Some(Duration::from_millis(18_010)),
        Some(Duration::from_secs(1)),
    );
    #[rustfmt::skip]
    let cases = [
        // Processes of nbproc.
        ("42\n43\n", Some(43), 1, other),
        ("42\n43\n", Some(42), 1, first),
        ("42\n77\n43\n", Some(43), 1, other),
        // A worker of the master.
        ("42\n", Some(43), 42, other),
        ("77 42\n", Some(43), 42, other),
        // Nobody's: of another HAProxy, or of another machine.
        ("42\n", Some(43), 1, first),
        ("42\n", Some(77), 1, first),
        ("42\n", Some(0), 1, first),
        ("42\n", Some(u64::MAX), 1, first),
        ("42\n", None, 42, first),
        // What stands behind a word that is not a number was not written by HAProxy.
        ("42\nx\n43\n", Some(43), 1, first),
    ];
    for (text, answering, parent, expected) in cases {
        let tree = Tree::new();
        tree.add_process(43, parent);
        tree.write("pid", text);
        let (facts, missing) = tree.proc_root().of_pid_file(&tree.path("pid"), answering);
        assert_eq!(facts.cpu_time, expected, "{text:?} {answering:?} {parent}");
        assert_eq!(missing, None);
    }
    let tree = Tree::new();
    tree.add_process(43, 1);
    tree.write("pid", "x 43\n");
    let (facts, missing) = tree.proc_root().of_pid_file(&tree.path("pid"), Some(43));
    assert_eq!(facts, Facts::default());
    assert!(missing.is_some());
}
/// A process that has just answered is there: /proc hides it, unless the pid file is an old one.
#[test]
fn a_process_that_answers_and_is_not_in_proc() {
    let gone = |pid: u64| format!("{pid}/stat: no such file or directory");
    let hidden = |pid: u64| format!("{} ({HIDDEN_HINT})", gone(pid));
    let cases = [
        ("it is listed", "77\n", Some(77), hidden(77)),
        (
            "a worker, its master is listed",
            "76\n",
            Some(77),
            hidden(76),
        ),
        (
            "it is there, and the file is old",
            "76\n",
            Some(43),
            gone(76),
        ),
        ("nothing has answered yet", "77\n", None, gone(77)),
    ];
    for (what, listed, answering, expected) in cases {
        let tree = Tree::new();
        tree.add_process(43, 1);
        tree.write("pid", listed);
        let found = || tree.proc_root().of_pid_file(&tree.path("pid"), answering);
        let (facts, missing) = found();
        let missing = missing.map(MissingFacts::of_running);
        assert_eq!(tree.shorten((facts, missing)).1, expected, "{what}");
        // It answered once, but not now: it has ended.
        let ended = tree.shorten(found()).1;
        let pid = listed.trim_end().parse().unwrap();
        assert_eq!(ended, gone(pid), "{what}");
    }
    // Another fact than the process itself.
    let tree = Tree::new();
    tree.add_process(43, 1);
    fs::remove_file(tree.path("43/limits")).unwrap();
    tree.write("pid", "43\n");
    let (facts, missing) = tree.proc_root().of_pid_file(&tree.path("pid"), Some(43));
    let missing = missing.map(MissingFacts::of_running);
    let expected = "43/limits: no such file or directory";
    assert_eq!(tree.shorten((facts, missing)).1, expected);
}

/// Nobody writes to it: a plain open would wait for ever.
#[test]
fn a_fifo_as_pid_file() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("pid");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let (facts, missing) = ProcRoot::system().of_pid_file(&path, None);
    assert_eq!(facts, Facts::default());
    let expected = format!("pid file {}: not a regular file", path.display());
    assert_eq!(missing.map(|c| c.to_string()), Some(expected));
}
