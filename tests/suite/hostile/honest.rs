//! Many honest clients at once.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use crate::hostile::tools::read_response;
use crate::hostile::{Footprint, Honest};
use crate::support::exporter::Exporter;
use crate::support::fixtures;
use crate::support::http::PATIENCE;

/// What a client does in all its rounds.
type Client = fn(&Honest) -> Result<(), String>;

const CLIENTS: usize = 16;
const ROUNDS: usize = 100;

#[test]
fn sixteen_honest_clients() {
    let path = fixtures::path("1.5.0/stat.csv");
    let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri=file:{}", path.display())]);
    let honest = Honest::new(exporter.address());
    let before = Footprint::settled(&exporter);
    let rounds: [(&str, Client); 2] = [
        ("keep-alive", keep_alive),
        ("a connection each", one_by_one),
    ];
    for (name, client) in rounds {
        let began = Instant::now();
        let failures: Vec<String> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| scope.spawn(|| client(&honest)))
                .collect();
            let ends = clients
                .into_iter()
                .map(|client| client.join().expect("a client"));
            ends.filter_map(Result::err).collect()
        });
        assert!(failures.is_empty(), "{name}:\n{}", failures.join("\n"));
        let after = Footprint::recovered(&exporter, &before);
        assert_eq!(after.exceeds(&before), Vec::<String>::new(), "{name}");
        eprintln!(
            "| 16 honest clients, 100 rounds, {name} | {0}/{0} | in {1} ms | {2:.1} MB |",
            CLIENTS * ROUNDS,
            began.elapsed().as_millis(),
            exporter.proc_status("VmHWM") as f64 / 1024.0
        );
    }
    assert_eq!(exporter.finish().status.code(), Some(0));
}

fn keep_alive(honest: &Honest) -> Result<(), String> {
    let stream = TcpStream::connect(honest.address()).map_err(|e| e.to_string())?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .map_err(|e| e.to_string())?;
    let mut stream = BufReader::new(stream);
    for round in 0..ROUNDS {
        let request = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
        stream
            .get_mut()
            .write_all(request)
            .map_err(|e| format!("round {round}: {e}"))?;
        let response =
            read_response(&mut stream, false).map_err(|e| format!("round {round}: {e}"))?;
        honest.check(&response.body)?;
    }
    // Nothing more comes of its own accord.
    stream
        .get_ref()
        .set_nonblocking(true)
        .map_err(|e| e.to_string())?;
    match stream.read(&mut [0]) {
        Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
        other => Err(format!("{other:?} after the last answer")),
    }
}

fn one_by_one(honest: &Honest) -> Result<(), String> {
    (0..ROUNDS).try_for_each(|_| honest.scrape().map(drop))
}
