//! The store on disk: who may read it, what it survives, and who else may write.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot help fails its test"
)]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use seed_core::backend::{Confirm, Kind};
use seed_core::document::Document;
use seed_core::inventory::{Depth, Presence, Wanted};
use seed_core::name::SecretName;
use seed_local::{Config, Local};
use seed_provider::{
    ErrorKind, Marks, Operation, Provider as _, Replace as _, Result, WantedShape,
};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// A directory with room for a store and an identity.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("store/dev.age")
    }

    fn identity(&self) -> PathBuf {
        self.0.path().join("config/seed/identity.txt")
    }

    fn config(&self) -> Config {
        Config::new(self.file(), self.identity())
    }

    fn local(&self) -> Local {
        Local::new(self.config())
    }

    /// Everything in the store's directory, by name.
    fn listing(&self) -> Vec<String> {
        let directory = fs::read_dir(self.0.path().join("store")).unwrap();
        let mut names: Vec<String> = directory
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn name(name: &str) -> SecretName {
    Kind::Local.existing_name(name).unwrap()
}

fn single(text: &str) -> Document {
    Document::Single(text.to_owned().into())
}

fn wanted(name: SecretName) -> Wanted {
    Wanted {
        name,
        fields: Vec::new(),
        depth: Depth::Metadata,
    }
}

async fn create(local: &Local, key: &str) -> Result<()> {
    let marks = Marks::of("test");
    let created = local.create(&name(key), &single(key), &marks).await;
    created.map(drop)
}

/// The kind of error with which every verb is stopped.
async fn stopped(local: &Local) -> ErrorKind {
    let looked = local.inventory(&[wanted(name("a"))]).await.unwrap_err();
    let read = local.read(&name("a"), WantedShape::Single).await;
    let read = read.unwrap_err();
    let created = create(local, "new").await.unwrap_err();
    assert_eq!(looked.kind(), read.kind());
    assert_eq!(looked.kind(), created.kind());
    assert_eq!(looked.operation(), Operation::Inventory);
    looked.kind()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn looking_makes_nothing_and_the_first_write_makes_all() {
    let place = Place::new();
    let local = place.local();
    let seen = local.inventory(&[wanted(name("a"))]).await.unwrap();
    assert_eq!(seen.get(&name("a")), Some(&Presence::Absent));
    let read = local.read(&name("a"), WantedShape::Single).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 0);
    create(&local, "a").await.unwrap();
    assert_eq!(place.listing(), ["dev.age", "dev.age.lock"]);
    assert_eq!(mode(&place.file()), 0o600);
    assert_eq!(mode(place.file().parent().unwrap()), 0o700);
    assert_eq!(mode(&place.identity()), 0o600);
    assert_eq!(mode(place.identity().parent().unwrap()), 0o700);
}

#[tokio::test]
async fn a_second_run_of_the_same_creates_changes_no_byte() {
    let place = Place::new();
    create(&place.local(), "a").await.unwrap();
    let before = fs::read(place.file()).unwrap();
    let inode = fs::metadata(place.file()).unwrap().ino();
    let again = create(&place.local(), "a").await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(place.file()).unwrap(), before);
    assert_eq!(fs::metadata(place.file()).unwrap().ino(), inode);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_stores_on_one_file_exactly_one_creates_each_key() {
    let place = Place::new();
    let [one, other] = [place.local(), place.local()];
    let race = |local: Local, own: &'static str| async move {
        let local = &local;
        let creates = (0..200).map(|n| async move {
            let document = single(own);
            let marks = Marks::of(own);
            let key = name(&format!("key{n}"));
            match local.create(&key, &document, &marks).await {
                Ok(_) => true,
                Err(err) => {
                    assert_eq!(err.kind(), ErrorKind::AlreadyExists, "{err}");
                    false
                }
            }
        });
        let outcomes = futures::stream::iter(creates).buffered(16);
        outcomes.collect::<Vec<bool>>().await
    };
    let (one, other) = tokio::join!(race(one, "one"), race(other, "other"));
    let local = place.local();
    for n in 0..200 {
        assert!(one[n] ^ other[n], "key{n}");
        let own = if one[n] { "one" } else { "other" };
        let key = name(&format!("key{n}"));
        let stored = local.read(&key, WantedShape::Single).await.unwrap();
        let stored = stored.document;
        assert!(matches!(stored, Document::Single(value) if value.expose() == own.as_bytes()));
    }
}

#[tokio::test]
async fn a_store_that_others_may_touch_is_refused() {
    let place = Place::new();
    create(&place.local(), "a").await.unwrap();
    for mode in [0o644, 0o660, 0o602] {
        set_mode(&place.file(), mode);
        assert_eq!(stopped(&place.local()).await, ErrorKind::Denied);
    }
    set_mode(&place.file(), 0o600);
    create(&place.local(), "b").await.unwrap();
}

#[tokio::test]
async fn a_store_behind_a_symbolic_link_is_refused_and_left_alone() {
    let place = Place::new();
    create(&place.local(), "a").await.unwrap();
    let real = place.0.path().join("elsewhere.age");
    fs::rename(place.file(), &real).unwrap();
    let before = fs::read(&real).unwrap();
    symlink(&real, place.file()).unwrap();
    assert_eq!(stopped(&place.local()).await, ErrorKind::Denied);
    assert_eq!(fs::read(&real).unwrap(), before);
    fs::remove_file(&real).unwrap();
    assert_eq!(stopped(&place.local()).await, ErrorKind::Denied);
    assert!(!real.exists());
}

#[tokio::test]
async fn an_identity_that_others_may_read_is_refused() {
    let place = Place::new();
    create(&place.local(), "a").await.unwrap();
    for mode in [0o640, 0o604] {
        set_mode(&place.identity(), mode);
        assert_eq!(stopped(&place.local()).await, ErrorKind::Denied);
    }
}

#[tokio::test]
async fn an_identity_behind_a_symbolic_link_is_refused() {
    let place = Place::new();
    create(&place.local(), "a").await.unwrap();
    let real = place.0.path().join("elsewhere.txt");
    fs::rename(place.identity(), &real).unwrap();
    symlink(&real, place.identity()).unwrap();
    assert_eq!(stopped(&place.local()).await, ErrorKind::Denied);
}

#[tokio::test]
async fn a_store_without_its_identity_is_refused_and_no_new_one_is_made() {
    let place = Place::new();
    create(&place.local(), "a").await.unwrap();
    fs::remove_file(place.identity()).unwrap();
    let before = fs::read(place.file()).unwrap();
    assert_eq!(stopped(&place.local()).await, ErrorKind::Unauthenticated);
    assert!(!place.identity().exists());
    assert_eq!(fs::read(place.file()).unwrap(), before);
}

#[tokio::test]
async fn another_identity_does_not_open_a_store() {
    let place = Place::new();
    create(&place.local(), "a").await.unwrap();
    fs::remove_file(place.identity()).unwrap();
    let other = Config::new(place.0.path().join("other.age"), place.identity());
    create(&Local::new(other), "a").await.unwrap();
    assert_eq!(stopped(&place.local()).await, ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn a_file_cut_anywhere_is_refused_and_left_as_it_is() {
    let place = Place::new();
    create(&place.local(), "a").await.unwrap();
    let whole = fs::read(place.file()).unwrap();
    for length in (0..whole.len()).step_by(7) {
        let cut = &whole[..length];
        fs::write(place.file(), cut).unwrap();
        let kind = stopped(&place.local()).await;
        assert_eq!(kind, ErrorKind::Unexpected, "cut after {length}");
        assert_eq!(fs::read(place.file()).unwrap(), cut);
    }
}

#[tokio::test]
async fn a_file_with_one_byte_changed_is_refused() {
    let place = Place::new();
    create(&place.local(), "a").await.unwrap();
    let whole = fs::read(place.file()).unwrap();
    for place_of_damage in (0..whole.len()).step_by(11) {
        let mut damaged = whole.clone();
        damaged[place_of_damage] ^= 1;
        fs::write(place.file(), &damaged).unwrap();
        // In the part that names the recipient, damage looks like another recipient.
        let kind = stopped(&place.local()).await;
        let refusals = [ErrorKind::Unexpected, ErrorKind::Unauthenticated];
        assert!(refusals.contains(&kind), "byte {place_of_damage}: {kind:?}");
    }
}

#[tokio::test]
async fn a_store_of_a_later_version_is_refused() {
    let place = Place::new();
    create(&place.local(), "a").await.unwrap();
    let text = fs::read_to_string(place.identity()).unwrap();
    let identity: age::x25519::Identity = text.lines().last().unwrap().parse().unwrap();
    let later = b"{\"seed-local\":2}\nsomething else\n";
    let encrypted = age::encrypt(&identity.to_public(), later).unwrap();
    fs::write(place.file(), encrypted).unwrap();
    assert_eq!(stopped(&place.local()).await, ErrorKind::Unsupported);
}

#[tokio::test]
async fn what_a_killed_process_left_is_removed_and_nothing_else() {
    let place = Place::new();
    create(&place.local(), "a").await.unwrap();
    let directory = place.file().parent().unwrap().to_owned();
    let strangers = [".dev.age.notes", ".other.age.0123456789abcdef.seed-draft"];
    for left in [".dev.age.0123456789abcdef.seed-draft"]
        .iter()
        .chain(&strangers)
    {
        fs::write(directory.join(left), "half").unwrap();
    }
    create(&place.local(), "b").await.unwrap();
    let mut rest = vec!["dev.age", "dev.age.lock"];
    rest.extend(strangers);
    rest.sort_unstable();
    assert_eq!(place.listing(), rest);
}

#[tokio::test]
async fn the_age_crate_alone_opens_a_store() {
    let place = Place::new();
    create(&place.local(), "a").await.unwrap();
    let text = fs::read_to_string(place.identity()).unwrap();
    let identity: age::x25519::Identity = text.lines().last().unwrap().parse().unwrap();
    let stored = age::decrypt(&identity, &fs::read(place.file()).unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(stored).unwrap(),
        "{\"seed-local\":1}\n\
         {\"name\":\"a\",\"labels\":{\"managed-by\":\"seed\",\"seed-contract\":\"test\"},\
         \"versions\":[{\"single\":\"YQ==\"}]}\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_takes_nobody_along() {
    let place = Place::new();
    let local = Arc::new(place.local());
    let mut tasks = JoinSet::new();
    for n in 0..64 {
        let local = Arc::clone(&local);
        let task = tasks.spawn(async move { create(&local, &format!("key{n}")).await });
        if n % 2 == 0 {
            task.abort();
        }
    }
    while let Some(done) = tasks.join_next().await {
        match done {
            Ok(created) => created.unwrap(),
            Err(err) => assert!(err.is_cancelled()),
        }
    }
    create(&local, "last").await.unwrap();
    let names: Vec<Wanted> = (0..64).map(|n| wanted(name(&format!("key{n}")))).collect();
    let seen = local.inventory(&names).await.unwrap();
    for wanted in names.iter().skip(1).step_by(2) {
        let presence = seen.get(&wanted.name).unwrap();
        assert!(matches!(presence, Presence::Present { .. }), "{presence:?}");
    }
}

#[test]
fn a_store_outlives_the_runtime_it_was_used_in() {
    let place = Place::new();
    let local = place.local();
    for key in ["a", "b"] {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(create(&local, key)).unwrap();
    }
}

#[tokio::test]
async fn a_writer_waits_for_the_lock_and_names_it_when_that_takes_too_long() {
    let place = Place::new();
    create(&place.local(), "a").await.unwrap();
    let lock = place.file().with_extension("age.lock");
    let held = fs::File::open(&lock).unwrap();
    held.lock().unwrap();
    let hasty = Local::new(place.config().with_patience(Duration::from_millis(30)));
    let late = create(&hasty, "b").await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Unavailable);
    assert!(late.message().contains("dev.age.lock"), "{late}");
    // Reading needs no lock.
    hasty.read(&name("a"), WantedShape::Single).await.unwrap();
    held.unlock().unwrap();
    create(&hasty, "b").await.unwrap();
}

#[tokio::test]
async fn entries_that_are_not_touched_stay_byte_for_byte() {
    let place = Place::new();
    let local = place.local();
    create(&local, "a").await.unwrap();
    let text = fs::read_to_string(place.identity()).unwrap();
    let identity: age::x25519::Identity = text.lines().last().unwrap().parse().unwrap();
    let open = || age::decrypt(&identity, &fs::read(place.file()).unwrap()).unwrap();
    let before = open();
    create(&local, "b").await.unwrap();
    let after = open();
    assert!(after.starts_with(&before));
    let key = name("b");
    let first = local.read(&key, WantedShape::Single).await.unwrap();
    let new = single("new");
    local.replace(&key, &new, &first.version).await.unwrap();
    assert!(open().starts_with(&before));
}

#[test]
fn debug_shows_paths_only() {
    let local = Local::new(Config::new("dev.age", "id"));
    assert_eq!(
        format!("{local:?}"),
        "Local { config: Config { file: \"dev.age\", identity: \"id\", patience: 20s, .. }, .. }"
    );
}

#[test]
fn it_is_described_by_the_path_that_people_know() {
    let config = Config::new("/srv/app/.seed/dev.age", "id").shown_as(".seed/dev.age");
    let description = Local::new(config).describe();
    assert_eq!(description.place, "file .seed/dev.age");
    assert_eq!(description.confirm, Confirm::Never);
}
