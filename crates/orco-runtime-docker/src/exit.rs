//! What a container's state says about how it ended.

use orco_core::model::Exit;

/// The exit of a container with this status. No engine says more than one number, neither when it is asked nor in its
/// events: 128 and the signal's number where a signal killed the main process. A program that exits with such a number by
/// itself (a shell whose last command was killed does) is told as killed too, for the other way round a kill would be
/// told as a program's own decision. The init inside passes the number on.
pub(crate) const fn of(code: i64, oom_killed: bool) -> Exit {
    // The counter is the whole container's: a main process that ended well survived the loss of a child.
    if oom_killed && code != 0 {
        return Exit::Oom;
    }
    match code {
        // Signals that there are: 32 and 33 are the C library's own.
        129..=159 | 162..=192 => Exit::Signal((code - 128) as i32),
        _ => Exit::Code(code as i32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_signals_and_want_of_memory() {
        let table = [
            ((0, false), Exit::Code(0)),
            ((7, false), Exit::Code(7)),
            ((128, false), Exit::Code(128)),
            ((130, false), Exit::Signal(2)),
            ((137, false), Exit::Signal(9)),
            ((143, false), Exit::Signal(15)),
            ((160, false), Exit::Code(160)),
            ((255, false), Exit::Code(255)),
            ((137, true), Exit::Oom),
            ((1, true), Exit::Oom),
            ((0, true), Exit::Code(0)),
        ];
        for ((code, oom), want) in table {
            assert_eq!(of(code, oom), want, "{code} {oom}");
        }
    }
}
