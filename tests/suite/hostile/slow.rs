//! Readers of several speeds, and the honest clients beside them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::hostile::readers::GET;
use crate::hostile::tools::many_servers;
use crate::hostile::{Honest, alone};
use crate::support::exporter::Exporter;
use crate::support::{http, peers};

/// What Prometheus waits for.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);
/// What a load balancer's check waits for.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);
/// Between two pieces that a slow reader takes.
const PAUSE: Duration = Duration::from_millis(50);
const SCRAPES: usize = 4;
const PROBES: usize = 40;

/// Reads an answer of 20 MB at so many bytes a second, and the next.
fn read_slowly(address: SocketAddr, bytes_a_second: usize, over: &AtomicBool, read: &AtomicUsize) {
    let mut piece = vec![0; bytes_a_second / 20];
    while !over.load(Ordering::Relaxed) {
        let mut stream = TcpStream::connect(address).expect("connect");
        stream
            .set_read_timeout(Some(PAUSE))
            .expect("set a read timeout");
        if stream.write_all(GET).is_err() {
            continue;
        }
        while !over.load(Ordering::Relaxed) {
            match stream.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => drop(read.fetch_add(count, Ordering::Relaxed)),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// One answer within a time.
fn get(address: SocketAddr, path: &str, timeout: Duration) -> Result<http::Response, String> {
    let error = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect_timeout(&address, timeout).map_err(error)?;
    stream.set_read_timeout(Some(timeout)).map_err(error)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    .map_err(error)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(error)?;
    http::parse(&answer, false)
}

#[test]
fn slow_readers_cost_nobody_anything() {
    let _alone = alone();
    for (count, mib_a_second) in [(1, 2.2), (3, 4.0), (30, 2.2)] {
        let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={}", many_servers())]);
        let honest = Honest::new(exporter.address());
        let (over, read) = (AtomicBool::new(false), AtomicUsize::new(0));
        let address = exporter.address();
        let bytes_a_second = (mib_a_second * 1024.0 * 1024.0) as usize;
        let (scrapes, probes) = std::thread::scope(|scope| {
            for _ in 0..count {
                scope.spawn(|| read_slowly(address, bytes_a_second, &over, &read));
            }
            let probes = scope.spawn(|| -> Vec<Result<String, String>> {
                let probe = |_| {
                    std::thread::sleep(PAUSE);
                    let response = get(address, "/-/healthy", HEALTH_TIMEOUT)?;
                    Ok(response.text().to_owned())
                };
                (0..PROBES).map(probe).collect()
            });
            let scrapes: Vec<Result<(), String>> = (0..SCRAPES)
                .map(|_| {
                    let response = get(address, "/metrics", SCRAPE_TIMEOUT)?;
                    honest.check(&response.body)
                })
                .collect();
            let probes = probes.join().expect("the health probe");
            over.store(true, Ordering::Relaxed);
            (scrapes, probes)
        });
        let context = format!("{count} readers of {mib_a_second} MiB/s");
        peers::note(&format!(
            "{context}: VmHWM {} KiB, {} MB read slowly",
            exporter.proc_status("VmHWM"),
            read.load(Ordering::Relaxed) / 1_000_000
        ));
        assert!(
            read.load(Ordering::Relaxed) > 1_000_000,
            "{context} read nothing"
        );
        assert_eq!(scrapes, vec![Ok(()); SCRAPES], "{context}");
        assert_eq!(probes, vec![Ok("OK\n".to_owned()); PROBES], "{context}");
        assert_eq!(exporter.finish().status.code(), Some(0));
    }
}
