//! The HAProxy instances, and those that `--once` leaves.

use super::config;

#[test]
fn targets_beside_and_instead_of_the_scrape_uri() {
    let names = |arguments: &[&str]| -> Vec<String> {
        let targets = config(arguments).unwrap().targets;
        targets.into_iter().map(|(name, _)| name).collect()
    };
    let (a, b) = (
        "--haproxy.target=a=unix:/a",
        "--haproxy.target=b=http://h/;csv?x=y",
    );
    assert_eq!(names(&[]), [""]);
    assert_eq!(names(&["--haproxy.target="]), [""]);
    assert_eq!(names(&[a, b]), ["a", "b"]);
    let both = [a, "--haproxy.scrape-uri=unix:/s"];
    assert_eq!(names(&both), ["", "a"]);
    let one = |once: &str, others: &[&str]| names(&[others, &[once]].concat());
    assert_eq!(one("--once", &[]), [""]);
    assert_eq!(one("--once", &[b]), ["b"]);
    assert_eq!(one("--once=b", &[a, b]), ["b"]);
    assert_eq!(one("--once=a", &both), ["a"]);
    assert_eq!(one("--once=default", &both), [""]);
    let named_so = "--haproxy.target=default=unix:/d";
    assert_eq!(one("--once=default", &[named_so, both[1]]), ["default"]);
    let twice = config(&[a, a]).unwrap_err();
    assert_eq!(twice, "--haproxy.target: \"a\" is given twice");
}
