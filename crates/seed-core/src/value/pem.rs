//! `check: {pem: …}`: whether a value has the structure of PEM (RFC 7468).
//!
//! Structure only: the lines around it, the label, and that the body is base64. What the bytes mean is not looked at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::contract::reader::Context;
use crate::yaml::Node;

/// What PEM text must hold. Text outside of the blocks is ignored, as RFC 7468 section 2 wants it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pem {
    /// `certificate`: one or more blocks `CERTIFICATE`, and no others.
    Certificate,
    /// `private-key`: one private key without a passphrase, of any kind that is common: PKCS#8 (`PRIVATE KEY`), PKCS#1
    /// (`RSA PRIVATE KEY`), SEC 1 (`EC PRIVATE KEY`) or OpenSSH (`OPENSSH PRIVATE KEY`). A passphrase inside of the
    /// OpenSSH format is not seen.
    PrivateKey,
    /// `rsa-private-key`: one block `RSA PRIVATE KEY` (PKCS#1) without a passphrase.
    RsaPrivateKey,
}

impl Pem {
    pub(super) fn decode(cx: &mut Context<'_>, node: &Node) -> Option<Self> {
        let words = [Self::Certificate, Self::PrivateKey, Self::RsaPrivateKey];
        cx.word(node, &words.map(|pem| (pem.as_str(), pem)))
            .map(|pem| pem.value)
    }

    /// The word in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::PrivateKey => "private-key",
            Self::RsaPrivateKey => "rsa-private-key",
        }
    }

    fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Certificate => &["CERTIFICATE"],
            Self::PrivateKey => &[
                "PRIVATE KEY",
                "RSA PRIVATE KEY",
                "EC PRIVATE KEY",
                "OPENSSH PRIVATE KEY",
            ],
            Self::RsaPrivateKey => &["RSA PRIVATE KEY"],
        }
    }

    /// What is wrong with `text`, in words that show nothing of it.
    pub(super) fn violation(self, text: &str) -> Option<String> {
        let mut blocks = match blocks(text) {
            Ok(blocks) => blocks,
            Err(reason) => return Some(reason.to_owned()),
        };
        if self == Self::PrivateKey {
            // OpenSSL writes the parameters of a curve in a block before the key.
            blocks.retain(|block| block.label != "EC PARAMETERS");
        }
        if blocks.is_empty() && text.contains("-----BEGIN ") {
            return Some("has lost the line breaks of its PEM block".to_owned());
        }
        if blocks.is_empty() {
            return Some("has no PEM block".to_owned());
        }
        if blocks.iter().any(Block::is_encrypted) {
            return Some("is protected by a passphrase".to_owned());
        }
        if !blocks
            .iter()
            .all(|block| self.labels().contains(&block.label))
        {
            let wanted: Vec<String> = self
                .labels()
                .iter()
                .map(|label| format!("`{label}`"))
                .collect();
            return Some(format!(
                "has a PEM block that is not {}",
                wanted.join(" or ")
            ));
        }
        if blocks.len() > 1 && self != Self::Certificate {
            return Some("has more than one private key".to_owned());
        }
        let whole = blocks.iter().all(Block::has_base64_body);
        (!whole).then(|| "has a PEM block whose body is not base64".to_owned())
    }
}

struct Block<'t> {
    label: &'t str,
    lines: Vec<&'t str>,
}

impl Block<'_> {
    fn is_encrypted(&self) -> bool {
        let header = |line: &&str| line.starts_with("Proc-Type:") && line.ends_with("ENCRYPTED");
        self.label.starts_with("ENCRYPTED ") || self.lines.iter().any(header)
    }

    fn has_base64_body(&self) -> bool {
        let body = Zeroizing::new(self.lines.concat());
        let mut bytes = Zeroizing::new(vec![0; body.len()]);
        STANDARD
            .decode_slice(body.as_bytes(), &mut bytes)
            .is_ok_and(|length| length > 0)
    }
}

fn blocks(text: &str) -> Result<Vec<Block<'_>>, &'static str> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in text.lines().map(str::trim_end) {
        let named = |start| {
            let label = line
                .strip_prefix(start)
                .and_then(|rest: &str| rest.strip_suffix("-----"));
            label.filter(|label| !label.contains("-----"))
        };
        if let Some(label) = named("-----BEGIN ") {
            if open.is_some() {
                return Err("has a PEM block that begins inside another");
            }
            open = Some(Block {
                label,
                lines: Vec::new(),
            });
        } else if let Some(label) = named("-----END ") {
            match open.take() {
                Some(block) if block.label == label => blocks.push(block),
                Some(_) | None => return Err("has a PEM block that ends with another label"),
            }
        } else if let Some(block) = &mut open {
            block.lines.push(line);
        }
    }
    match open {
        Some(_) => Err("has a PEM block without its last line"),
        None => Ok(blocks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PEM text of some structure and no meaning.
    fn block(label: &str) -> String {
        format!("-----BEGIN {label}-----\nc3RydWN0dXJlIG9u\nbHk=\n-----END {label}-----\n")
    }

    fn verdict(pem: Pem, text: &str) -> String {
        pem.violation(text).unwrap_or_else(|| "good".to_owned())
    }

    #[test]
    fn labels_are_those_that_were_asked_for() {
        let labels = [
            "CERTIFICATE",
            "PRIVATE KEY",
            "RSA PRIVATE KEY",
            "EC PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
            "PUBLIC KEY",
            "CERTIFICATE REQUEST",
        ];
        let good = |pem: Pem| labels.map(|label| pem.violation(&block(label)).is_none());
        assert_eq!(
            good(Pem::Certificate),
            [true, false, false, false, false, false, false, false]
        );
        assert_eq!(
            good(Pem::PrivateKey),
            [false, true, true, true, true, false, false, false]
        );
        assert_eq!(
            good(Pem::RsaPrivateKey),
            [false, false, true, false, false, false, false, false]
        );
    }

    #[test]
    fn chains_comments_and_other_line_ends_are_fine() {
        let chain = format!("# root\n{}\n{}", block("CERTIFICATE"), block("CERTIFICATE"));
        assert_eq!(verdict(Pem::Certificate, &chain), "good");
        let crlf = block("PRIVATE KEY").replace('\n', "\r\n");
        assert_eq!(verdict(Pem::PrivateKey, &crlf), "good");
        let unended = block("PRIVATE KEY");
        assert_eq!(verdict(Pem::PrivateKey, unended.trim_end()), "good");
        let curve = format!("{}{}", block("EC PARAMETERS"), block("EC PRIVATE KEY"));
        assert_eq!(verdict(Pem::PrivateKey, &curve), "good");
    }

    #[test]
    fn what_is_not_as_it_should_be_says_so() {
        let key = block("PRIVATE KEY");
        let encrypted = key.replace(
            "-----\nc3",
            "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nc3",
        );
        for (text, reason) in [
            ("plain".to_owned(), "has no PEM block"),
            (String::new(), "has no PEM block"),
            (
                key.replace('\n', r"\n"),
                "has lost the line breaks of its PEM block",
            ),
            (
                key.replace('\n', " "),
                "has lost the line breaks of its PEM block",
            ),
            (format!("{key}{key}"), "has more than one private key"),
            (
                key.replace("END PRIVATE", "END RSA PRIVATE"),
                "has a PEM block that ends with another label",
            ),
            (
                key.replace("-----END PRIVATE KEY-----", ""),
                "has a PEM block without its last line",
            ),
            (
                key.replace("-----END PRIVATE KEY-----\n", &key),
                "has a PEM block that begins inside another",
            ),
            (
                key.replace("-----BEGIN PRIVATE KEY-----", ""),
                "has a PEM block that ends with another label",
            ),
            (
                key.replace("bHk=", "bHk"),
                "has a PEM block whose body is not base64",
            ),
            (
                key.replace("bHk=", "b!k="),
                "has a PEM block whose body is not base64",
            ),
            (
                block("PRIVATE KEY").replace("c3RydWN0dXJlIG9u\nbHk=\n", ""),
                "has a PEM block whose body is not base64",
            ),
            (encrypted, "is protected by a passphrase"),
            (
                block("ENCRYPTED PRIVATE KEY"),
                "is protected by a passphrase",
            ),
            (
                block("PUBLIC KEY"),
                "has a PEM block that is not `PRIVATE KEY` or `RSA PRIVATE KEY` or `EC PRIVATE KEY` or `OPENSSH PRIVATE KEY`",
            ),
        ] {
            assert_eq!(verdict(Pem::PrivateKey, &text), reason, "{text}");
        }
    }
}
