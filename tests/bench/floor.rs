//! What no exporter can beat: HAProxy has to print its answer, and the kernel has to carry as many
//! bytes as the exposition has over a loopback connection. One comes after the other, since the
//! first line of the exposition needs the last row.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::Client;

/// What the sender gives the kernel in one go.
const PIECE_BYTES: usize = 64 * 1024;

/// Time until a bare reader has the whole answer to `show stat`.
pub(crate) fn show_stat(socket: &Path, client: &mut Client) -> io::Result<Duration> {
    let start = Instant::now();
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(b"show stat\n")?;
    client.drain(&mut stream)?;
    Ok(start.elapsed())
}

/// Time until a client has `bytes` bytes from a bare sender.
pub(crate) fn loopback(bytes: u64, client: &mut Client) -> io::Result<Duration> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let piece = vec![b'x'; PIECE_BYTES];
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| -> io::Result<()> {
            let (mut stream, _) = listener.accept()?;
            let mut left = bytes;
            while left > 0 {
                let count = left.min(PIECE_BYTES as u64);
                stream.write_all(&piece[..count as usize])?;
                left -= count;
            }
            Ok(())
        });
        let start = Instant::now();
        let received = TcpStream::connect(address).and_then(|mut stream| client.drain(&mut stream));
        let took = start.elapsed();
        match (sender.join(), received?) {
            (Ok(Ok(())), received) if received == bytes => Ok(took),
            _ => Err(io::Error::other("the bare sender failed")),
        }
    })
}
