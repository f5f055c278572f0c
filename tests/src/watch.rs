//! Which files are opened, as the kernel tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// Notes what is opened below some directories while it lives.
#[derive(Debug)]
pub struct Watch {
    queue: OwnedFd,
    /// The name of each watched directory, by the number that the kernel gave it.
    directories: BTreeMap<i32, PathBuf>,
}

impl Watch {
    /// Watches every directory that is below `roots` now. Each root is shown by its name.
    pub fn over(roots: &[(&Path, &str)]) -> Result<Self, String> {
        let queue = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
        let mut watch = Self {
            queue: queue.map_err(|err| format!("no inotify: {err}"))?,
            directories: BTreeMap::new(),
        };
        for (path, name) in roots {
            watch.add(path, Path::new(name))?;
        }
        // Adding a directory opens it.
        watch.opened().map(drop)?;
        Ok(watch)
    }

    fn add(&mut self, path: &Path, name: &Path) -> Result<(), String> {
        let failed = |err: &dyn std::fmt::Display| format!("{}: {err}", path.display());
        let flags = WatchFlags::OPEN | WatchFlags::ACCESS;
        let number = inotify::add_watch(&self.queue, path, flags).map_err(|err| failed(&err))?;
        self.directories.insert(number, name.to_path_buf());
        for entry in fs::read_dir(path).map_err(|err| failed(&err))? {
            let entry = entry.map_err(|err| failed(&err))?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.add(&entry.path(), &name.join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    /// Returns what was opened or read since the last call.
    pub fn opened(&self) -> Result<BTreeSet<String>, String> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.queue, &mut buffer);
        let mut opened = BTreeSet::new();
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => return Ok(opened),
                Err(err) => return Err(format!("inotify: {err}")),
            };
            let Some(directory) = self.directories.get(&event.wd()) else {
                return Err("more happened than the kernel tells".into());
            };
            let name = event.file_name().map(|name| name.to_string_lossy());
            let path = name.map_or_else(|| directory.clone(), |name| directory.join(&*name));
            opened.insert(path.display().to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_opened_is_told_and_what_is_only_looked_up_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let at = |path: &str| directory.path().join(path);
        fs::create_dir(at("deep")).unwrap();
        for file in ["a", "b", "deep/c"] {
            fs::write(at(file), "text").unwrap();
        }
        let watch = Watch::over(&[(directory.path(), "$ROOT")]).unwrap();
        assert!(watch.opened().unwrap().is_empty());
        assert!(at("b").exists() && !at("nothing").exists());
        assert!(watch.opened().unwrap().is_empty());
        fs::read(at("a")).unwrap();
        drop(fs::File::open(at("deep/c")).unwrap());
        let opened: Vec<String> = watch.opened().unwrap().into_iter().collect();
        assert_eq!(opened, ["$ROOT/a", "$ROOT/deep/c"]);
        assert_eq!(fs::read_dir(at("deep")).unwrap().count(), 1);
        assert!(watch.opened().unwrap().contains("$ROOT/deep"));
    }
}
