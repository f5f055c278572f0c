//! `check: {url: …}`: whether a value is an absolute URL as RFC 3986 writes it.
//!
//! The parser of browsers (WHATWG) repairs what it reads: it drops line breaks and adds slashes. A secret that needs
//! repair is a wrong secret, so this one is strict. It does no lookups.

use serde_json::{Map, Value, json};

use crate::contract::reader::{Context, Fields};
use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, NodeKind};

/// What a URL must have. Every one has a scheme and a host.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UrlCheck {
    /// `scheme`: one or several, of which the URL has one; in lower case. Empty: any.
    pub schemes: Vec<String>,
    /// `userinfo`: whether something stands before `@`.
    pub userinfo: Option<Userinfo>,
    /// `path-suffix`: how the path ends.
    pub path_suffix: Option<String>,
}

/// Whether a URL names a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Userinfo {
    /// `forbidden`: nothing stands before `@`.
    Forbidden,
    /// `required`: something stands before `@`.
    Required,
}

impl Userinfo {
    /// The word in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Required => "required",
        }
    }
}

impl UrlCheck {
    pub(super) fn decode(cx: &mut Context<'_>, node: &Node) -> Option<Self> {
        let mut fields = Fields::open(cx, node, "`url`")?;
        let words = [Userinfo::Forbidden, Userinfo::Required].map(|word| (word.as_str(), word));
        let url = Self {
            schemes: fields
                .take("scheme")
                .map(|node| decode_schemes(cx, node))
                .unwrap_or_default(),
            userinfo: fields
                .take("userinfo")
                .and_then(|node| cx.word(node, &words))
                .map(|word| word.value),
            path_suffix: fields
                .read(cx, "path-suffix", Context::text)
                .map(|text| text.value),
        };
        fields.finish(cx, false);
        Some(url)
    }

    pub(super) fn to_json(&self) -> Value {
        let mut fields = Map::new();
        match self.schemes.as_slice() {
            [] => {}
            [scheme] => drop(fields.insert("scheme".to_owned(), json!(scheme))),
            schemes => drop(fields.insert("scheme".to_owned(), json!(schemes))),
        }
        if let Some(userinfo) = self.userinfo {
            fields.insert("userinfo".to_owned(), json!(userinfo.as_str()));
        }
        if let Some(suffix) = &self.path_suffix {
            fields.insert("path-suffix".to_owned(), json!(suffix));
        }
        Value::Object(fields)
    }

    /// What is wrong with `text`, in words that show nothing of it.
    pub(super) fn violations(&self, text: &str) -> Vec<String> {
        let url = match Url::parse(text) {
            Ok(url) => url,
            Err(reason) => return vec![reason.to_owned()],
        };
        let mut reasons = Vec::new();
        let scheme = |known: &String| known.eq_ignore_ascii_case(url.scheme);
        if !self.schemes.is_empty() && !self.schemes.iter().any(scheme) {
            let known: Vec<String> = self
                .schemes
                .iter()
                .map(|known| format!("`{known}`"))
                .collect();
            reasons.push(format!(
                "is not a URL with the scheme {}",
                known.join(" or ")
            ));
        }
        match (self.userinfo, url.userinfo) {
            (Some(Userinfo::Required), None | Some("" | ":")) => {
                reasons.push("is a URL without user information before `@`".to_owned());
            }
            (Some(Userinfo::Forbidden), Some(_)) => {
                reasons.push("is a URL with user information before `@`".to_owned());
            }
            (None | Some(Userinfo::Required | Userinfo::Forbidden), _) => {}
        }
        if let Some(suffix) = self
            .path_suffix
            .as_ref()
            .filter(|suffix| !url.path.ends_with(*suffix))
        {
            reasons.push(format!("is a URL whose path does not end in `{suffix}`"));
        }
        reasons
    }
}

/// The parts of a URL that are asked for. Borrowed: no part is copied.
struct Url<'t> {
    scheme: &'t str,
    userinfo: Option<&'t str>,
    path: &'t str,
}

impl<'t> Url<'t> {
    fn parse(text: &'t str) -> Result<Self, &'static str> {
        if !text.chars().all(is_url_character) {
            return Err("is not a URL: it has characters that a URL writes as `%XX`");
        }
        if !escapes_are_whole(text) {
            return Err("is not a URL: a `%` is not followed by two hex digits");
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("is not a URL: it has no `://`")?;
        if !is_scheme(scheme) {
            return Err("is not a URL: it does not begin with a scheme");
        }
        let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, _query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (userinfo, hosts) = match authority.rsplit_once('@') {
            Some((userinfo, hosts)) => (Some(userinfo), hosts),
            None => (None, authority),
        };
        if userinfo.is_some_and(|userinfo| userinfo.contains(['@', '[', ']'])) {
            return Err("is not a URL: its user information has a character that must be `%XX`");
        }
        // Several hosts are no part of RFC 3986, but of the connection strings of PostgreSQL and MongoDB.
        if !hosts.split(',').all(is_host_and_port) {
            return Err("is not a URL: it has no valid host and port");
        }
        Ok(Self {
            scheme,
            userinfo,
            path,
        })
    }
}

/// Unreserved, reserved, or the sign of an escape (RFC 3986 section 2).
fn is_url_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
}

fn escapes_are_whole(text: &str) -> bool {
    let digits = |rest: &str| {
        let mut digits = rest.chars().take_while(char::is_ascii_hexdigit);
        digits.next().is_some() && digits.next().is_some()
    };
    text.split('%').skip(1).all(digits)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn is_host_and_port(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) if host.parse::<std::net::Ipv6Addr>().is_ok() => (host, port),
            Some(_) | None => return false,
        },
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok();
    !host.is_empty()
        && (host.contains(':') || !host.contains(['[', ']']))
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_number))
}

fn decode_schemes(cx: &mut Context<'_>, node: &Node) -> Vec<String> {
    match &node.kind {
        NodeKind::Sequence(items) => {
            if items.is_empty() {
                cx.push(Diagnostic::error("`scheme` allows nothing", node.span));
            }
            items
                .iter()
                .filter_map(|item| decode_scheme(cx, item))
                .collect()
        }
        NodeKind::Mapping(_) | NodeKind::Scalar(_) => decode_scheme(cx, node).into_iter().collect(),
    }
}

fn decode_scheme(cx: &mut Context<'_>, node: &Node) -> Option<String> {
    let text = cx.text(node)?;
    if !is_scheme(&text) {
        let diagnostic =
            Diagnostic::error(format!("`{}` is not a URL scheme", text.value), node.span);
        cx.push(diagnostic.help("write it without `://`, such as `https`"));
        return None;
    }
    Some(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(check: &UrlCheck, text: &str) -> String {
        check.violations(text).join(" | ")
    }

    #[test]
    fn urls_are_those_of_rfc_3986() {
        for good in [
            "https://example.com",
            "HTTPS://example.com:8200/path?query=1#fragment",
            "http://127.0.0.1:80",
            "https://[2001:db8::1]:443/",
            "https://[::1]",
            "postgresql://user:p%40ss@litellm-pg-rw.litellm:5432/litellm?sslmode=require",
            "mongodb+srv://user:pass@a.example:27017,b.example:27017/db",
            "redis://:password@cache",
            "https://token@pypi.example/simple/",
        ] {
            assert_eq!(reasons(&UrlCheck::default(), good), "", "{good}");
        }
    }

    #[test]
    fn what_is_no_url_says_why() {
        let found: Vec<String> = [
            "",
            "example.com",
            "https:example.com",
            "https:/example.com",
            "https://",
            "https:///path",
            "https://host:port/",
            "https://host:+80/",
            "https://host:65536/",
            "https://host:/",
            "https://[::1/",
            "https://[host]/",
            "https://[::1]443/",
            "https://a:1,,b:2/",
            "1https://host",
            "://host",
            "https://host/a b",
            "https://host/\n",
            "https://hö.st/",
            "https://host/%zz",
            "https://host/%4",
            "https://host/100%",
            "https://user:p@ss@host/",
            "https://user:p/ss@host/",
            "https://user:p#ss@host/",
        ]
        .into_iter()
        .map(|text| format!("{text:?}  ->  {}", reasons(&UrlCheck::default(), text)))
        .collect();
        insta::assert_snapshot!(found.join("\n"), @r#"
        ""  ->  is not a URL: it has no `://`
        "example.com"  ->  is not a URL: it has no `://`
        "https:example.com"  ->  is not a URL: it has no `://`
        "https:/example.com"  ->  is not a URL: it has no `://`
        "https://"  ->  is not a URL: it has no valid host and port
        "https:///path"  ->  is not a URL: it has no valid host and port
        "https://host:port/"  ->  is not a URL: it has no valid host and port
        "https://host:+80/"  ->  is not a URL: it has no valid host and port
        "https://host:65536/"  ->  is not a URL: it has no valid host and port
        "https://host:/"  ->  is not a URL: it has no valid host and port
        "https://[::1/"  ->  is not a URL: it has no valid host and port
        "https://[host]/"  ->  is not a URL: it has no valid host and port
        "https://[::1]443/"  ->  is not a URL: it has no valid host and port
        "https://a:1,,b:2/"  ->  is not a URL: it has no valid host and port
        "1https://host"  ->  is not a URL: it does not begin with a scheme
        "://host"  ->  is not a URL: it does not begin with a scheme
        "https://host/a b"  ->  is not a URL: it has characters that a URL writes as `%XX`
        "https://host/\n"  ->  is not a URL: it has characters that a URL writes as `%XX`
        "https://hö.st/"  ->  is not a URL: it has characters that a URL writes as `%XX`
        "https://host/%zz"  ->  is not a URL: a `%` is not followed by two hex digits
        "https://host/%4"  ->  is not a URL: a `%` is not followed by two hex digits
        "https://host/100%"  ->  is not a URL: a `%` is not followed by two hex digits
        "https://user:p@ss@host/"  ->  is not a URL: its user information has a character that must be `%XX`
        "https://user:p/ss@host/"  ->  is not a URL: it has no valid host and port
        "https://user:p#ss@host/"  ->  is not a URL: it has no valid host and port
        "#);
    }

    #[test]
    fn parts_are_what_the_contract_asks_for() {
        let check = UrlCheck {
            schemes: vec!["https".to_owned(), "http".to_owned()],
            userinfo: Some(Userinfo::Required),
            path_suffix: Some("/simple/".to_owned()),
        };
        assert_eq!(reasons(&check, "HTTP://token@host/simple/?a#b"), "");
        assert_eq!(
            reasons(&check, "ftp://host/simple"),
            "is not a URL with the scheme `https` or `http` | is a URL without user information before `@` | \
             is a URL whose path does not end in `/simple/`"
        );
        for empty in ["https://@host/simple/", "https://:@host/simple/"] {
            assert_eq!(
                reasons(&check, empty),
                "is a URL without user information before `@`"
            );
        }
        let forbidden = UrlCheck {
            userinfo: Some(Userinfo::Forbidden),
            ..UrlCheck::default()
        };
        assert_eq!(reasons(&forbidden, "https://host/@"), "");
        let reason = "is a URL with user information before `@`";
        assert_eq!(reasons(&forbidden, "https://user@host"), reason);
        assert_eq!(reasons(&forbidden, "https://@host"), reason);
    }
}
