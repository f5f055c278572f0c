//! `check: {pem: …}`: whether a value has the structure of PEM (RFC 7468).
//!
//! Structure only: the lines around it, the label, and that the body is base64. What the bytes mean is not looked at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

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
    pub(super) const ALL: [Self; 3] = [Self::Certificate, Self::PrivateKey, Self::RsaPrivateKey];

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
        if blocks.is_empty() {
            return Some(if text.contains(r"\n") {
                r"has no PEM block on lines of its own, but `\n` in its text".to_owned()
            } else {
                "has no PEM block".to_owned()
            });
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
        self.label.starts_with("ENCRYPTED ") || self.lines.iter().any(|line| header(line))
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
            line.strip_prefix(start)
                .and_then(|rest: &str| rest.strip_suffix("-----"))
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
