//! Random programs: a number goes in, a small asyncio program comes out, always the same for that number.
//!
//! There are two families. `tasks` writes what people do with tasks and futures in local names, in any order and nesting;
//! `lives` writes what becomes of coroutines and tasks: whether somebody awaits them, twice, never, and who takes care of their
//! errors. What each run is to draw anew is left open in both: `flag()`, and the lists of the prelude. Every pause and limit is
//! a whole number, by which the judge's event loop knows that it is the program's.

mod coroutines;
mod fates;
mod helpers;
mod lives;
mod statements;
mod tasks;

use crate::program::Node;

/// What a program is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    Tasks,
    Lives,
}

/// A program: what all of its family begin with, and what is its own.
pub struct Program {
    pub prelude: &'static str,
    pub nodes: Vec<Node>,
}

/// The program of this number.
pub fn program(family: Family, seed: u64) -> Program {
    let mut random = Random::new(seed);
    // The first numbers of neighbouring seeds are alike.
    random.next();
    let (prelude, nodes) = match family {
        Family::Tasks => tasks::program(random),
        Family::Lives => lives::program(random),
    };
    Program { prelude, nodes }
}

pub const EXCEPTIONS: &[&str] = &[
    "ValueError",
    "ValueError",
    "Exception",
    "Exception",
    "asyncio.CancelledError",
    "asyncio.CancelledError",
    "asyncio.TimeoutError",
    "TimeoutError",
    "(ValueError, asyncio.CancelledError)",
    "(ValueError, TimeoutError)",
    "(asyncio.CancelledError, Exception)",
    "BaseException",
    "asyncio.InvalidStateError",
    "KeyError",
    "OSError",
    "RuntimeError",
];

/// SplitMix64: small, and the same on every machine.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// True in so many cases of a hundred.
    pub fn percent(&mut self, n: usize) -> bool {
        self.below(100) < n
    }

    pub fn of<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[self.below(among.len())]
    }

    /// An index, each as often as its weight says.
    pub fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut left = self.below(weights.iter().sum());
        weights
            .iter()
            .position(|&weight| {
                let here = left < weight;
                left = left.wrapping_sub(weight);
                here
            })
            .unwrap_or(0)
    }
}
