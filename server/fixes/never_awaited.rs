//! To be written.
use super::{Draft, NeverAwaited, Site};
pub(super) fn never_awaited(_: &Site, _: &NeverAwaited) -> Vec<Draft> {
    Vec::new()
}
