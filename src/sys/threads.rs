//! Stack size of threads.

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

fn is_only_thread() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}
