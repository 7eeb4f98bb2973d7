//! A slow link between two network namespaces: packets wait for their turn, as they do at a router, and are
//! on their way for a while.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::namespace::{
    current_network, enter_network, enter_new_network, new_tun, set_up_loopback, wait_for_either,
};
use super::peers;

/// The address of the near end.
pub(crate) const NEAR: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
/// A router keeps what it can send within this time, and drops what comes besides.
const LONGEST_QUEUE: Duration = Duration::from_millis(100);
/// Until the next look at whether the test is over.
const LONGEST_WAIT: Duration = Duration::from_millis(50);
/// Packets that are taken from one side before the other has its turn.
const PACKETS_A_TURN: usize = 64;
/// More than a packet of any device here.
const PACKET_BYTES: usize = 4096;

/// The line to each address of the far end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) round_trip: Duration,
    /// In each direction, with the heads of the packets.
    pub(crate) bits_a_second: f64,
}

impl Line {
    /// How long bytes take to leave, one after the other.
    pub(crate) fn time_for(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 * 8.0 / self.bits_a_second)
    }
}

/// A running relay. It ends, and the namespaces with it, when it goes out of scope.
pub(crate) struct SlowLink {
    /// The network namespace of the far end.
    far: File,
    over: Arc<AtomicBool>,
    relay: Option<JoinHandle<io::Result<()>>>,
}

impl SlowLink {
    /// Makes two networks with such a line from [`NEAR`] to each of the addresses of the far end, and puts
    /// the calling thread into the near one. `None` after saying that the test is skipped.
    pub(crate) fn enter_near_end(line: Line, far_addresses: &[Ipv4Addr]) -> Option<SlowLink> {
        let far_end = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("slow link".to_owned());
            let far_end = thread.spawn_scoped(scope, || end("far", far_addresses));
            far_end.expect("a thread").join().expect("the far end")
        });
        let (far_tun, far) = far_end?;
        let (near_tun, _) = end("near", &[NEAR])?;
        let over = Arc::new(AtomicBool::new(false));
        let relay = std::thread::spawn({
            let over = Arc::clone(&over);
            move || Relay::new(line, near_tun, far_tun).run(&over)
        });
        Some(SlowLink {
            far,
            over,
            relay: Some(relay),
        })
    }

    /// Puts the calling thread into the network of the far end.
    pub(crate) fn enter_far_end(&self) {
        enter_network(&self.far).expect("enter a network namespace");
    }
}

impl Drop for SlowLink {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let end = self.relay.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            let end = end.expect("a relay").expect("the relay's end");
            end.expect("packets that can be read and written");
        }
    }
}

/// Makes a network with a TUN device, and puts the calling thread into it.
fn end(name: &str, addresses: &[Ipv4Addr]) -> Option<(File, File)> {
    if !enter_new_network() {
        return None;
    }
    let made = set_up_loopback()
        .and_then(|()| new_tun(name, addresses))
        .and_then(|tun| Ok((tun, current_network()?)));
    made.inspect_err(|error| peers::skip(&format!("cannot make a TUN device: {error}")))
        .ok()
}

struct Packet {
    arrives: Instant,
    bytes: Vec<u8>,
}

/// One direction of a line.
struct Way {
    /// When the last of its packets has left.
    free_at: Instant,
    packets: VecDeque<Packet>,
}

/// One direction of all lines, by their addresses of the far end.
struct Ways {
    from: File,
    to: File,
    /// Where the address of the far end stands in a packet (RFC 791, 3.1): it is the source or the
    /// destination.
    far_address_at: usize,
    ways: HashMap<[u8; 4], Way>,
}

impl Ways {
    /// Takes packets that were sent.
    fn take(&mut self, line: Line) -> io::Result<()> {
        let mut packet = [0; PACKET_BYTES];
        for _ in 0..PACKETS_A_TURN {
            let count = match self.from.read(&mut packet) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            let packet = &packet[..count];
            let far = packet.get(self.far_address_at..self.far_address_at + 4);
            let far = far.and_then(|address| <[u8; 4]>::try_from(address).ok());
            // The kernel looks for neighbours over IPv6.
            let is_ipv4 = packet.first().is_some_and(|first| first >> 4 == 4);
            let (true, Some(far)) = (is_ipv4, far) else {
                continue;
            };
            let now = Instant::now();
            let way = self.ways.entry(far).or_insert_with(|| Way {
                free_at: now,
                packets: VecDeque::new(),
            });
            let leaves = way.free_at.max(now);
            if leaves - now <= LONGEST_QUEUE {
                way.free_at = leaves + line.time_for(count);
                way.packets.push_back(Packet {
                    arrives: way.free_at + line.round_trip / 2,
                    bytes: packet.to_vec(),
                });
            }
        }
        Ok(())
    }

    /// Hands out the packets that have arrived; when the next one will.
    fn hand_out(&mut self, now: Instant) -> io::Result<Option<Instant>> {
        for way in self.ways.values_mut() {
            while way
                .packets
                .front()
                .is_some_and(|packet| packet.arrives <= now)
                && let Some(packet) = way.packets.pop_front()
            {
                self.to.write_all(&packet.bytes)?;
            }
        }
        let next = self.ways.values().filter_map(|way| way.packets.front());
        Ok(next.map(|packet| packet.arrives).min())
    }
}

struct Relay {
    line: Line,
    down: Ways,
    up: Ways,
}

impl Relay {
    fn new(line: Line, near: File, far: File) -> Relay {
        let twin = |file: &File| file.try_clone().expect("a second handle");
        let ways = |from: &File, to: &File, far_address_at| Ways {
            from: twin(from),
            to: twin(to),
            far_address_at,
            ways: HashMap::new(),
        };
        Relay {
            line,
            down: ways(&near, &far, 16),
            up: ways(&far, &near, 12),
        }
    }

    fn run(mut self, over: &AtomicBool) -> io::Result<()> {
        while !over.load(Ordering::Relaxed) {
            let now = Instant::now();
            let next = [self.down.hand_out(now)?, self.up.hand_out(now)?];
            let next = next.into_iter().flatten().min();
            let wait = next.map_or(LONGEST_WAIT, |next| next.saturating_duration_since(now));
            wait_for_either([&self.down.from, &self.up.from], wait.min(LONGEST_WAIT))?;
            self.down.take(self.line)?;
            self.up.take(self.line)?;
        }
        Ok(())
    }
}
