//! How an engine that idles for months stays small.

/// Makes the allocator keep less. To be called before the first thread begins.
pub fn stay_small() {
    #[cfg(target_env = "gnu")]
    // SAFETY: allocator tuning: an engine works on one thread, so its few others need no arena of their own.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Gives back what the allocator holds and nobody uses, after much was freed: a start, or a recovery.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it takes the allocator's own lock and touches only free memory.
    unsafe {
        libc::malloc_trim(0);
    }
}
