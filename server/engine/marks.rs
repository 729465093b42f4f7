//! Words that matter to the file as a whole, wherever they stand.
//!
//! To know that a word stands nowhere, all of the text has to be read. An edit can bring it in its own lines only, so that is
//! known on; and where the word stands it is soon found again.

use crate::report::suppression;
use crate::rules::RULES;
use crate::tasks;
use crate::text::{Edit, Span, Text};

/// What is looked for. No such word spans lines.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    /// Without one of these nothing is found.
    Matters,
    /// The first line of a cell: the file is a notebook in text form, whose cells may wait.
    Cells,
    /// A comment may silence something.
    Silences,
    /// A comment that silences nothing may be worth a hint.
    Hints,
    /// What other modules make may come in.
    Imports,
}

const ALL: [Mark; 5] = [Mark::Matters, Mark::Cells, Mark::Silences, Mark::Hints, Mark::Imports];

impl Mark {
    /// Whether it stands in the text, which starts where a line does.
    fn is_in(self, text: &str) -> bool {
        let holds = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
        match self {
            Self::Matters => tasks::may_make_tasks(text) || holds("await"),
            Self::Cells => has_cells(text),
            Self::Silences => suppression::mentions(text),
            Self::Imports => holds("import"),
            Self::Hints => holds("aiolint:") || RULES.iter().any(|rule| holds(rule.name)),
        }
    }
}

/// Of each [`Mark`] whether it stands in the text; `None` where that is to be seen.
#[derive(Default)]
pub(super) struct Marks([Option<bool>; ALL.len()]);

impl Marks {
    pub fn hold(&mut self, mark: Mark, text: &str) -> bool {
        *self.0[mark as usize].get_or_insert_with(|| mark.is_in(text))
    }

    /// Follows an edit that left `text`.
    pub fn edit(&mut self, text: &Text, edit: Edit) {
        let line = |offset| text.line_at(offset);
        let lines = Span::new(line(edit.start).start, line(edit.new_end).end);
        for mark in ALL {
            let known = &mut self.0[mark as usize];
            if *known == Some(true) || mark.is_in(lines.of(text.as_str())) {
                *known = None;
            }
        }
    }
}

/// `# %%` or `# In[1]:` begins each cell.
fn has_cells(text: &str) -> bool {
    let cell = |mark: &str| {
        memchr::memmem::find_iter(text.as_bytes(), mark).any(|at| at == 0 || text[..at].ends_with(['\n', '\r']))
    };
    cell("# %%") || cell("#%%") || cell("# In[")
}
