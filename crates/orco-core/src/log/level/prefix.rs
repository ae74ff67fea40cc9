//! Levels that are a letter, a number or a sign at the very beginning of a line.

use super::{Level, from_syslog};

/// The level that the line's first bytes say, where they are of a known form.
pub(super) fn of(line: &[u8]) -> Option<Level> {
    match line.first()? {
        b'<' => syslog(line),
        b'I' | b'W' | b'E' | b'F' | b'D' => klog(line),
        b'0'..=b'9' => redis(line),
        _ => None,
    }
}

/// `<3>` as systemd and the kernel read it, and syslog's `<34>1 …` or `<34>Oct 11 …` with the facility in it.
fn syslog(line: &[u8]) -> Option<Level> {
    let len = line[1..].iter().take(4).position(|b| *b == b'>')?;
    let number = digits(&line[1..=len])?;
    let rest = &line[len + 2..];
    let whole = rest.starts_with(b"1 ") || rest.first().is_some_and(u8::is_ascii_uppercase);
    if len == 1 || (number < 192 && whole) { from_syslog(number % 8) } else { None }
}

fn digits(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(bytes.iter().fold(0, |number, b| number * 10 + u64::from(b - b'0')))
}

/// `E1121 15:04:05.678901 …`: klog and glog, the latter with the year in newer versions.
fn klog(line: &[u8]) -> Option<Level> {
    let date = line[1..].iter().take(9).take_while(|b| b.is_ascii_digit()).count();
    let time = line.get(1 + date..)?;
    if !matches!(date, 4 | 8) || !is_time(time.strip_prefix(b" ")?) {
        return None;
    }
    Some(match line[0] {
        b'D' => Level::Debug,
        b'I' => Level::Info,
        b'W' => Level::Warn,
        b'E' => Level::Error,
        _ => Level::Fatal,
    })
}

/// `15:04:05`
fn is_time(bytes: &[u8]) -> bool {
    let shape = |(i, b): (usize, &u8)| if i % 3 == 2 { *b == b':' } else { b.is_ascii_digit() };
    bytes.len() >= 8 && bytes[..8].iter().enumerate().all(shape)
}

/// `12:M 21 Nov 2026 15:04:05.678 # Warning: …`: the sign is the level, and the text may say anything.
fn redis(line: &[u8]) -> Option<Level> {
    let pid = line.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
    let [b':', b'M' | b'S' | b'C' | b'X', b' ', ..] = line.get(pid..)? else { return None };
    let colon = pid + 3 + line[pid + 3..].iter().take(24).position(|b| *b == b':')?;
    let time = line.get(colon - 2..)?;
    let [b'.', _, _, _, b' ', sign, b' ', ..] = time.get(8..)? else { return None };
    if !is_time(time) {
        return None;
    }
    Some(match sign {
        b'.' => Level::Trace,
        b'-' => Level::Debug,
        b'*' => Level::Info,
        b'#' => Level::Warn,
        _ => return None,
    })
}
