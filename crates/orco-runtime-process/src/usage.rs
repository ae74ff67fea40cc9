//! What a process uses, from /proc.

use std::{fs, time::Duration};

use nix::unistd::{SysconfVar, sysconf};
use orco_core::runtime::Usage;

/// What the process uses now.
pub(crate) fn read(pid: u32) -> Option<Usage> {
    let ticks = sysconf(SysconfVar::CLK_TCK).ok()??.cast_unsigned();
    let page = sysconf(SysconfVar::PAGE_SIZE).ok()??.cast_unsigned();
    parse(&fs::read(format!("/proc/{pid}/stat")).ok()?, ticks, page)
}

fn parse(stat: &[u8], ticks: u64, page: u64) -> Option<Usage> {
    // The name in parentheses may hold anything.
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let text = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    let mut fields = text.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let pages: u64 = fields.nth(8)?.parse().ok()?;
    let millis = (user + system).checked_mul(1000)?.checked_div(ticks)?;
    Some(Usage::new(Duration::from_millis(millis), pages.checked_mul(page)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_pages_are_found_behind_any_name() {
        let stat =
            b"12 (a) b) S 7 12 34 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 1 0 987654 1000 25 18446744073709551615\n";
        assert_eq!(parse(stat, 100, 4096), Some(Usage::new(Duration::from_secs(2), 25 * 4096)));
        assert_eq!(parse(b"12 (a", 100, 4096), None);
    }

    #[test]
    fn this_process_uses_something() {
        assert!(read(std::process::id()).is_some_and(|usage| usage.memory > 0));
    }
}
