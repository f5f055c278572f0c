//! The power is cut between any two system calls of a change, on a disk that keeps only what it was told to sync.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use seed_core::backend::Kind;
use seed_core::document::{Document, FieldValue, Fields};
use seed_core::inventory::{Presence, Version};
use seed_core::name::SecretName;
use seed_provider::{Marks, Operation, WantedShape};

use crate::Config;
use crate::disk::{Text, transact};
use crate::error::FileError;

/// What was done to the disk.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Create(PathBuf),
    Link(PathBuf, PathBuf),
    MakeDirectory(PathBuf),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
    Sync(PathBuf),
    SyncDirectory(PathBuf),
    Write(PathBuf, Vec<u8>),
    /// Not a call: the caller was told that this key is stored with this value.
    Told(&'static str, String),
}

thread_local! {
    static HEARD: RefCell<Vec<Call>> = const { RefCell::new(Vec::new()) };
}

/// Notes what this thread has done.
pub(crate) fn heard(call: Call) {
    HEARD.with_borrow_mut(|heard| heard.push(call));
}

/// A file or a directory, under any number of names.
#[derive(Clone, Debug)]
enum Node {
    Directory(Directory),
    File {
        /// All that was written.
        written: Vec<u8>,
        /// How much of it is on disk.
        synced: usize,
    },
}

#[derive(Clone, Debug, Default)]
struct Directory {
    /// The names on disk.
    synced: BTreeMap<PathBuf, usize>,
    /// Changes that may reach the disk or not, each on its own.
    pending: Vec<Vec<(PathBuf, Option<usize>)>>,
}

/// A disk, as a journal of what was done to it.
#[derive(Clone, Debug)]
struct Disk {
    nodes: Vec<Node>,
    /// What processes see.
    names: BTreeMap<PathBuf, usize>,
}

impl Disk {
    /// An empty directory, which is on disk.
    fn new(root: &Path) -> Self {
        Self {
            nodes: vec![Node::Directory(Directory::default())],
            names: BTreeMap::from([(root.to_owned(), 0)]),
        }
    }

    fn apply(&mut self, call: &Call) {
        match call {
            Call::Create(path) => self.add(
                path,
                Node::File {
                    written: Vec::new(),
                    synced: 0,
                },
            ),
            Call::Link(from, to) => {
                let node = self.names[from];
                self.change(to, vec![(to.clone(), Some(node))]);
            }
            Call::MakeDirectory(path) => self.add(path, Node::Directory(Directory::default())),
            Call::Remove(path) => self.change(path, vec![(path.clone(), None)]),
            Call::Rename(from, to) => {
                let node = self.names[from];
                self.change(to, vec![(from.clone(), None), (to.clone(), Some(node))]);
            }
            Call::Sync(path) => {
                if let Node::File { written, synced } = &mut self.nodes[self.names[path]] {
                    *synced = written.len();
                }
            }
            Call::SyncDirectory(path) => self.sync_directory(path),
            Call::Write(path, bytes) => {
                if let Node::File { written, .. } = &mut self.nodes[self.names[path]] {
                    written.extend(bytes);
                }
            }
            Call::Told(..) => {}
        }
    }

    fn add(&mut self, path: &Path, node: Node) {
        self.nodes.push(node);
        self.change(path, vec![(path.to_owned(), Some(self.nodes.len() - 1))]);
    }

    /// Changes names in the directory of `path`; all of them, or none.
    fn change(&mut self, path: &Path, change: Vec<(PathBuf, Option<usize>)>) {
        for (name, node) in &change {
            match node {
                Some(node) => self.names.insert(name.clone(), *node),
                None => self.names.remove(name),
            };
        }
        let above = self.names[path.parent().unwrap()];
        if let Node::Directory(directory) = &mut self.nodes[above] {
            directory.pending.push(change);
        }
    }

    /// Directories above the one that the test works in are on disk.
    fn sync_directory(&mut self, path: &Path) {
        let node = self.names.get(path).map(|node| &mut self.nodes[*node]);
        if let Some(Node::Directory(directory)) = node {
            for (name, node) in directory.pending.drain(..).flatten() {
                match node {
                    Some(node) => directory.synced.insert(name, node),
                    None => directory.synced.remove(&name),
                };
            }
        }
    }

    /// Every content that this disk may have after a power cut: each change of names that was not synced is there or
    /// not, and of content that was not synced there is nothing, half, or all.
    fn after_a_cut(&self) -> BTreeSet<Contents> {
        let count: usize = self
            .pending()
            .map(|directory| directory.pending.len())
            .sum();
        assert!(count < 14, "too many changes that were not synced: {count}");
        let mut contents = BTreeSet::new();
        for chosen in 0..1_u32 << count {
            for kept in [0, 1, 2] {
                let mut names = BTreeMap::new();
                let mut next = 0;
                for directory in self.pending() {
                    names.extend(directory.synced.clone());
                    for change in &directory.pending {
                        let there = chosen >> next & 1 == 1;
                        next += 1;
                        for (name, node) in change.iter().filter(|_| there) {
                            match node {
                                Some(node) => names.insert(name.clone(), *node),
                                None => names.remove(name),
                            };
                        }
                    }
                }
                contents.insert(self.contents(&names, kept));
            }
        }
        contents
    }

    fn pending(&self) -> impl Iterator<Item = &Directory> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Directory(directory) => Some(directory),
            Node::File { .. } => None,
        })
    }

    /// The files that can be reached.
    fn contents(&self, names: &BTreeMap<PathBuf, usize>, kept: usize) -> Contents {
        let root = self.names.iter().find(|(_, node)| **node == 0).unwrap().0;
        let reachable = |path: &Path| {
            let above = path.ancestors().skip(1).take_while(|above| above != root);
            above.into_iter().all(|above| names.contains_key(above))
        };
        let files = names.iter().filter(|(path, _)| reachable(path));
        files
            .filter_map(|(path, node)| match &self.nodes[*node] {
                Node::Directory(_) => None,
                Node::File { written, synced } => {
                    let length = synced + (written.len() - synced) * kept / 2;
                    Some((path.clone(), written[..length].to_vec()))
                }
            })
            .collect()
    }
}

/// A directory with a store and an identity in directories of their own.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn config(&self, store: &str) -> Config {
        let path = |below: &str| self.0.path().join(below);
        Config::new(path(store), path("home/.config/seed/identity.txt"))
    }

    /// Has what processes see on a disk, and nothing else.
    fn become_of(&self, disk: &Disk) {
        for entry in fs::read_dir(self.0.path()).unwrap() {
            fs::remove_dir_all(entry.unwrap().path()).unwrap();
        }
        for (path, node) in &disk.names {
            if let Node::Directory(_) = disk.nodes[*node] {
                fs::create_dir_all(path).unwrap();
            }
        }
        self.fill(self.0.path(), &disk.contents(&disk.names, 2));
    }

    /// Puts files where a disk has them.
    fn fill(&self, from: &Path, contents: &Contents) {
        for (path, bytes) in contents {
            let path = self.0.path().join(path.strip_prefix(from).unwrap());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

/// What a process does.
type Step<'a> = &'a dyn Fn(&Place);

/// Carries out steps, and cuts the power before, between and after all their calls. Whatever is left must open, have
/// every value that a caller was told of, and take the same steps again.
fn cut_everywhere(steps: &[Step<'_>], stores: &[&str]) -> usize {
    let place = Place::new();
    let calls = calls_of(&place, steps);
    let mut seen = BTreeSet::new();
    cut_at_each(
        Disk::new(place.0.path()),
        &calls,
        &mut seen,
        &mut |contents, told| {
            let copy = Place::new();
            copy.fill(place.0.path(), contents);
            judge(&copy, told, stores)?;
            for step in steps {
                step(&copy);
            }
            judge(&copy, told, stores)
        },
    );
    seen.len()
}

/// Kills one process before, between and after all its calls, lets another one go on there, and cuts the power before,
/// between and after all of its calls.
fn cut_after_a_kill(first: Step<'_>, second: Step<'_>, stores: &[&str]) -> usize {
    let place = Place::new();
    let calls = calls_of(&place, &[first]);
    let mut disk = Disk::new(place.0.path());
    let mut seen = BTreeSet::new();
    // A reader does not mind drafts.
    let mut judged = BTreeSet::new();
    for kill in 0..=calls.len() {
        place.become_of(&disk);
        let further = calls_of(&place, &[second]);
        cut_at_each(disk.clone(), &further, &mut seen, &mut |contents, told| {
            let mut contents = contents.clone();
            contents.retain(|path, _| !is_draft(path));
            if !judged.insert((told.clone(), contents.clone())) {
                return Ok(());
            }
            let copy = Place::new();
            copy.fill(place.0.path(), &contents);
            judge(&copy, told, stores)
        });
        if let Some(call) = calls.get(kill) {
            disk.apply(call);
        }
    }
    judged.len()
}

fn is_lock(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "lock")
}

fn is_draft(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "seed-draft")
}

fn calls_of(place: &Place, steps: &[Step<'_>]) -> Vec<Call> {
    drop(HEARD.take());
    for step in steps {
        step(place);
    }
    HEARD.take()
}

type Contents = BTreeMap<PathBuf, Vec<u8>>;
type Judge<'a> = &'a mut dyn FnMut(&Contents, &ToldKeys) -> Result<(), String>;

/// Judges each content that a cut at any of these calls may leave, and that was not judged yet.
fn cut_at_each(
    mut disk: Disk,
    calls: &[Call],
    seen: &mut BTreeSet<(ToldKeys, Contents)>,
    judge: Judge<'_>,
) {
    let mut told = ToldKeys::new();
    for cut in 0..=calls.len() {
        for mut contents in disk.after_a_cut() {
            // Nobody reads these; a lock that is held is not a matter of what is in its file.
            contents.retain(|path, _| !is_lock(path));
            if seen.insert((told.clone(), contents.clone())) {
                let judged = judge(&contents, &told);
                let names: Vec<&PathBuf> = contents.keys().collect();
                assert!(
                    judged.is_ok(),
                    "{judged:?}\nafter {:#?}\nwith {names:#?}",
                    &calls[..cut]
                );
            }
        }
        if let Some(call) = calls.get(cut) {
            disk.apply(call);
            if let Call::Told(store, key) = call {
                told.entry(*store).or_default().insert(key.clone());
            }
        }
    }
    drop(HEARD.take());
}

type ToldKeys = BTreeMap<&'static str, BTreeSet<String>>;

/// Every store opens; what is there is whole, and what a caller was told of is there.
fn judge(place: &Place, told: &ToldKeys, stores: &[&str]) -> Result<(), String> {
    for store in stores {
        let config = place.config(store);
        let text = Text::load(&config).map_err(|err| err.to_string())?;
        let book = text.book(&config).map_err(|err| err.to_string())?;
        for key in ["a", "b", "entry"] {
            let presence = book.presence(&name(key));
            let told = |key: &str| told.get(store).is_some_and(|told| told.contains(key));
            if presence == Presence::Absent && !told(key) {
                continue;
            }
            if !matches!(presence, Presence::Present { .. }) {
                return Err(format!("{key} in {store}: {presence:?}"));
            }
            let shape = if key == "entry" {
                WantedShape::Fields
            } else {
                WantedShape::Single
            };
            let stored = book.read(Operation::Read, &name(key), None, shape);
            match stored.map_err(|err| err.to_string())?.document {
                Document::Single(value) if value.expose() == key.as_bytes() => {}
                Document::Fields(fields) => {
                    let names: Vec<&str> = fields.iter().map(|(name, _)| name).collect();
                    if names != ["one"] && names != ["one", "two"]
                        || told("entry#two") && names.len() < 2
                    {
                        return Err(format!("{key} in {store} has {names:?}"));
                    }
                }
                Document::Single(_) => return Err(format!("{key} in {store} is another")),
            }
        }
    }
    Ok(())
}

fn name(name: &str) -> SecretName {
    Kind::Local.existing_name(name).unwrap()
}

fn fields(name: &str) -> Fields {
    let mut fields = Fields::new();
    assert!(fields.insert(name, FieldValue::Text("value".to_owned().into())));
    fields
}

/// Creates a key whose value is its name; one that exists is as good.
fn create(place: &Place, store: &'static str, key: &str) {
    let document = match key {
        "entry" => Document::Fields(fields("one")),
        _ => Document::Single(key.to_owned().into()),
    };
    let created = transact(&place.config(store), |book| {
        book.create(&name(key), &document, &Marks::of("test"))
    });
    // A refusal says that it is there, too.
    drop(created.unwrap());
    heard(Call::Told(store, key.to_owned()));
}

fn add_field(place: &Place, store: &'static str) {
    let added: Result<_, FileError> = transact(&place.config(store), |book| {
        book.add_fields(&name("entry"), &fields("two"), &Version::new("1"))
    });
    drop(added.unwrap());
    heard(Call::Told(store, "entry#two".to_owned()));
}

/// Looks, and uses what is seen.
fn look(place: &Place, store: &'static str) {
    let config = place.config(store);
    let text = Text::look(&config).unwrap();
    let presence = text.book(&config).unwrap().presence(&name("a"));
    if presence != Presence::Absent {
        heard(Call::Told(store, "a".to_owned()));
    }
}

const STORE: &str = "project/.seed/dev.age";
const OTHER: &str = "other/.seed/dev.age";

#[test]
fn a_first_write_and_those_after_it_survive_a_power_cut_at_any_call() {
    let states = cut_everywhere(
        &[
            &|place| create(place, STORE, "a"),
            &|place| create(place, STORE, "b"),
            &|place| create(place, STORE, "entry"),
            &|place| add_field(place, STORE),
        ],
        &[STORE],
    );

    assert!(states > 40, "only {states} states were looked at");
}

#[test]
fn what_goes_on_after_a_kill_survives_a_power_cut() {
    let create = |place: &Place| create(place, STORE, "a");
    let states = cut_after_a_kill(&create, &create, &[STORE]);

    assert!(states > 40, "only {states} states were looked at");
}

#[test]
fn what_is_seen_after_a_kill_survives_a_power_cut() {
    let first = |place: &Place| create(place, STORE, "a");
    let states = cut_after_a_kill(&first, &|place| look(place, STORE), &[STORE]);

    assert!(states > 2, "only {states} states were looked at");
}

#[test]
fn a_store_with_the_identity_of_a_killed_process_survives_a_power_cut() {
    let first = |place: &Place| create(place, STORE, "a");
    let second = |place: &Place| create(place, OTHER, "b");
    let states = cut_after_a_kill(&first, &second, &[STORE, OTHER]);

    assert!(states > 40, "only {states} states were looked at");
}
