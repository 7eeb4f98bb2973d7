//! The page at `/`, looked at in a real browser.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::exporter::Exporter;
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::faults::INFO;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::text::mask;
use crate::support::{csv, fixtures, http, peers};

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

/// What the page shows of each instance: the heading, then names and values.
fn instances(page: &str) -> Vec<Vec<(String, String)>> {
    let (_, rest) = page.split_once("<h2>").expect("an instance");
    let (rest, _) = rest.rsplit_once("<h2>Flags").expect("the flags");
    let parts = rest.split("<h2>").map(|part| {
        let (heading, rest) = part.split_once("</h2>").expect("the end of a heading");
        let values = rest.split("<dt>").skip(1).map(|row| {
            let (name, value) = row.split_once("<dd").expect("a value");
            let (_, value) = value.split_once('>').expect("the end of a tag");
            (name.to_owned(), value.trim_end().to_owned())
        });
        let heading = ("instance".to_owned(), heading.to_owned());
        std::iter::once(heading).chain(values).collect()
    });
    parts.collect()
}

/// The value of a name, if it is there.
fn value<'a>(instance: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let row = instance.iter().find(|(of, _)| of == name);
    row.map(|(_, value)| value.as_str())
}

/// The paths that a page at `/` links to.
fn links(page: &str) -> Vec<String> {
    let links = page.split("href=\"").skip(1);
    let paths = links.map(|link| {
        let (link, _) = link.split_once('"').expect("the end of a link");
        let path = link.strip_prefix("./").expect("a relative link");
        path.replace("&amp;", "&")
    });
    paths.collect()
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
fn it_shows_each_instance_and_fits_on_a_telephone_and_in_the_dark() {
    let Some(program) = peers::find("chromium") else {
        return;
    };
    let stat = fixtures::path("3.2.0/stat.csv");
    let flags = [
        // A long name must fit as well.
        format!("--haproxy.target={LONG_NAME}=file:{}", stat.display()),
        format!("--haproxy.target=edge-1=file:{}", stat.display()),
        "--haproxy.target=edge-2=file:/no/such/file".to_owned(),
        "--haproxy.target=core=file:/no/such/file".to_owned(),
        "--no-web.compression".to_owned(),
    ];
    let exporter = Exporter::start(&flags.each_ref().map(String::as_str));
    for target in [LONG_NAME, "edge-1", "edge-2"] {
        let path = format!("/metrics?target={target}");
        assert_eq!(exporter.get(&path).status, 200);
    }
    let url = format!("http://{}/", exporter.address());
    let directory = TempDir::new().expect("a temporary directory");
    // The browser has read it as it was meant: it adds only the ends of elements.
    let page = chromium(&program, &directory, &["--dump-dom", &url]);
    for end in ["</dt>", "</dd>", "</p>"] {
        assert!(page.contains(end), "no {end} in\n{page}");
    }
    let page = page
        .replace("</dt>", "")
        .replace("\n</dd>", "")
        .replace("\n</p>", "\n");
    let version = env!("CARGO_PKG_VERSION");
    let head = format!("<h1>HAProxy exporter {version}</h1>\n<p>revision ");
    assert!(page.contains(&head), "no {head} in\n{page}");
    let instances = instances(&page);
    let headings: Vec<&str> = instances.iter().map(|one| one[0].1.as_str()).collect();
    let [up, down] =
        ["up", "down"].map(|state| format!("is <span class=\"{state}\">{state}</span>"));
    let expected = [
        format!("edge-2 {down}"),
        format!("{LONG_NAME} {up}"),
        format!("edge-1 {up}"),
        "core is not scraped yet".to_owned(),
    ];
    assert_eq!(headings, expected);
    let [down, long, ..] = &instances[..] else {
        panic!("no instances in {page}");
    };
    let reason = "file /no/such/file: open: no such file or directory";
    let shown = value(down, "reason").map(mask);
    assert_eq!(shown, Some(format!("{reason} (# s ago)")));
    assert_eq!(value(down, "source"), Some("file:/no/such/file"));
    let cases = [
        (
            down,
            "0 bytes, 0 frontends, 0 backends, 0 servers, 0 listeners",
        ),
        (
            long,
            "10161 bytes, 3 frontends, 8 backends, 20 servers, 2 listeners",
        ),
    ];
    for (instance, found) in cases {
        let scrape = value(instance, "last scrape").expect("a scrape");
        let (time, rest) = scrape.split_once(": ").expect("what was found");
        assert_eq!((mask(time).as_str(), rest), ("# s ago, took # ms", found));
        let since = value(instance, "since").expect("a time");
        assert_eq!(mask(since), "#-#-#T#:#:#Z (# s)");
    }
    let changed = page
        .split("<h2>Flags that differ from the defaults</h2>")
        .nth(1);
    let changed: Vec<&str> = changed.expect("flags").lines().collect();
    for flag in [
        "haproxy.target=core=file:/no/such/file",
        "web.compression=false",
    ] {
        let line = format!("<p>--{flag}");
        assert!(changed.contains(&line.as_str()), "{changed:?}");
    }
    // Each link of the page leads somewhere.
    let links = links(&page);
    assert_eq!(links.len(), 9, "{page}");
    for link in links {
        assert_eq!(exporter.get(&format!("/{link}")).status, 200, "{link}");
    }

    // A telephone's view, and the narrowest with names beside values.
    for width in [360, 641] {
        let wide = too_wide(&program, &directory, exporter.get("/").text(), width);
        assert_eq!(wide, "", "wider than {width} px");
    }

    // 0 is dark, 1 is light.
    for width in [400, 1280] {
        let [dark, light] = ["0", "1"].map(|scheme| {
            let file = directory.path().join(format!("{width}-{scheme}.png"));
            let window = format!("--window-size={width},900");
            let out = format!("--screenshot={}", file.display());
            let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
            chromium(&program, &directory, &[&window, &scheme, &out, &url]);
            std::fs::read(&file).expect("a screenshot")
        });
        assert_eq!((size(&dark), size(&light)), ((width, 900), (width, 900)));
        // A page without anything on it takes two kilobytes.
        assert!(
            dark.len() > 8_000 && light.len() > 8_000,
            "{} {}",
            dark.len(),
            light.len()
        );
        assert_ne!(dark, light, "dark and light look alike");
    }
}

/// What HAProxy sends and what the flags hold is text, and never a password.
#[test]
fn nothing_is_markup_or_a_password() {
    let info = String::from_utf8_lossy(INFO).replace("node: ", "node: <i>&\"");
    assert!(info.contains("<i>"), "{info}");
    let stat = csv::answer(&[csv::frontend("web", &[(4, "1")])]);
    let directory = TempDir::new().expect("a temporary directory");
    let cli = Fake::unix(
        &directory.path().join("<b>"),
        Answers::whole(&stat, info.as_bytes()),
    );
    let page = Fake::http(
        "127.0.0.1",
        Answers::page(b"HTTP/1.0 200 OK\r\n\r\nx<u>x</u>\n"),
    );
    let with_password = page.uri().replace("//", "//user:secret@");
    let exporter = Exporter::start(&[
        &format!("--haproxy.scrape-uri={}", cli.uri()),
        &format!("--haproxy.target=page={with_password}"),
        "--haproxy.target=other=http://user:secret@127.0.0.1:1/;csv",
        "--haproxy.pid-file=/<em>",
        "--haproxy.peers",
    ]);
    for query in ["", "?target=page", "?target=other"] {
        let path = format!("/metrics{query}");
        assert_eq!(exporter.get(&path).status, 200);
    }
    let response = exporter.get("/");
    let page = response.text();
    assert!(!page.contains("secret"), "{page}");
    for tag in ["<i>", "<b>", "<u>", "<em>"] {
        assert!(!page.contains(tag), "{tag} in {page}");
    }
    let instances = instances(page);
    let [failing, _, works] = &instances[..] else {
        panic!("{page}");
    };
    let reason = value(failing, "reason").expect("a reason");
    assert!(reason.contains("it begins \"x&lt;u>x&lt;/u>"), "{reason}");
    let haproxy = value(works, "HAProxy").expect("the process");
    assert!(haproxy.contains(", node &lt;i>&amp;\""), "{haproxy}");
    let pid_file = value(works, "--haproxy.pid-file").expect("a group");
    assert!(pid_file.starts_with("FAILED: &lt;em>: "), "{pid_file}");
    for flag in [
        "--haproxy.target=other=http://***@127.0.0.1:1/;csv",
        "--haproxy.pid-file=/&lt;em>",
        "--haproxy.peers=true",
    ] {
        assert!(page.contains(&format!("<p>{flag}\n")), "{flag} in {page}");
    }
}

/// Below a path prefix of a proxy, all links lead where they lead without it.
#[test]
fn below_a_path_prefix() {
    let stat = fixtures::path("3.2.0/stat.csv");
    let exporter = Exporter::start(&[
        &format!("--haproxy.scrape-uri=file:{}", stat.display()),
        "--web.telemetry-path=/a:b/metrics",
    ]);
    let place = Place::new(1);
    let configuration = format!(
        "{}frontend web\n  bind {}\n  http-request replace-path /lb1/(.*) /\\1\n  default_backend exporter\n\
         backend exporter\n  server one {}\n",
        place.global(),
        place.bind(0),
        exporter.address()
    );
    let Some(haproxy) = Haproxy::start(place, &configuration) else {
        return;
    };
    let get = |path: &str| http::request(haproxy.address(0), "GET", path, &[]);
    let page = get("/lb1/");
    let links = links(page.text());
    assert_eq!(links.len(), 4, "{}", page.text());
    for link in links {
        assert_eq!(get(&format!("/lb1/{link}")).status, 200, "{link}");
    }
}
