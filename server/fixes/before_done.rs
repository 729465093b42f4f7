//! `task.result()` and `task.exception()` asked before the task is done: wait first, or ask only when it is done.

use super::{Draft, Site};

/// The fixes for a `result()` or `exception()` that is asked too early, the best first.
pub fn before_done(_site: &Site) -> Vec<Draft> {
    Vec::new()
}
