//! The tag by which a version is known to be a run's: whose it is, when its writer looked, and what it is for.

use std::fmt;
use std::str::FromStr;

/// The tag's name.
pub(crate) const TAG: &str = "seed-claim";

/// What a run says of a version that it writes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Claim {
    /// The run: a random number.
    pub(crate) run: u64,
    /// Which of the run's writes it is.
    pub(crate) step: u64,
    /// When the run looked, by the service's clock, in seconds since 1970.
    pub(crate) looked: i64,
    pub(crate) purpose: Purpose,
}

/// What a version is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// It follows that version, which was the current one when its writer looked.
    After(String),
    /// It puts that version's value back.
    Copy(String),
    /// It is the first, as far as its writer saw.
    First,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            run, step, looked, ..
        } = self;
        write!(f, "1.{run:016x}.{step}.{looked}")?;
        match &self.purpose {
            Purpose::After(version) => write!(f, ".after.{version}"),
            Purpose::Copy(version) => write!(f, ".copy.{version}"),
            Purpose::First => Ok(()),
        }
    }
}

/// It is no claim, or one of a later form.
#[derive(Debug)]
pub(crate) struct NoClaim;

impl FromStr for Claim {
    type Err = NoClaim;

    fn from_str(text: &str) -> Result<Self, NoClaim> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(NoClaim);
        if next()? != "1" {
            return Err(NoClaim);
        }
        let run = u64::from_str_radix(next()?, 16).map_err(|_| NoClaim)?;
        let step = next()?.parse().map_err(|_| NoClaim)?;
        let looked = next()?.parse().map_err(|_| NoClaim)?;
        let purpose = match (parts.next(), parts.next(), parts.next()) {
            (None, None, None) => Purpose::First,
            (Some("after"), Some(version), None) => Purpose::After(version.to_owned()),
            (Some("copy"), Some(version), None) => Purpose::Copy(version.to_owned()),
            _ => return Err(NoClaim),
        };
        let claim = Self {
            run,
            step,
            looked,
            purpose,
        };
        // What we would not have written is not ours.
        if claim.to_string() == text {
            Ok(claim)
        } else {
            Err(NoClaim)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_read_as_it_was_written() {
        for purpose in [
            Purpose::First,
            Purpose::After("0f".to_owned()),
            Purpose::Copy("0f".to_owned()),
        ] {
            let claim = Claim {
                run: 0xab,
                step: 7,
                looked: 1_700_000_000,
                purpose,
            };
            assert_eq!(claim.to_string().parse::<Claim>().unwrap(), claim);
        }
    }

    #[test]
    fn what_a_person_may_have_written_is_no_claim() {
        for text in [
            "",
            "mine",
            "2.00000000000000ab.7.1",
            "1.ab.7.1",
            "1.00000000000000ab.07.1",
            "1.00000000000000ab.7.1.after",
            "1.00000000000000ab.7.1.after.0f.x",
            "1.00000000000000ab.7.1.before.0f",
        ] {
            assert!(text.parse::<Claim>().is_err(), "{text}");
        }
    }
}
