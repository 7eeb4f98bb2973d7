use super::*;
use std::io::Read;
use std::os::fd::OwnedFd;

/// A pipe holds 64 KiB (pipe(7)).
const PIPE_BYTES: usize = 64 * 1024;

#[test]
fn a_full_pipe_is_not_waited_for() {
    let (mut reader, writer) = io::pipe().unwrap();
    let ready = ReadyFd(File::from(OwnedFd::from(writer.try_clone().unwrap())));
    ready.tell().unwrap();
    reader.read_exact(&mut [0]).unwrap();
    (&writer).write_all(&[0; PIPE_BYTES]).unwrap();
    let ready = ReadyFd(File::from(OwnedFd::from(writer)));
    let error = ready.tell().unwrap_err().to_string();
    assert_eq!(error, "the pipe is full, and nobody reads it");
}
