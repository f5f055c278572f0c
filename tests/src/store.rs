//! The local store, read without `seed`: what any program that knows age and JSON finds in it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Every value of a store, by its key.
pub type Values = BTreeMap<String, Vec<u8>>;

/// Decrypts a store with the first identity of a file, and returns the current values; none when there is no store.
pub fn values(store: &Path, identity: &Path) -> Result<Values, String> {
    let failed = |path: &Path, err: &dyn std::fmt::Display| format!("{}: {err}", path.display());
    let encrypted = match fs::read(store) {
        Ok(encrypted) => encrypted,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Values::new()),
        Err(err) => return Err(failed(store, &err)),
    };
    let text = fs::read_to_string(identity).map_err(|err| failed(identity, &err))?;
    let key = text.lines().find(|line| !line.starts_with('#'));
    let key: age::x25519::Identity = key
        .ok_or("an identity file without an identity")?
        .parse()
        .map_err(|err: &str| failed(identity, &err))?;
    let text = age::decrypt(&key, &encrypted).map_err(|err| failed(store, &err))?;
    let text = String::from_utf8(text).map_err(|err| failed(store, &err))?;
    let mut values = Values::new();
    // The first line names the format.
    for line in text.lines().skip(1) {
        let entry: Value = serde_json::from_str(line).map_err(|err| failed(store, &err))?;
        current(&entry, &mut values).ok_or_else(|| failed(store, &"an entry without a value"))?;
    }
    Ok(values)
}

/// Adds the values of an entry's last version.
fn current(entry: &Value, values: &mut Values) -> Option<()> {
    let name = entry.get("name")?.as_str()?;
    let version = entry.get("versions")?.as_array()?.last()?;
    let decode = |value: &Value| STANDARD.decode(value.as_str()?).ok();
    if let Some(single) = version.get("single") {
        values.insert(name.to_owned(), decode(single)?);
        return Some(());
    }
    for field in version.get("fields")?.as_array()? {
        let key = format!("{name}#{}", field.get("name")?.as_str()?);
        values.insert(key, decode(field.get("value")?)?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_version_of_every_entry_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let [store, file] = ["store.age", "identity.txt"].map(|name| directory.path().join(name));
        assert_eq!(values(&store, &file), Ok(Values::new()));
        let identity = age::x25519::Identity::generate();
        let text = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
        fs::write(&file, format!("# made by a test\n{text}\n")).unwrap();
        let content = concat!(
            "{\"seed-local\":1}\n",
            "{\"name\":\"a\",\"labels\":{},\"versions\":[{\"single\":\"eA==\"},{\"single\":\"eQ==\"}]}\n",
            "{\"name\":\"b\",\"labels\":{},\"versions\":[{\"fields\":[{\"name\":\"c\",\"form\":\"text\",\"value\":\"eg==\"}]}]}\n",
        );
        let encrypted = age::encrypt(&identity.to_public(), content.as_bytes()).unwrap();
        fs::write(&store, &encrypted).unwrap();
        let expected = [("a", b"y"), ("b#c", b"z")];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_vec()));
        assert_eq!(values(&store, &file), Ok(expected.into()));
        fs::write(&store, &encrypted[..encrypted.len() - 1]).unwrap();
        assert!(values(&store, &file).is_err());
    }
}
