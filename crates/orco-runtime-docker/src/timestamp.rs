//! The timestamps that engines put before each piece of output.

/// Splits `2026-11-21T12:22:25.123456789Z REST` into nanoseconds since 1970 and the rest. Docker writes UTC with nine
/// digits, Podman local time with an offset and as many digits as it needs.
pub(crate) fn split(frame: &[u8]) -> Option<(u64, &[u8])> {
    let end = frame.iter().take(64).position(|&b| b == b' ')?;
    let (stamp, rest) = frame.split_at(end);
    Some((parse(std::str::from_utf8(stamp).ok()?)?, rest.get(1..)?))
}

/// Nanoseconds since 1970 of an RFC 3339 time; `None` also before 1970.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let zone_at = time.find(['Z', '+', '-'])?;
    let (clock, zone) = time.split_at_checked(zone_at)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut clock = clock.splitn(3, ':').map(number);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
    let seconds = u64::try_from(seconds).ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos(fraction)?)
}

fn number(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn nanos(fraction: &str) -> Option<u64> {
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9}").parse().ok()
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let seconds = number(hours)? * 3600 + number(minutes)? * 60;
    Some(if zone.starts_with('-') { -seconds } else { seconds })
}

/// Days since 1970 in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_of_both_engines() {
        let table = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00.000000001Z", Some(1)),
            ("2026-11-21T12:22:25.123456789Z", Some(1_795_263_745_123_456_789)),
            ("2026-11-21T13:22:25.123456789+01:00", Some(1_795_263_745_123_456_789)),
            ("2026-11-21T07:52:25.12-04:30", Some(1_795_263_745_120_000_000)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800_000_000_000)),
            ("2026-13-21T12:22:25Z", None),
            ("2026-11-21 12:22:25Z", None),
            ("2026-11-21T12:22:25", None),
            ("error", None),
            ("", None),
        ];
        for (text, want) in table {
            assert_eq!(parse(text), want, "{text}");
        }
    }

    #[test]
    fn the_rest_is_untouched() {
        let (ns, rest) = split(b"1970-01-01T00:00:01Z a b\n").unwrap();
        assert_eq!((ns, rest), (1_000_000_000, &b"a b\n"[..]));
        assert_eq!(split(b"1970-01-01T00:00:01Z \n").unwrap().1, b"\n");
        assert!(split(b"no time here").is_none());
        assert!(split(b"").is_none());
    }
}
