use super::*;

#[test]
fn what_takes_traffic() {
    let up = [
        "UP",
        "UP 1/2",
        "UP 4/5",
        "UP 12/30",
        "UP -1/3",
        "UP 1/-3",
        "OPEN",
        "no check",
        "DRAIN",
        "DRAIN 1/2",
        "DRAIN -2/3",
        "DRAIN (agent)",
        "UP (agent)",
        "UP (UNPUB)",
        "UP -1/3 (agent)",
    ];
    let down = [
        "DOWN",
        "DOWN 1/2",
        "DOWN -1/2",
        "DOWN (agent)",
        "NOLB",
        "NOLB 1/2",
        "MAINT",
        "MAINT (via px/sv)",
        "MAINT (resolution)",
        "STOP",
        "FULL",
        "up",
        "UPX",
        "UP x/y",
        "UP 1/",
        "UP /",
        "UP -/3",
        "UP --1/3",
        "UP (",
        "whatever",
        "UP 1/2 3/4",
    ];
    for status in up {
        assert!(takes_traffic(status.as_bytes()), "{status}");
    }
    for status in down {
        assert!(!takes_traffic(status.as_bytes()), "{status}");
    }
}

#[test]
fn states() {
    let name = |states: &'static [&'static str], number: u8| match number {
        NOTHING => "nothing",
        OTHER => "other",
        number => states[usize::from(number)],
    };
    let servers = [
        ("UP", "UP"),
        ("UP 1/3", "UP"),
        ("UP -1/3", "UP"),
        ("no check", "UP"),
        ("DOWN", "DOWN"),
        ("DOWN (agent)", "DOWN"),
        ("MAINT", "MAINT"),
        ("MAINT (via a/b)", "MAINT"),
        ("MAINT (resolution)", "MAINT"),
        ("DRAIN (agent)", "DRAIN"),
        ("NOLB 1/2", "NOLB"),
        ("", "nothing"),
        ("whatever", "other"),
        ("UPX", "other"),
        ("U", "other"),
        ("up", "other"),
        ("no checks", "other"),
    ];
    for (status, expected) in servers {
        let found = name(&SERVER_STATES, server_state(status.as_bytes()));
        assert_eq!(found, expected, "server {status:?}");
    }
    assert_eq!(SERVER_STATES[usize::from(MAINT)], "MAINT");
    let frontends = [
        ("OPEN", "UP"),
        ("STOP", "DOWN"),
        ("PAUSED", "UP"),
        ("FULL", "UP"),
        ("WAITING", "UP"),
        ("", "nothing"),
    ];
    for (status, expected) in frontends {
        let found = name(&SERVER_STATES, frontend_state(status.as_bytes()));
        assert_eq!(found, expected, "frontend {status:?}");
    }
    let backends = [
        ("UP", "UP"),
        ("UP (UNPUB)", "UP"),
        ("UP (2/3)", "UP"),
        ("DOWN", "DOWN"),
        ("no check", "DOWN"),
        ("", "nothing"),
    ];
    for (status, expected) in backends {
        let found = name(&SERVER_STATES, backend_state(status.as_bytes()));
        assert_eq!(found, expected, "backend {status:?}");
    }
    let listeners = [
        ("OPEN", "OPEN"),
        ("FULL", "FULL"),
        ("WAITING", "WAITING"),
        ("NEW", "other"),
        ("", "nothing"),
    ];
    for (status, expected) in listeners {
        let found = name(&LISTENER_STATES, listener_state(status.as_bytes()));
        assert_eq!(found, expected, "listener {status:?}");
    }
    let checks = [
        ("L7OK", "L7OK"),
        ("* L7OK", "L7OK"),
        ("L4CON", "L4CON"),
        ("PROCOK", "PROCOK"),
        ("UNK", "other"),
        ("* INI", "other"),
        ("CHECKED", "other"),
        ("", "nothing"),
    ];
    for (status, expected) in checks {
        let found = name(&CHECK_RESULTS, check_result(status.as_bytes()));
        assert_eq!(found, expected, "check {status:?}");
    }
    for (status, expected) in [
        ("UNK", false),
        ("INI", false),
        ("* INI", false),
        ("L7OK", true),
        ("CHECKED", true),
    ] {
        assert_eq!(has_result(status.as_bytes()), expected, "{status}");
    }
}

#[test]
fn why_servers_are_out_of_service() {
    let cases: [(&str, Option<&str>); 18] = [
        ("MAINT", Some("MAINT admin")),
        ("MAINT (resolution)", Some("MAINT resolution")),
        ("MAINT (via app/one)", Some("MAINT tracked")),
        ("MAINT (via (resolution)/x)", Some("MAINT tracked")),
        ("DRAIN", Some("other admin")),
        ("DRAIN 1/2", Some("other admin")),
        ("DRAIN (agent)", Some("other agent")),
        ("NOLB", Some("other check")),
        ("NOLB 1/2", Some("other check")),
        ("MAINTX", None),
        ("DRAINED", None),
        ("NOLBS", None),
        ("MAIN", None),
        ("OPEN", None),
        ("UP", None),
        ("DOWN (agent)", None),
        ("no check", None),
        ("", None),
    ];
    for (status, expected) in cases {
        let number = usize::from(out_of_service(status.as_bytes()));
        let family = if number < MAINTENANCE_REASONS {
            "MAINT"
        } else {
            "other"
        };
        let found = OUT_OF_SERVICE
            .get(number)
            .map(|reason| format!("{family} {reason}"));
        assert_eq!(found.as_deref(), expected, "{status}");
    }
}

#[test]
fn published_backends() {
    for (status, expected) in [
        ("UP", true),
        ("UP (UNPUB)", false),
        ("DOWN (UNPUB)", false),
        ("DOWN", true),
    ] {
        assert_eq!(is_published(status.as_bytes()), expected, "{status}");
    }
}
