//! What moto tells of the requests that it served.

use serde_json::Value;

use crate::record;
use crate::{Client, Moto, Record, Served};

/// What moto records, from the moment it was told to. Everybody's requests are in it.
#[derive(Debug)]
pub struct Recording<'a> {
    client: Client,
    _moto: &'a Moto,
}

impl<'a> Recording<'a> {
    /// Begins a recording.
    pub fn of(moto: &'a Moto) -> Result<Self, String> {
        let client = Client::new(moto.address(), None);
        // The first makes the file, which else only the first request would.
        for action in ["reset", "start"] {
            let path = format!("/moto-api/recorder/{action}-recording");
            client.send("POST", &path, &[], &Value::Null)?.success()?;
        }
        Ok(Self {
            client,
            _moto: moto,
        })
    }
}

impl Record for Recording<'_> {
    fn served(&self) -> Result<Vec<Served>, String> {
        let path = "/moto-api/recorder/download-recording";
        let answer = self.client.send("GET", path, &[], &Value::Null)?;
        answer.success()?;
        let text = String::from_utf8_lossy(&answer.body);
        let served = record::lines(&text)?.into_iter().map(|request| {
            let target = record::text(&request, "/headers/X-Amz-Target");
            // STS has the action in a form, and cannot change what Secrets Manager stores.
            let verb = target.trim_start_matches("secretsmanager.").to_owned();
            let reads = ["BatchGet", "Describe", "Get", "List"];
            Served {
                writes: !verb.is_empty() && !reads.iter().any(|word| verb.starts_with(word)),
                path: String::new(),
                verb,
            }
        });
        Ok(served.collect())
    }

    /// Bodies stand in it as they came.
    fn text(&self) -> Result<Option<String>, String> {
        Ok(None)
    }
}
