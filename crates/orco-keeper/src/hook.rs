//! The hook that turns a program into a keeper before its `main` runs.
//!
//! The trigger is the name `orco-keeper` as argument 0 together with a Unix stream socket on descriptor 3: never a
//! variable, which a service would inherit.

use std::{
    ffi::CStr,
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
};

use libc::{c_char, c_int};

/// The keeper's argument 0.
pub(crate) const NAME: &CStr = c"orco-keeper";

/// The descriptor of the socket to the engine.
pub(crate) const SOCKET: c_int = 3;

static RAN: AtomicBool = AtomicBool::new(false);

/// Run by the loader before `main`, with the program's arguments (glibc's promise).
#[used]
#[unsafe(link_section = ".init_array")]
static HOOK: extern "C" fn(c_int, *const *const c_char) = before_main;

extern "C" fn before_main(argc: c_int, argv: *const *const c_char) {
    RAN.store(true, Ordering::Relaxed);
    // SAFETY: the loader's own argc and argv.
    if let Some(arguments) = unsafe { arguments_of(NAME, argc, argv) }
        && is_stream_socket(SOCKET)
    {
        std::process::exit(crate::keeper::run(&arguments));
    }
}

/// Whether this program can be its own keeper: the hook is linked in and has run.
///
/// Mentioning the crate by calling this is what makes the linker keep the hook.
pub fn hook_active() -> bool {
    black_box(&raw const HOOK);
    RAN.load(Ordering::Relaxed)
}

/// Another function of this program's `.init_array` runs, perhaps before this one's turn: so this one is run too, when
/// the program is started again.
pub(crate) fn is_about_to_run() {
    black_box(&raw const HOOK);
    RAN.store(true, Ordering::Relaxed);
}

/// The arguments after the name, if it is this one.
///
/// # Safety
/// `argc` and `argv` are what the loader passes to the functions of `.init_array`.
#[cfg(target_env = "gnu")]
pub(crate) unsafe fn arguments_of(name: &CStr, argc: c_int, argv: *const *const c_char) -> Option<Vec<Vec<u8>>> {
    let count = usize::try_from(argc).ok().filter(|count| *count > 0 && !argv.is_null())?;
    // SAFETY: glibc passes main's own argc and argv to the functions of .init_array: argc valid C strings.
    let argument = |at: usize| unsafe { CStr::from_ptr(*argv.add(at)) };
    (argument(0) == name).then(|| (1..count).map(|at| argument(at).to_bytes().to_vec()).collect())
}

/// Other C libraries pass nothing: the kernel knows.
///
/// # Safety
/// None is needed; the other one's are.
#[cfg(not(target_env = "gnu"))]
pub(crate) unsafe fn arguments_of(name: &CStr, _: c_int, _: *const *const c_char) -> Option<Vec<Vec<u8>>> {
    let line = std::fs::read("/proc/self/cmdline").ok()?;
    let mut arguments = line.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    (arguments.next()? == name.to_bytes()).then(|| arguments.filter(|argument| !argument.is_empty()).collect())
}

pub(crate) fn is_stream_socket(fd: c_int) -> bool {
    option(fd, libc::SO_DOMAIN) == Some(libc::AF_UNIX) && option(fd, libc::SO_TYPE) == Some(libc::SOCK_STREAM)
}

pub(crate) fn is_listener(fd: c_int) -> bool {
    is_stream_socket(fd) && option(fd, libc::SO_ACCEPTCONN) == Some(1)
}

fn option(fd: c_int, name: c_int) -> Option<c_int> {
    let mut value: c_int = -1;
    let mut length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: `value` and `length` describe a valid place for an int; a bad descriptor is only an error.
    let answer = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, name, (&raw mut value).cast(), &raw mut length) };
    (answer == 0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_binary_has_the_hook() {
        assert!(hook_active());
    }

    #[test]
    fn only_a_unix_stream_socket_counts() {
        use std::os::fd::AsRawFd;
        let (stream, _other) = std::os::unix::net::UnixStream::pair().unwrap_or_else(|e| panic!("{e}"));
        let file = std::fs::File::open("/dev/null").unwrap_or_else(|e| panic!("{e}"));
        assert!(is_stream_socket(stream.as_raw_fd()));
        assert!(!is_stream_socket(file.as_raw_fd()));
        assert!(!is_stream_socket(9999));
    }
}
