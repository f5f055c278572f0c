//! What a check wants, in words for the person who is asked for a value.

use super::check::Checks;
use super::url::{UrlCheck, Userinfo};

impl Checks {
    /// What a value must look like, or `None` when anything will do.
    pub fn expected(&self) -> Option<String> {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.characters());
        parts.extend(self.bytes.map(|bytes| number(bytes, "byte")));
        let prefix = self.prefix.as_ref();
        parts.extend(prefix.map(|prefix| format!("beginning with `{prefix}`")));
        let pattern = self.pattern.as_ref();
        parts.extend(pattern.map(|pattern| format!("matching `{}`", pattern.as_str())));
        if !self.one_of.is_empty() {
            let words: Vec<String> = self.one_of.iter().map(|word| format!("`{word}`")).collect();
            parts.push(words.join(" or "));
        }
        parts.extend(self.url.as_ref().map(url));
        parts.extend(self.pem.map(|pem| format!("PEM ({})", pem.as_str())));
        if self.json {
            parts.push("JSON".to_owned());
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    fn characters(&self) -> Option<String> {
        match (self.length, self.min, self.max) {
            (Some(length), _, _) => Some(number(length, "character")),
            (None, Some(min), Some(max)) => Some(format!("{min} to {}", number(max, "character"))),
            (None, Some(min), None) => Some(format!("at least {}", number(min, "character"))),
            (None, None, Some(max)) => Some(format!("at most {}", number(max, "character"))),
            (None, None, None) => None,
        }
    }
}

fn url(check: &UrlCheck) -> String {
    let mut text = "a URL".to_owned();
    if !check.schemes.is_empty() {
        text.push_str(&format!(" ({})", check.schemes.join(" or ")));
    }
    match check.userinfo {
        Some(Userinfo::Required) => text.push_str(" with a user"),
        Some(Userinfo::Forbidden) => text.push_str(" without a user"),
        None => {}
    }
    if let Some(suffix) = &check.path_suffix {
        text.push_str(&format!(" whose path ends in `{suffix}`"));
    }
    text
}

fn number(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
}

#[cfg(test)]
mod tests {
    use super::super::choice::testing::read;
    use super::*;

    #[test]
    fn every_rule_has_its_words() {
        let rules = [
            "{}",
            "{length: 1}",
            "{min: 40, prefix: hf_}",
            "{min: 8, max: 64}",
            "{max: 64, pattern: '^[a-z]+$'}",
            "{bytes: 32}",
            "{one-of: [debug, info]}",
            "{url: {}}",
            "{url: {scheme: [http, https], userinfo: required, path-suffix: /simple/}}",
            "{url: {scheme: https, userinfo: forbidden}}",
            "{pem: rsa-private-key}",
            "{json: true}",
        ];
        let words: Vec<String> = rules
            .iter()
            .map(|rule| {
                let checks = read(rule, Checks::decode).unwrap();
                let words = checks.expected();
                format!("{rule}  ->  {}", words.as_deref().unwrap_or("anything"))
            })
            .collect();
        insta::assert_snapshot!(words.join("\n"), @"
        {}  ->  anything
        {length: 1}  ->  1 character
        {min: 40, prefix: hf_}  ->  at least 40 characters, beginning with `hf_`
        {min: 8, max: 64}  ->  8 to 64 characters
        {max: 64, pattern: '^[a-z]+$'}  ->  at most 64 characters, matching `^[a-z]+$`
        {bytes: 32}  ->  32 bytes
        {one-of: [debug, info]}  ->  `debug` or `info`
        {url: {}}  ->  a URL
        {url: {scheme: [http, https], userinfo: required, path-suffix: /simple/}}  ->  a URL (http or https) with a user whose path ends in `/simple/`
        {url: {scheme: https, userinfo: forbidden}}  ->  a URL (https) without a user
        {pem: rsa-private-key}  ->  PEM (rsa-private-key)
        {json: true}  ->  JSON
        ");
    }
}
