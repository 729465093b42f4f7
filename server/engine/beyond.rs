//! Fixes that need the whole file: the items that they ask for are parsed, and they are drawn up over all of them.
//!
//! In: what a draft carries, and the item that it is of. Out: fixes in bytes of the file. Nothing of it is kept: any edit
//! may change who calls a function, and the trees are kept anyway.

use super::File;
use super::item::{ItemState, newline};
use crate::fixes::{Beyond, ItemView, Need, Reached, View, reach_out};

impl File {
    /// What `beyond`, of this item, comes to in the text as it is.
    pub(super) fn reach_out(&mut self, item: usize, beyond: &Beyond) -> Reached {
        self.analyse(None);
        let top_level_await = self.top_level_await();
        // Each turn parses more, and there is no more than all.
        for _ in 0..=self.items.len() {
            let text = self.text.as_str();
            let items = self.items.iter().zip(&self.states).map(|(item, state)| ItemView {
                start: item.span.start,
                src: item.span.of(text),
                parsed: state.parsed().map(|(tree, facts)| (tree.root(), facts)),
            });
            let view = View {
                text,
                items: items.collect(),
                module: &self.module.names,
                newline: newline(text),
                top_level_await,
            };
            match reach_out(&view, item, beyond) {
                Ok(reached) => return reached,
                Err(need) => self.parse(&need),
            }
        }
        Reached::default()
    }

    fn parse(&mut self, need: &Need) {
        for (item, state) in self.items.iter().zip(&mut self.states) {
            let text = item.span.of(self.text.as_str());
            let wanted = match need {
                Need::Word(word) => memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some(),
                Need::From(offset) => item.span.end > *offset,
            };
            if wanted {
                ItemState::facts(state, text);
            }
        }
    }
}
