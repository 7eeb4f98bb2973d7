//! Sizes of thread stacks.

/// Gives threads whose creator does not ask for a size, such as those of a library, stacks of so many
/// bytes instead of std's 2 MiB. To be called before the first of them starts: std looks at its variable
/// once (std::thread, RUST_MIN_STACK). Where an operator has set that, or other threads are there or may
/// be, nothing changes: it costs address space only.
pub(crate) fn set_default_stack_bytes(bytes: usize) {
    const VARIABLE: &str = "RUST_MIN_STACK";
    if std::env::var_os(VARIABLE).is_none() && is_only_thread() {
        // SAFETY: this is the only thread of the process (proc(5), /proc/self/task), so nobody reads the
        // environment meanwhile.
        unsafe { std::env::set_var(VARIABLE, bytes.to_string()) };
    }
}

fn is_only_thread() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}
