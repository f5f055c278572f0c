//! Choices that proptest can make smaller: with nothing left to draw from, every roll is 0, the plainest choice.

use std::fmt;

use proptest::prelude::*;

#[derive(Clone, Default)]
pub(crate) struct Dice {
    rolls: Vec<u32>,
    next: usize,
}

/// Hundreds of numbers say nothing; a failing test shows what was made with them.
impl fmt::Debug for Dice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dice").finish_non_exhaustive()
    }
}

impl Dice {
    pub(crate) fn strategy(rolls: usize) -> impl Strategy<Value = Self> {
        proptest::collection::vec(any::<u32>(), 0..rolls).prop_map(|rolls| Self { rolls, next: 0 })
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        let drawn = self.rolls.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        drawn as usize % sides.max(1)
    }

    /// True once in `sides` times, and never when there is nothing left to draw from.
    pub(crate) fn rarely(&mut self, sides: usize) -> bool {
        self.roll(sides) == sides - 1
    }

    pub(crate) fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.roll(choices.len())]
    }

    pub(crate) fn word(&mut self, words: &[&'static str]) -> &'static str {
        words[self.roll(words.len())]
    }
}
