//! A profile that denies one system call, as container runtimes and systemd install them (seccomp(2)).
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Positions in `struct seccomp_data`: the number of the call, and the low half of its first argument.
const NUMBER: u32 = 0;
const FIRST: u32 = if cfg!(target_endian = "big") { 20 } else { 16 };

/// Lets a call fail with this error in the program and all that it starts; with an argument (its position and
/// value) only where it has that one.
pub(crate) fn deny(
    command: &mut Command,
    call: libc::c_long,
    argument: Option<(u32, i32)>,
    errno: i32,
) {
    let number = u32::try_from(call).expect("the number of a call");
    let step = |code: u32, k: u32, jf: u8| libc::sock_filter {
        code: u16::try_from(code).expect("a code"),
        jt: 0,
        jf,
        k,
    };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let is_equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let end = libc::BPF_RET | libc::BPF_K;
    let mut filter = vec![step(load, NUMBER, 0)];
    let to_end = if argument.is_some() { 3 } else { 1 };
    filter.push(step(is_equal, number, to_end));
    if let Some((position, value)) = argument {
        filter.push(step(load, FIRST + 8 * position, 0));
        filter.push(step(is_equal, value.unsigned_abs(), 1));
    }
    filter.push(step(end, libc::SECCOMP_RET_ERRNO | errno.unsigned_abs(), 0));
    filter.push(step(end, libc::SECCOMP_RET_ALLOW, 0));
    let install = move || {
        let program = libc::sock_fprog {
            len: u16::try_from(filter.len()).unwrap_or(0),
            filter: filter.as_ptr().cast_mut(),
        };
        // SAFETY: prctl is async-signal-safe; the program and its steps are alive, and the kernel copies them.
        let result = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
                | libc::prctl(
                    libc::PR_SET_SECCOMP,
                    libc::SECCOMP_MODE_FILTER,
                    &raw const program,
                )
        };
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: between fork and exec only prctl runs, and nothing is allocated.
    unsafe {
        command.pre_exec(install);
    }
}

/// Starts a program without the functions of the kernel that save system calls (vdso(7)), as on machines that
/// have none: the C library does not find them in the auxiliary vector (getauxval(3), AT_SYSINFO_EHDR).
#[cfg(target_arch = "x86_64")]
pub(crate) fn spawn_without_vdso(command: &mut Command) -> io::Result<std::process::Child> {
    use std::os::unix::fs::FileExt;
    const WORD: usize = size_of::<u64>();
    const STACK_BYTES: usize = 64 * 1024;
    let trace = || {
        // SAFETY: async-signal-safe, and no pointers are used.
        match unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: between fork and exec only ptrace runs.
    unsafe { command.pre_exec(trace) };
    let child = command.spawn()?;
    let pid = child.id().cast_signed();
    let (mut status, null) = (0, std::ptr::null_mut::<libc::c_void>());
    // SAFETY: all zeros are valid registers.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    // SAFETY: the child stops once it has been replaced (ptrace(2)); both pointers are those of live values.
    let has_stopped = unsafe {
        libc::waitpid(pid, &raw mut status, 0) == pid
            && libc::ptrace(libc::PTRACE_GETREGS, pid, null, &raw mut registers) == 0
    };
    assert!(has_stopped, "{}", io::Error::last_os_error());
    let memory = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(format!("/proc/{pid}/mem"))?;
    let mut stack = vec![0; STACK_BYTES];
    let length = memory.read_at(&mut stack, registers.rsp)?;
    let words: Vec<u64> = stack[..length]
        .chunks_exact(WORD)
        .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap_or_default()))
        .collect();
    // The arguments and the environment end with a null each; pairs follow.
    let mut nulls = (1..words.len()).filter(|at| words[*at] == 0);
    let first = nulls.nth(1).map_or(words.len(), |at| at + 1);
    let mut pairs = (first..words.len()).step_by(2);
    let found = pairs.find(|at| words[*at] == libc::AT_SYSINFO_EHDR);
    let at = found.expect("a vdso") * WORD;
    memory.write_all_at(&libc::AT_IGNORE.to_le_bytes(), registers.rsp + at as u64)?;
    // SAFETY: the child goes on, and nothing is written to memory.
    unsafe { libc::ptrace(libc::PTRACE_DETACH, pid, null, null) };
    Ok(child)
}
