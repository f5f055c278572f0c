//! Runs that are killed at any moment, and run again: what was stored stays, and nothing is ever half there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::thread;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rustix::process::Signal;
use seed_tests::store::{self, Values};
use seed_tests::workspace::Workspace;
use serde_json::Value;

type Test = Result<(), String>;

/// Of running processes; a run that ended before it was to be killed does not count.
const KILLS: usize = 200;
const WORKERS: usize = 2;
const KEYS: usize = 500;
const PAIRS: usize = 20;
const ENTRIES: usize = 50;
/// As many as each pair and each entry needs, and some that nothing is made from.
const PLAIN: usize = 288;

#[test]
fn two_hundred_kills_lose_and_replace_nothing() -> Test {
    let whole = duration_of_a_whole_run()?;
    let workers = (0..WORKERS).map(|worker| move || kill_and_look(worker, whole));
    let tallies: Vec<Result<Tally, String>> = thread::scope(|scope| {
        let running: Vec<_> = workers.map(|worker| scope.spawn(worker)).collect();
        let ended = running.into_iter().map(thread::ScopedJoinHandle::join);
        ended
            .map(|tally| tally.map_err(|_| "a worker panicked")?)
            .collect()
    });
    let mut all = Tally::default();
    for tally in tallies {
        let tally = tally?;
        all.before += tally.before;
        all.amid += tally.amid;
        all.after += tally.after;
        all.fills.extend(tally.fills);
    }
    assert_eq!(all.before + all.amid + all.after, KILLS);
    // Kills that all hit the same moment would show nothing.
    let everywhere = all.before > 0 && all.amid > KILLS / 2 && all.after > 0 && all.fills.len() > 9;
    assert!(everywhere, "{all:?}");
    Ok(())
}

/// In which state kills left the store.
#[derive(Debug, Default)]
struct Tally {
    /// Without a value.
    before: usize,
    /// With some.
    amid: usize,
    /// With all; the files come then.
    after: usize,
    /// How many values there were, and how often.
    fills: BTreeMap<usize, usize>,
}

fn duration_of_a_whole_run() -> Result<Duration, String> {
    let platform = Platform::new()?;
    let start = Instant::now();
    platform.workspace.seed(APPLY)?.success()?;
    Ok(start.elapsed())
}

/// Kills runs until its share is done. Each goes on where the one before was killed, and a finished store is followed
/// by a new one.
fn kill_and_look(worker: usize, whole: Duration) -> Result<Tally, String> {
    let mut moments = ChaCha8Rng::seed_from_u64(worker as u64);
    let mut tally = Tally::default();
    let mut killed = 0;
    let mut platform = Platform::new()?;
    while killed < KILLS / WORKERS {
        let running = platform.workspace.start(APPLY)?;
        thread::sleep(whole.mul_f64(f64::from(moments.next_u32()) / f64::from(u32::MAX)));
        running.signal(Signal::KILL)?;
        let outcome = running.finish()?;
        let stored = platform.look()?;
        if outcome.status.signal().is_none() {
            outcome.success()?;
            platform.finish()?;
            platform = Platform::new()?;
            continue;
        }
        killed += 1;
        *tally.fills.entry(stored).or_default() += 1;
        match stored {
            0 => tally.before += 1,
            KEYS => tally.after += 1,
            _ => tally.amid += 1,
        }
    }
    platform.workspace.seed(APPLY)?.success()?;
    platform.finish()?;
    Ok(tally)
}

const APPLY: &str = "apply --quiet";

/// A store and its files, and what was ever seen in them.
struct Platform {
    workspace: Workspace,
    identity: Option<Vec<u8>>,
    seen: Values,
}

impl Platform {
    fn new() -> Result<Self, String> {
        let workspace = Workspace::new()?;
        workspace.write("seed.yaml", &contract())?;
        Ok(Self {
            workspace,
            identity: None,
            seen: Values::new(),
        })
    }

    /// Looks at everything, judges it, and tells how many values are stored.
    fn look(&mut self) -> Result<usize, String> {
        let identity = self.workspace.home().join(".config/seed/identity.txt");
        let now = store::values(&self.workspace.root().join(".seed/kills.age"), &identity)?;
        if let Some((key, _)) = self
            .seen
            .iter()
            .find(|(key, value)| now.get(*key) != Some(*value))
        {
            return Err(format!("{key} is not what it was"));
        }
        let identity = fs::read(identity).ok();
        if self.identity.is_some() && self.identity != identity {
            return Err("the identity is not what it was".into());
        }
        self.identity = identity;
        let new = |key: &str| now.contains_key(key) && !self.seen.contains_key(key);
        for n in 0..PAIRS {
            if new(&format!("hash-{n}")) {
                hash_fits(&now, n)?;
            }
            if new(&format!("url-{n}")) {
                url_fits(&now, n)?;
            }
        }
        for n in 0..ENTRIES {
            if new(&format!("entry-{n}#id")) {
                entry_is_whole(&now, n)?;
            }
        }
        if now.contains_key("user-b") && !now.contains_key("user-a") {
            return Err("the end of a group is there without its beginning".into());
        }
        self.seen = now;
        self.files_are_whole()?;
        Ok(self.seen.len())
    }

    fn files_are_whole(&self) -> Test {
        let directory = self.workspace.root().join("secrets");
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let entry = entry.map_err(|err| err.to_string())?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let mode = entry
                .metadata()
                .map_err(|err| err.to_string())?
                .permissions()
                .mode();
            if mode & 0o077 != 0 {
                return Err(format!("{name} is for others too: {mode:o}"));
            }
            let content = fs::read(entry.path()).map_err(|err| err.to_string())?;
            let whole = match name.as_str() {
                "all.json" => self
                    .all()
                    .is_some_and(|all| serde_json::from_slice(&content).ok() == Some(all)),
                // What has no name of the contract's is a draft, and nobody takes that for a file of values.
                _ if name.starts_with('.') => true,
                _ => self
                    .seen
                    .get(&name)
                    .is_some_and(|value| content == [value, b"\n".as_slice()].concat()),
            };
            if !whole {
                return Err(format!("{name} is not what is stored"));
            }
        }
        Ok(())
    }

    /// What the file of all values should hold, once all are there.
    fn all(&self) -> Option<Value> {
        let value = |key: String| {
            let text = String::from_utf8(self.seen.get(&key)?.clone()).ok()?;
            Some((key, Value::from(text)))
        };
        listed()
            .map(value)
            .collect::<Option<_>>()
            .map(Value::Object)
    }

    /// Judges a store whose run has ended by itself: all is there, for `seed` too, and a further run changes nothing.
    fn finish(&mut self) -> Test {
        assert_eq!(self.look()?, KEYS);
        let files =
            fs::read_dir(self.workspace.root().join("secrets")).map_err(|err| err.to_string())?;
        assert_eq!(files.count(), PAIRS + 1);
        for key in ["password-0", "hash-19", "entry-7#two"] {
            assert!(
                self.seen.get(key) == Some(&self.workspace.value("", key)?),
                "{key}"
            );
        }
        Ok(())
    }
}

fn hash_fits(values: &Values, n: usize) -> Test {
    let text = |name: &str| {
        values
            .get(&format!("{name}-{n}"))
            .map(|value| String::from_utf8_lossy(value))
    };
    let fits = text("password")
        .zip(text("hash"))
        .map(|(password, hash)| bcrypt::verify(password.as_bytes(), &hash));
    match fits {
        Some(Ok(true)) => Ok(()),
        _ => Err(format!("hash-{n} is not that of password-{n}")),
    }
}

fn url_fits(values: &Values, n: usize) -> Test {
    let text = |name: &str| {
        values
            .get(&format!("{name}-{n}"))
            .map(|value| String::from_utf8_lossy(value))
    };
    let url = text("password")
        .zip(text("plain"))
        .map(|(password, plain)| format!("postgresql://app:{password}@db/{plain}"));
    if url.as_deref() != text("url").as_deref() {
        return Err(format!("url-{n} is of other values"));
    }
    Ok(())
}

fn entry_is_whole(values: &Values, n: usize) -> Test {
    let field = |name: &str| values.get(&format!("entry-{n}#{name}")).cloned();
    let plain = values.get(&format!("plain-{n}")).cloned();
    let two = field("one")
        .zip(plain)
        .map(|(one, plain)| [one, b"/".to_vec(), plain].concat());
    if two.is_none() || two != field("two") {
        return Err(format!("entry-{n} is half there"));
    }
    Ok(())
}

/// The values that the file of many shows.
fn listed() -> impl Iterator<Item = String> {
    (0..PAIRS).flat_map(|n| ["password", "hash", "url"].map(|name| format!("{name}-{n}")))
}

fn contract() -> String {
    let mut secrets = String::new();
    for n in 0..PAIRS {
        secrets += &format!(
            "  password-{n}: {{generate: {{hex: 16}}}}\n  \
             hash-{n}: {{derive: {{bcrypt: {{of: password-{n}, cost: 4}}}}}}\n  \
             url-{n}: {{compose: \"postgresql://app:${{password-{n}}}@db/${{plain-{n}}}\"}}\n"
        );
    }
    for n in 0..PLAIN {
        secrets += &format!("  plain-{n}: {{generate: {{alnum: 24}}}}\n");
    }
    for n in 0..ENTRIES {
        secrets += &format!(
            "  entry-{n}:\n    fields:\n      id: {{value: \"{n}\"}}\n      one: {{generate: {{base64: 32}}}}\n      \
             two: {{compose: \"${{one}}/${{plain-{n}}}\"}}\n"
        );
    }
    secrets += "  user-a: {generate: uuid, rotate: {with: [user-b]}}\n  \
                user-b: {generate: uuid, rotate: {with: [user-a]}}\n";
    let leaves: String = listed()
        .map(|key| format!("      {key}: ${{{key}}}\n"))
        .collect();
    let mut files = format!("  secrets/all.json:\n    json:\n{leaves}");
    for n in 0..PAIRS {
        files += &format!("  secrets/password-{n}: {{text: \"${{password-{n}}}\\n\"}}\n");
    }
    format!(
        "version: 1\nname: kills\nbackend: local\nbackends: {{local: {{file: .seed/kills.age}}}}\n\
         secrets:\n{secrets}files:\n{files}"
    )
}
