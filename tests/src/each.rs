//! The same for each of many things.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does each of many things, so many at once: good for what mostly waits. Gives what came of them, in their order, or all
/// that went wrong.
pub fn each<T: Sync, R: Send>(
    all: &[T],
    at_once: usize,
    one: impl Fn(&T) -> Result<R, String> + Sync,
) -> Result<Vec<R>, String> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(this) = all.get(index) else { return };
                    let came = one(this);
                    if let Ok(mut done) = done.lock() {
                        done.insert(index, came);
                    }
                }
            });
        }
    });
    let done = done.into_inner().map_err(|_| "a worker panicked")?;
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for came in done.into_values() {
        match came {
            Ok(came) => good.push(came),
            Err(err) => bad.push(err),
        }
    }
    match bad.len() {
        0 => Ok(good),
        count => Err(format!("{count} of {}:\n{}", all.len(), bad.join("\n\n"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_each_is_in_order_and_every_failure_is_told() {
        let all = [3, 1, 2];
        let doubled = each(&all, 2, |one| Ok(one * 2));
        assert_eq!(doubled, Ok(vec![6, 2, 4]));
        let odd = each(&all, 8, |one| match one % 2 {
            0 => Ok(()),
            _ => Err(format!("{one} is odd")),
        });
        assert_eq!(odd, Err("2 of 3:\n3 is odd\n\n1 is odd".to_owned()));
    }
}
