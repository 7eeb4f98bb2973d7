//! Network namespaces of the test's own: each thread has one, and so have the threads and processes that it
//! starts (network_namespaces(7)).
#![allow(unsafe_code)]

use std::ffi::{c_int, c_short, c_ulong};
use std::fs::{File, OpenOptions};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

use socket2::{Domain, Socket, Type};

use super::peers;

/// Packets that a TUN device keeps while nobody reads them: its 500 are few on a busy machine.
const TUN_PACKETS: c_int = 10_000;
/// Of all devices here.
const NETMASK: Ipv4Addr = Ipv4Addr::new(255, 255, 0, 0);

/// Puts the calling thread into a new network namespace. `false` after saying that the test is skipped.
pub(crate) fn enter_new_network() -> bool {
    // SAFETY: no pointers are passed; of this process only the calling thread is affected.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } == 0 {
        return true;
    }
    let error = io::Error::last_os_error();
    peers::skip(&format!("cannot make a network namespace: {error}"));
    false
}

/// The network namespace of the calling thread; it lives as long as the file is open.
pub(crate) fn current_network() -> io::Result<File> {
    File::open("/proc/thread-self/ns/net")
}

/// Puts the calling thread into the network namespace that [`current_network`] gave another.
pub(crate) fn enter_network(network: &File) -> io::Result<()> {
    // SAFETY: no pointers are passed; of this process only the calling thread is affected.
    check(unsafe { libc::setns(network.as_raw_fd(), libc::CLONE_NEWNET) })
}

/// Makes 127.0.0.1 and the addresses of other devices reachable from the network namespace itself.
pub(crate) fn set_up_loopback() -> io::Result<()> {
    set_up(&control_socket()?, "lo")
}

/// A new TUN device with these addresses in the network namespace of the calling thread: what is read from
/// the file is a packet that was sent there, and what is written to it arrives there. Does not block.
pub(crate) fn new_tun(name: &str, addresses: &[Ipv4Addr]) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    let tun = options
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/net/tun")?;
    let mut device = request(name);
    device.ifr_ifru.ifru_flags = short(libc::IFF_TUN | libc::IFF_NO_PI);
    ioctl(tun.as_raw_fd(), libc::TUNSETIFF as c_ulong, &mut device)?;
    let socket = control_socket()?;
    let mut device = request(name);
    device.ifr_ifru.ifru_metric = TUN_PACKETS;
    ioctl(socket.as_raw_fd(), libc::SIOCSIFTXQLEN, &mut device)?;
    for (number, address) in addresses.iter().enumerate() {
        // One address a label (netdevice(7)).
        let label = format!("{name}:{number}");
        for (call, address) in [
            (libc::SIOCSIFADDR, *address),
            (libc::SIOCSIFNETMASK, NETMASK),
        ] {
            let mut device = request(&label);
            device.ifr_ifru.ifru_addr = socket_address(address);
            ioctl(socket.as_raw_fd(), call, &mut device)?;
        }
    }
    set_up(&socket, name)?;
    Ok(tun)
}

/// Waits until one of two files has something to read, at most for a time.
pub(crate) fn wait_for_either(files: [&File; 2], time: std::time::Duration) -> io::Result<()> {
    let mut set = files.map(|file| libc::pollfd {
        fd: file.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    });
    let time = libc::timespec {
        tv_sec: time.as_secs().try_into().map_err(io::Error::other)?,
        tv_nsec: time.subsec_nanos().into(),
    };
    // SAFETY: pointer and length are those of one live array, `time` is a live timespec, and a null
    // pointer leaves the signals as they are.
    check(unsafe { libc::ppoll(set.as_mut_ptr(), 2, &raw const time, std::ptr::null()) })
}

/// Makes the calling thread, and nobody else, another user for good.
pub(crate) fn become_user(id: u32) -> io::Result<()> {
    // SAFETY: no pointers are passed. libc's own function would change all threads (setresuid(2)).
    match unsafe { libc::syscall(libc::SYS_setresuid, id, id, id) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A socket to ask for changes of devices.
fn control_socket() -> io::Result<Socket> {
    Socket::new(Domain::IPV4, Type::DGRAM, None)
}

fn set_up(socket: &Socket, name: &str) -> io::Result<()> {
    let mut device = request(name);
    device.ifr_ifru.ifru_flags = short(libc::IFF_UP);
    ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &mut device)
}

fn short(flags: c_int) -> c_short {
    c_short::try_from(flags).expect("flags of 16 bits")
}

/// A request about a device, with nothing but its name.
fn request(name: &str) -> libc::ifreq {
    // SAFETY: all of it is numbers and unions of numbers, for which zeros are valid.
    let mut device: libc::ifreq = unsafe { std::mem::zeroed() };
    assert!(name.len() < device.ifr_name.len(), "{name}");
    for (to, from) in device.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed();
    }
    device
}

fn socket_address(address: Ipv4Addr) -> libc::sockaddr {
    // struct sockaddr_in: a port of two bytes, then the address (ip(7)).
    let mut data = [0; 14];
    for (to, from) in data[2..6].iter_mut().zip(address.octets()) {
        *to = from.cast_signed();
    }
    libc::sockaddr {
        sa_family: libc::sa_family_t::try_from(libc::AF_INET).expect("a small number"),
        sa_data: data,
    }
}

fn ioctl(fd: RawFd, call: c_ulong, device: &mut libc::ifreq) -> io::Result<()> {
    // SAFETY: each of these calls reads and writes one struct ifreq, and `device` is a live one.
    check(unsafe { libc::ioctl(fd, call, std::ptr::from_mut(device)) })
}

fn check(result: c_int) -> io::Result<()> {
    match result {
        0.. => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
