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
