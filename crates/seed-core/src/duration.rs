//! Go's duration text, as External Secrets Operator reads and rewrites it.

/// A length of time in nanoseconds, written the way Go's `time.Duration` prints it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct GoDuration(u64);

const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl GoDuration {
    /// Reads `1h`, `90m`, `1h30m`, `0`; negative lengths and bare numbers are none.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "0" {
            return Some(Self(0));
        }
        let mut rest = text;
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
            let (number, tail) = rest.split_at_checked(digits)?;
            let word = tail
                .find(|c: char| c.is_ascii_digit() || c == '.')
                .unwrap_or(tail.len());
            let (unit, tail) = tail.split_at_checked(word)?;
            let (_, size) = UNITS.iter().find(|(known, _)| *known == unit)?;
            total = total.checked_add(scaled(number, *size)?)?;
            rest = tail;
        }
        (!text.is_empty()).then_some(Self(total))
    }

    /// The form in which Go prints it, such as `1h0m0s`: nobody rewrites that one.
    pub fn canonical(self) -> String {
        let Self(nanoseconds) = self;
        let seconds = nanoseconds / 1_000_000_000;
        let fraction = nanoseconds % 1_000_000_000;
        if seconds == 0 && fraction > 0 {
            let (unit, size) = [("ms", 1_000_000), ("µs", 1_000)]
                .into_iter()
                .find(|(_, size)| fraction >= *size)
                .unwrap_or(("ns", 1));
            return format!("{}{unit}", decimal(fraction / size, fraction % size, size));
        }
        let tail = format!("{}s", decimal(seconds % 60, fraction, 1_000_000_000));
        match (seconds / 3600, seconds / 60 % 60) {
            (0, 0) => tail,
            (0, minutes) => format!("{minutes}m{tail}"),
            (hours, minutes) => format!("{hours}h{minutes}m{tail}"),
        }
    }
}

fn scaled(number: &str, size: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut total = whole.checked_mul(size)?;
    let mut unit = size;
    for digit in fraction.chars() {
        unit /= 10;
        total = total.checked_add(unit.checked_mul(u64::from(digit.to_digit(10)?))?)?;
    }
    Some(total)
}

fn decimal(whole: u64, fraction: u64, size: u64) -> String {
    if fraction == 0 {
        return whole.to_string();
    }
    let width = size.ilog10() as usize;
    let digits = format!("{fraction:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_gos_canonical_form() {
        for (text, canonical) in [
            ("1h", "1h0m0s"),
            ("90m", "1h30m0s"),
            ("15m", "15m0s"),
            ("15s", "15s"),
            ("0", "0s"),
            ("24h", "24h0m0s"),
            ("30h0s", "30h0m0s"),
            ("0.03m", "1.8s"),
            ("1.5h", "1h30m0s"),
            ("300ms", "300ms"),
            ("1h0m0s", "1h0m0s"),
            ("1500us", "1.5ms"),
        ] {
            assert_eq!(
                GoDuration::parse(text).unwrap().canonical(),
                canonical,
                "{text}"
            );
        }
        for bad in ["", "1", "h", "1d", "-1h", "1h 2m", ".h", "1..5h"] {
            assert_eq!(GoDuration::parse(bad), None, "{bad}");
        }
    }
}
