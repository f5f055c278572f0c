//! Durations as Go writes them.

use std::fmt;

/// A duration in nanoseconds. `1h` and `60m0s` are the same one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GoDuration(i128);

impl GoDuration {
    /// Reads `1h30m`, `1.5h`, `0` and the like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let invalid = || format!("{text:?} is not a Go duration");
        let (sign, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total = 0_i128;
        while !rest.is_empty() {
            let (nanoseconds, after) = term(rest).ok_or_else(invalid)?;
            total = total.checked_add(nanoseconds).ok_or_else(invalid)?;
            rest = after;
        }
        Ok(Self(sign * total))
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let all = self.0.abs();
        let (hours, minutes) = (all / HOUR, all % HOUR / MINUTE);
        write!(f, "{sign}{hours}h{minutes}m{}", all % MINUTE / SECOND)?;
        match all % SECOND {
            0 => f.write_str("s"),
            part => write!(f, ".{part:09}s"),
        }
    }
}

/// Splits one number and its unit off: the nanoseconds, and what follows.
fn term(text: &str) -> Option<(i128, &str)> {
    let (whole, rest) = digits(text);
    let (part, rest) = rest.strip_prefix('.').map_or(("", rest), digits);
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let (unit, rest) = UNITS
        .iter()
        .find_map(|(name, unit)| rest.strip_prefix(name).map(|rest| (*unit, rest)))?;
    let number = |digits: &str| {
        if digits.is_empty() {
            Some(0)
        } else {
            digits.parse().ok()
        }
    };
    let scale = 10_i128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let whole: i128 = i128::checked_mul(number(whole)?, unit)?;
    let part: i128 = i128::checked_mul(number(part)?, unit)? / scale;
    Some((whole.checked_add(part)?, rest))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

const HOUR: i128 = 60 * MINUTE;
const MINUTE: i128 = 60 * SECOND;
const SECOND: i128 = 1_000_000_000;

/// Longer names before the names that begin them.
const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", MINUTE),
    ("h", HOUR),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Result<String, String> {
        GoDuration::parse(text).map(|duration| duration.to_string())
    }

    #[test]
    fn the_same_duration_may_be_written_in_many_ways() {
        for text in [
            "1h",
            "1h0m0s",
            "60m",
            "3600s",
            "+1h",
            "0.5h30m",
            "3600000ms",
            "1h0m0.0s",
        ] {
            assert_eq!(GoDuration::parse(text), GoDuration::parse("1h"), "{text}");
        }
        assert_ne!(GoDuration::parse("1h"), GoDuration::parse("1h0m1s"));
        assert_eq!(GoDuration::parse("0"), GoDuration::parse("0s"));
    }

    #[test]
    fn durations_are_shown_in_one_way() {
        assert_eq!(canonical("90m"), Ok("1h30m0s".into()));
        assert_eq!(canonical("1.5s"), Ok("0h0m1.500000000s".into()));
        assert_eq!(canonical("-1µs"), Ok("-0h0m0.000001000s".into()));
    }

    #[test]
    fn what_go_refuses_is_an_error() {
        for text in [
            "", "1", "h", "1d", "1h ", " 1h", "1h30", ".s", "-", "1.h.", "1,5h", "--1h",
        ] {
            assert!(GoDuration::parse(text).is_err(), "{text:?}");
        }
    }
}
