use super::*;

#[test]
fn recorded_answers() {
    let cases: [(&[u8], &str, &str, u64, u64); 4] = [
        (
            include_bytes!("../../../tests/fixtures/1.5.0/info.txt"),
            "1.5.0",
            "2014/06/19",
            8,
            99,
        ),
        (
            include_bytes!("../../../tests/fixtures/2.0.0/info.txt"),
            "2.0.0",
            "2019/06/16",
            8,
            100,
        ),
        (
            include_bytes!("../../../tests/fixtures/2.6.12/info.txt"),
            "2.6.12-1+deb12u4",
            "2026/10/17",
            7,
            100,
        ),
        (
            include_bytes!("../../../tests/fixtures/3.2.0/info.txt"),
            "3.2.0-e134140d2",
            "2025/05/28",
            7,
            100,
        ),
    ];
    for (answer, version, release_date, uptime, idle) in cases {
        let info = parse(answer).unwrap();
        assert_eq!(info.version, version.as_bytes());
        assert_eq!(info.release_date, release_date.as_bytes());
        assert_eq!(info.node, b"cap-node");
        assert_eq!(
            (info.uptime_seconds, info.idle_percent),
            (Some(uptime), Some(idle))
        );
        assert!(info.pid.is_some());
        // Cut anywhere, it is not understood: only the closing empty line is proof.
        for end in 0..answer.len() {
            assert!(parse(&answer[..end]).is_err(), "{version}: {end}");
        }
    }
}

#[test]
fn odd_answers() {
    assert_eq!(parse(b""), Err(InfoError::Empty));
    assert_eq!(parse(b"\n"), Err(InfoError::NoVersion));
    assert_eq!(parse(b"Unknown command.\n\n"), Err(InfoError::NoVersion));
    assert_eq!(parse(b"Version: 1\n"), Err(InfoError::Cut));
    let info = parse(b"Version: 1: 2\r\nIdle_pct: 101\r\nPid: x\r\nUptime_sec: \r\n\r\n").unwrap();
    assert_eq!(info.version, b"1: 2");
    assert_eq!(
        (info.idle_percent, info.pid, info.uptime_seconds),
        (None, None, None)
    );
}
