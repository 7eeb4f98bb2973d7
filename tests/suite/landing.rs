//! The page at `/`, looked at in a real browser.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::exporter::Exporter;
use crate::support::{fixtures, peers};

/// What Chromium needs to run as root, without a window and without the network.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

fn chromium(program: &Path, profile: &TempDir, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command
        .args(FLAGS)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments);
    let (status, output, error) = peers::run(&mut command);
    assert!(status.success(), "{arguments:?}: {error}");
    output
}

/// Width and height from the header of a PNG (RFC 2083, 3.1 and 4.1.1).
fn size(png: &[u8]) -> (u32, u32) {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "not a PNG");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}

#[test]
fn says_what_runs_and_can_be_seen_on_a_telephone_and_in_the_dark() {
    let Some(program) = peers::find("chromium") else {
        return;
    };
    let stat = fixtures::path("3.2.0/stat.csv");
    let flags = [
        format!("--haproxy.target=edge-1=file:{}", stat.display()),
        "--haproxy.target=edge-2=file:/no/such/file".to_owned(),
        "--haproxy.target=core=file:/no/such/file".to_owned(),
    ];
    let exporter = Exporter::start(&flags.each_ref().map(String::as_str));
    for target in ["edge-1", "edge-2"] {
        assert_eq!(
            exporter.get(&format!("/metrics?target={target}")).status,
            200
        );
    }
    let url = format!("http://{}/", exporter.address());
    let directory = TempDir::new().expect("a temporary directory");
    let page = chromium(&program, &directory, &["--dump-dom", &url]);
    let version = env!("CARGO_PKG_VERSION");
    for text in [
        &format!("<h1>HAProxy exporter {version}</h1>"),
        "<p>running for ",
        "<td class=\"up\">up</td>",
        "<td class=\"down\">down</td>",
        "<td class=\"\">none yet</td>",
        "<a href=\"/metrics?target=core&amp;names=builtin\">builtin</a>",
        "<a href=\"/-/healthy\">/-/healthy</a>",
    ] {
        assert!(page.contains(text), "no {text} in\n{page}");
    }
    // Each link of the page leads somewhere.
    let links: Vec<&str> = page.split("href=\"").skip(1).collect();
    assert_eq!(links.len(), 7, "{page}");
    for link in links {
        let path = link
            .split('"')
            .next()
            .unwrap_or_default()
            .replace("&amp;", "&");
        assert_eq!(exporter.get(&path).status, 200, "{path}");
    }

    let shot = |scheme: &str| {
        let file = directory.path().join(format!("{scheme}.png"));
        let (window, out) = (
            "--window-size=600,800",
            format!("--screenshot={}", file.display()),
        );
        let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
        chromium(&program, &directory, &[window, &scheme, &out, &url]);
        std::fs::read(&file).expect("a screenshot")
    };
    // 0 is dark, 1 is light.
    let (dark, light) = (shot("0"), shot("1"));
    assert_eq!((size(&dark), size(&light)), ((600, 800), (600, 800)));
    // A page without anything on it takes two kilobytes.
    assert!(
        dark.len() > 8_000 && light.len() > 8_000,
        "{} {}",
        dark.len(),
        light.len()
    );
    assert_ne!(dark, light, "dark and light look alike");
}
