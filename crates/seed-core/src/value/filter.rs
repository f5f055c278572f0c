//! What `| base64`, `| json` and `| urlencode` do to a value.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

use super::form::encode_base64;
use crate::secret::SecretValue;
use crate::text::Filter;

/// Everything but letters, digits and `-._~` (RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Why a filter cannot be applied. Holds nothing of the value.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FilterError {
    /// `name` is about the entry, not about its value.
    #[error("`name` gives the stored name; there is no value to filter")]
    Name,
    /// A JSON string is text.
    #[error("`json` needs UTF-8 text, and the value is none")]
    NotText,
}

/// Applies one filter. Several are applied from left to right, each to what the one before gave.
///
/// `base64` is RFC 4648 section 4 with padding on one line; `json` a string of RFC 8259 in its quotes; `urlencode`
/// keeps what RFC 3986 calls unreserved and writes every other byte as `%XX` in upper case.
pub fn apply(filter: Filter, value: &[u8]) -> Result<SecretValue, FilterError> {
    match filter {
        Filter::Base64 => Ok(encode_base64(value)),
        Filter::Json => json_string(value),
        Filter::Name => Err(FilterError::Name),
        Filter::Urlencode => {
            let mut text = Vec::with_capacity(value.len().saturating_mul(3));
            percent_encode(value, RESERVED)
                .for_each(|part| text.extend_from_slice(part.as_bytes()));
            Ok(SecretValue::new(text))
        }
    }
}

fn json_string(value: &[u8]) -> Result<SecretValue, FilterError> {
    let text = std::str::from_utf8(value).map_err(|_| FilterError::NotText)?;
    // The longest escape of a byte is `\u0000`; with room for it the buffer never moves and leaves no copy.
    let mut json = Zeroizing::new(Vec::with_capacity(
        text.len().saturating_mul(6).saturating_add(2),
    ));
    serde_json::to_writer(&mut *json, text).map_err(|_| FilterError::NotText)?;
    Ok(SecretValue::new(std::mem::take(&mut *json)))
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode;
    use proptest::prelude::*;

    use super::*;

    fn text(filter: Filter, value: impl AsRef<[u8]>) -> String {
        apply(filter, value.as_ref())
            .unwrap()
            .expose_text()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn unreserved_characters_stay_and_all_else_is_percent_encoded() {
        let unreserved = "ABCXYZabcxyz0189-._~";
        assert_eq!(text(Filter::Urlencode, unreserved), unreserved);
        assert_eq!(
            text(Filter::Urlencode, "p@ss w/é+%"),
            "p%40ss%20w%2F%C3%A9%2B%25"
        );
        assert_eq!(text(Filter::Urlencode, [0x00, 0xff]), "%00%FF");
        let stays = (0..=u8::MAX)
            .filter(|byte| text(Filter::Urlencode, [*byte]).len() == 1)
            .count();
        assert_eq!(stays, 26 + 26 + 10 + 4);
    }

    #[test]
    fn base64_is_padded_and_on_one_line() {
        assert_eq!(text(Filter::Base64, "user:pass"), "dXNlcjpwYXNz");
        assert_eq!(text(Filter::Base64, [0xfb, 0xff]), "+/8=");
        assert!(!text(Filter::Base64, [0; 300]).contains('\n'));
    }

    #[test]
    fn json_is_a_string_in_quotes() {
        assert_eq!(
            text(Filter::Json, "a\"b\\c\n\u{1}é"),
            r#""a\"b\\c\n\u0001é""#
        );
        assert_eq!(
            apply(Filter::Json, &[0xff]).unwrap_err(),
            FilterError::NotText
        );
    }

    #[test]
    fn a_name_is_no_filter_of_a_value() {
        assert_eq!(apply(Filter::Name, b"a").unwrap_err(), FilterError::Name);
    }

    proptest! {
        #[test]
        fn what_was_filtered_can_be_read_back(value in any::<Vec<u8>>(), words in any::<String>()) {
            let encoded = text(Filter::Urlencode, &value);
            prop_assert_eq!(percent_decode(encoded.as_bytes()).collect::<Vec<u8>>(), value.clone());
            let encoded = apply(Filter::Base64, &value).unwrap();
            let decoded = super::super::decode_base64(encoded.expose()).unwrap();
            prop_assert_eq!(decoded.expose(), value.as_slice());
            let encoded = text(Filter::Json, &words);
            prop_assert_eq!(serde_json::from_str::<String>(&encoded).unwrap(), words);
        }
    }
}
