//! What is stored, and by which clock.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

/// One version of a secret.
#[derive(Clone)]
pub struct StoredVersion {
    /// 32 hexadecimal digits.
    pub id: String,
    /// What is kept.
    pub value: String,
    /// Its content type.
    pub content_type: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether it may be read.
    pub enabled: bool,
    /// When it expires, in seconds since 1970.
    pub expires: Option<i64>,
    /// From when on it is valid.
    pub not_before: Option<i64>,
    /// When it was made, in whole seconds as the service has it.
    pub created: i64,
    /// When its attributes or tags were last changed.
    pub updated: i64,
}

impl std::fmt::Debug for StoredVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredVersion")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What a test changes of a current version, as somebody with the portal would.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// Whether it may be read.
    pub enabled: Option<bool>,
    /// When it expires.
    pub expires: Option<i64>,
    /// From when on it is valid.
    pub not_before: Option<i64>,
    /// All of its tags.
    pub tags: Option<BTreeMap<String, String>>,
}

#[derive(Clone)]
pub(super) struct Secret {
    /// As it was first written.
    pub(super) name: String,
    /// In the order in which they came.
    pub(super) versions: Vec<StoredVersion>,
    pub(super) deleted: Option<Deleted>,
    /// How many more looks do not show it after it was recovered.
    pub(super) returning: u32,
}

#[derive(Clone, Copy)]
pub(super) struct Deleted {
    pub(super) at: i64,
    pub(super) purged: i64,
}

impl StoredVersion {
    pub(super) fn attributes(&self) -> Value {
        let mut attributes = Map::new();
        attributes.insert("enabled".to_owned(), json!(self.enabled));
        for (name, time) in [("nbf", self.not_before), ("exp", self.expires)] {
            if let Some(time) = time {
                attributes.insert(name.to_owned(), json!(time));
            }
        }
        attributes.insert("created".to_owned(), json!(self.created));
        attributes.insert("updated".to_owned(), json!(self.updated));
        attributes.insert("recoveryLevel".to_owned(), json!("Recoverable+Purgeable"));
        attributes.insert("recoverableDays".to_owned(), json!(DAYS));
        Value::Object(attributes)
    }

    /// All but the value.
    pub(super) fn properties(&self, id: String) -> Map<String, Value> {
        let mut properties = Map::new();
        properties.insert("id".to_owned(), Value::String(id));
        properties.insert("attributes".to_owned(), self.attributes());
        if let Some(kind) = &self.content_type {
            properties.insert("contentType".to_owned(), json!(kind));
        }
        if !self.tags.is_empty() {
            properties.insert("tags".to_owned(), json!(self.tags));
        }
        properties
    }
}

/// For how long a deleted secret is kept.
pub(super) const DAYS: i64 = 90;

/// The service's clock: the machine's, moved or stopped by a test.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Time {
    moved: i64,
    stopped: Option<i64>,
}

impl Time {
    pub(super) fn now(self) -> i64 {
        let real = || {
            let passed = SystemTime::now().duration_since(UNIX_EPOCH);
            passed.map_or(0, |passed| i64::try_from(passed.as_secs()).unwrap_or(0))
        };
        self.stopped.unwrap_or_else(real) + self.moved
    }

    pub(super) fn advance(&mut self, seconds: i64) {
        self.moved += seconds;
    }

    pub(super) fn go_on(&mut self) {
        let now = self.now();
        *self = Self::default();
        self.moved = now - self.now();
    }

    pub(super) fn stop(&mut self) {
        let now = self.now();
        *self = Self {
            moved: 0,
            stopped: Some(now),
        };
    }
}

/// A time as the header `Date` has it.
pub(super) fn http_date(seconds: i64) -> String {
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since 0000-03-01, so that a leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2).rem_euclid(12);
    let year = year_of_era + era * 400 + i64::from(month < 2);
    let pick = |names: &str, index: i64| {
        let at = usize::try_from(index * 3).unwrap_or(0);
        names.get(at..at + 3).unwrap_or_default().to_owned()
    };
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        pick("ThuFriSatSunMonTueWed", days.rem_euclid(7)),
        pick("JanFebMarAprMayJunJulAugSepOctNovDec", month),
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

#[cfg(test)]
mod tests {
    use super::http_date;

    #[test]
    fn a_date_is_written_as_the_standard_has_it() {
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        // The example of RFC 9110, and a leap day.
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(1_709_208_000), "Thu, 29 Feb 2024 12:00:00 GMT");
    }
}
