//! Stack size and names of threads.

/// Sets the stack size, in bytes, of threads whose creator does not choose one, such as those of a
/// library. The default of std is 2 MiB. Must be called before the first thread starts, because std
/// reads its variable only once (std::thread, RUST_MIN_STACK).
///
/// Changes nothing if the operator has set that variable, or if other threads exist or might exist.
/// Large stacks cost only address space.
pub(crate) fn set_default_stack_bytes(bytes: usize) {
    const VARIABLE: &str = "RUST_MIN_STACK";
    if std::env::var_os(VARIABLE).is_none() && is_only_thread() {
        // SAFETY: this is the only thread of the process (proc(5), /proc/self/task), so nothing
        // reads the environment at the same time.
        unsafe { std::env::set_var(VARIABLE, bytes.to_string()) };
    }
}

/// Names the calling thread, for ps and debuggers (prctl(2), PR_SET_NAME). std calls it by the name that it has
/// in the C library, for the calling thread only. musl's can name the other threads too, whose file it
/// finds with snprintf: nothing else needs that, and it takes 8 KB.
#[cfg(target_env = "musl")]
#[unsafe(no_mangle)]
extern "C" fn pthread_setname_np(_: libc::pthread_t, name: *const libc::c_char) -> libc::c_int {
    // SAFETY: std passes a string that ends with NUL, and the kernel reads it up to there, 16 bytes at most.
    unsafe { libc::prctl(libc::PR_SET_NAME, name) }
}

fn is_only_thread() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}
