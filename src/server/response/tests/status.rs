//! The status of a response with metrics.

use super::super::super::tests::MANNER;
use super::*;

/// A failed scrape has the chosen status and the same text; a complete one has 200.
#[test]
fn the_status_of_a_failed_scrape() {
    let unavailable = Status::parse("503").unwrap();
    for (is_up, chosen, line) in [
        (true, Status::OK, "HTTP/1.1 200 OK\r\n"),
        (false, Status::OK, "HTTP/1.1 200 OK\r\n"),
        (true, unavailable, "HTTP/1.1 200 OK\r\n"),
        (false, unavailable, "HTTP/1.1 503 Service Unavailable\r\n"),
    ] {
        for (is_head, encoding) in [
            (false, Encoding::Fixed),
            (false, Encoding::Identity),
            (false, Encoding::Gzip),
            (true, Encoding::Gzip),
        ] {
            let mut snapshot = snapshot(1, 2);
            snapshot.outcome.is_up = is_up;
            let expected = text(&snapshot);
            let manner = Manner {
                is_head,
                encoding,
                failure_status: chosen,
                ..MANNER
            };
            let mut response =
                Response::new(Arc::new(snapshot), selection(), manner, Instant::now());
            let (near, mut far) = client();
            let mut buffers = Buffers::default();
            while !matches!(
                response.send(near.as_fd(), &mut buffers),
                Ok(Progress::Sent)
            ) {}
            drop(near);
            let mut sent = Vec::new();
            far.read_to_end(&mut sent).unwrap();
            assert!(sent.starts_with(line.as_bytes()), "{is_up} {chosen:?}");
            // An error is never compressed.
            let is_compressed = encoding == Encoding::Gzip && line.contains(" 200 ");
            let is_plain = !is_compressed && !is_head;
            assert_eq!(sent.ends_with(expected.as_bytes()), is_plain);
        }
    }
    assert_eq!(Status::parse("500"), None);
}
