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

/// As long as names of hosts may be in part.
const LONG_NAME: &str = "a-load-balancer-with-quite-a-long-name.of-some-site.example.com";

/// The rows of the page's table but its header.
fn rows(page: &str) -> Vec<&str> {
    page.split("<tr>")
        .filter(|row| row.starts_with("<td"))
        .collect()
}

/// The text of a row's cell.
fn cell(row: &str, number: usize) -> &str {
    let cell = row.split("<td").nth(number + 1);
    let (_, text) = cell.and_then(|cell| cell.split_once('>')).expect("a cell");
    text.split("</td>").next().unwrap_or_default()
}

fn is_number_of(text: &str, unit: &str) -> bool {
    let number = text.strip_suffix(unit);
    number.is_some_and(|number| number.parse::<f64>().is_ok())
}

/// What of the page is not whole in a view of this width (its elements). The page has no
/// script and Chromium's window cannot be so narrow, so the page is put into a frame of one that has.
fn too_wide(program: &Path, directory: &TempDir, page: &str, width: u32) -> String {
    let escaped = page.replace('&', "&amp;").replace('"', "&quot;");
    let frame = format!(
        r#"<!DOCTYPE html><title>frame</title>
<iframe style="border:0;width:{width}px;height:800px" srcdoc="{escaped}"></iframe>
<script>
onload = () => {{
  const page = document.querySelector("iframe").contentDocument;
  const elements = [...page.querySelectorAll("html, body, body *")];
  const shown = elements.filter(one => one.getClientRects().length > 0);
  const wide = shown.filter(one => one.getBoundingClientRect().right > {width}
    || one.clientWidth > 0 && one.scrollWidth > one.clientWidth);
  const lines = wide.map(one => one.tagName + " " + one.getBoundingClientRect().right);
  document.title = "looked at " + shown.length;
  document.body.textContent = "[" + lines.join(", ") + "]";
}};
</script>"#
    );
    let file = directory.path().join("frame.html");
    std::fs::write(&file, frame).expect("write the frame");
    let url = format!("file://{}", file.display());
    let dom = chromium(program, directory, &["--dump-dom", &url]);
    let parts = dom.split_once("<body>[");
    let (title, body) = parts.unwrap_or_else(|| panic!("the script wrote nothing: {dom}"));
    let looked_at = title
        .split_once("looked at ")
        .expect("the script's title")
        .1;
    let looked_at = looked_at.split('<').next().unwrap_or_default();
    assert!(
        looked_at.parse::<u32>().is_ok_and(|count| count > 30),
        "{looked_at} in {dom}"
    );
    body.split(']').next().unwrap_or_default().to_owned()
}

#[test]
fn says_what_runs_and_can_be_seen_on_a_telephone_and_in_the_dark() {
    let Some(program) = peers::find("chromium") else {
        return;
    };
    let stat = fixtures::path("3.2.0/stat.csv");
    let flags = [
        // A long name must find its place as well.
        format!("--haproxy.target={LONG_NAME}=file:{}", stat.display()),
        format!("--haproxy.target=edge-1=file:{}", stat.display()),
        "--haproxy.target=edge-2=file:/no/such/file".to_owned(),
        "--haproxy.target=core=file:/no/such/file".to_owned(),
    ];
    let exporter = Exporter::start(&flags.each_ref().map(String::as_str));
    for target in [LONG_NAME, "edge-1", "edge-2"] {
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
    // What was scraped has an age in words and a time in milliseconds, what was not has neither.
    let [long, up, down, none] = rows(&page)[..] else {
        panic!("not four targets in\n{page}");
    };
    for row in [long, up, down] {
        let (age, took) = (cell(row, 2), cell(row, 3));
        assert!(is_number_of(age, " s"), "age {age:?} in {row}");
        assert!(is_number_of(took, " ms"), "took {took:?} in {row}");
    }
    assert_eq!((cell(none, 2), cell(none, 3)), ("", ""), "{none}");
    // Each link of the page leads somewhere.
    let links: Vec<&str> = page.split("href=\"").skip(1).collect();
    assert_eq!(links.len(), 9, "{page}");
    for link in links {
        let path = link
            .split('"')
            .next()
            .unwrap_or_default()
            .replace("&amp;", "&");
        assert_eq!(exporter.get(&path).status, 200, "{path}");
    }

    // A telephone's view, and the narrowest in which a row is one line.
    for width in [360, 641] {
        let wide = too_wide(&program, &directory, exporter.get("/").text(), width);
        assert_eq!(wide, "", "wider than {width} px");
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
