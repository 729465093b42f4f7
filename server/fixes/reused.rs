//! To be written.
use super::{Draft, Reused, Site};
pub(super) fn reused(_: &Site, _: &Reused) -> Vec<Draft> {
    Vec::new()
}
