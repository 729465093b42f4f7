//! The one door: text and edits in, findings with fixes and hover texts out. `lsp/`, `cli/` and the tests are its clients.
//!
//! A [`File`] keeps everything per item: its tree, its facts, what the rules say about each of its functions. An edit touches the
//! items that it touches; the others keep theirs, and since all places in there are bytes of the item, an edit above costs them
//! nothing. What the items of a file share is what its module-level names mean; only when that changes are the others looked at
//! again. An item is parsed when somebody asks for what is in it: for findings that takes a word that matters, in a file
//! that may make a task or coroutine, or `await` in any.
//!
//! Nothing in here or left of here does I/O, panics on input or names a protocol type.
//!
//! - `item` what is kept of an item, and how it follows an edit
//! - `names` what the module's names mean, over all items, and which items matter
//! - `usage` what the file as a whole does with a name
//! - `modules` the other modules that it imports
//! - `program` which functions are analysed, and in which order
//! - `beyond` fixes that need the whole file
//! - `hover` what to say about a place

mod beyond;
mod hover;
mod item;
mod modules;
mod names;
mod program;
mod usage;

use std::path::PathBuf;
use std::sync::Arc;

use crate::items::{self, Item, Origin};
use crate::project::Settings;
use crate::report::suppression::{self, Source};
use crate::report::{Finding, Fix, Related, TextEdit};
use crate::rules::RULES;
use crate::tasks::modules::{Exports, NoModules};
use crate::text::{Change, Edit, Encoding, Span, Text};
use crate::{fixes, tasks, tree};

pub use hover::Hover;
use item::ItemState;
pub use modules::Modules;
use modules::View;
use names::Module;
use program::Program;

/// One Python file and all that is known about it.
pub struct File {
    text: Text,
    settings: Arc<Settings>,
    items: Vec<Item>,
    states: Vec<ItemState>,
    module: Module,
    program: Program,
    findings: Option<Arc<[Finding]>>,
    analysed: u64,
    /// The other modules, and where the file itself is.
    elsewhere: Option<(Arc<Modules>, PathBuf)>,
}

impl File {
    /// A file with this text. Nothing is analysed before it is asked for.
    pub fn new(text: String, settings: Arc<Settings>) -> Self {
        let text = Text::new(text);
        let items = items::cut(text.as_str());
        let states = items.iter().map(|_| ItemState::default()).collect();
        let module = Module::new(settings.python);
        Self {
            text,
            settings,
            items,
            states,
            module,
            program: Program::default(),
            findings: None,
            analysed: 0,
            elsewhere: None,
        }
    }

    /// The file is at `path`, which must be absolute, and imports from these modules.
    #[must_use]
    pub fn among(mut self, modules: Arc<Modules>, path: PathBuf) -> Self {
        self.elsewhere = Some((modules, path));
        self.modules_changed();
        self
    }

    /// What other modules export may have changed.
    pub fn modules_changed(&mut self) {
        self.module.outdated();
        self.module.others_changed();
        self.findings = None;
    }

    /// What the file exports as a module of this key, with what its functions do for their callers if these are wanted.
    fn exports(&mut self, key: Arc<str>, with_summaries: bool) -> Exports {
        self.module.knows_all_classes();
        self.module.update(&self.text, &self.items, &mut self.states, &NoModules);
        let mut exports = Exports { key, names: self.module.names.clone(), ..Exports::default() };
        if with_summaries {
            self.analyse(None);
            exports.summaries = self.program.summaries();
        }
        exports
    }

    /// Applies the changes of one notification, in order: each is relative to the text that the one before it left.
    /// Positions past the end are clamped as the protocol says.
    pub fn edit(&mut self, changes: Vec<Change>, encoding: Encoding) {
        for change in &changes {
            let edit = self.text.apply(change, encoding);
            self.follow(edit);
        }
    }

    fn follow(&mut self, edit: Edit) {
        let recut = items::recut(&self.items, self.text.as_str(), edit);
        let old = recut.old.clone();
        let mut gone: Vec<Option<ItemState>> = self
            .states
            .get_mut(old.clone())
            .map(|states| states.iter_mut().map(|state| Some(std::mem::take(state))).collect())
            .unwrap_or_default();
        let mut take =
            |index: usize| index.checked_sub(old.start).and_then(|at| gone.get_mut(at)).and_then(Option::take);
        let new: Vec<ItemState> = recut
            .new
            .iter()
            .map(|&(item, origin)| match origin {
                Origin::Same(index) => take(index).unwrap_or_default(),
                Origin::Edited(index, edit) => {
                    let mut state = take(index).unwrap_or_default();
                    state.edit(item.span.of(self.text.as_str()), edit);
                    state
                }
                Origin::New => ItemState::default(),
            })
            .collect();
        if old.end <= self.states.len() {
            self.states.splice(old, new);
        }
        recut.apply(&mut self.items);
        self.module.outdated();
        self.findings = None;
    }

    /// The current text.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// How many functions were analysed so far: what tells a test, or a trace, that an edit cost no more than it should.
    pub fn functions_analysed(&self) -> u64 {
        self.analysed
    }

    /// The findings of the current text, by place. Only what an edit touched is analysed again. A function that does not parse
    /// keeps its last findings, without their fixes, until it parses again.
    pub fn findings(&mut self) -> Arc<[Finding]> {
        if let Some(findings) = &self.findings {
            return findings.clone();
        }
        let mut findings = Vec::new();
        let mut unfinished = Vec::new();
        let top_level_await = self.top_level_await();
        for index in self.analyse(None) {
            let start = self.items[index].span.start;
            let drafts = self.states[index].analysis.iter().flat_map(|analysis| analysis.drafts());
            for draft in drafts.filter(|draft| !(draft.at_top_level && top_level_await)) {
                let beyond = draft.fixes.iter().filter_map(|fix| fix.beyond.clone());
                unfinished.extend(beyond.map(|beyond| (findings.len(), index, beyond)));
                let mut finding = draft.finding(start, &self.text);
                finding.related.extend(draft.elsewhere.iter().filter_map(|(place, message)| {
                    let span = place.span.shifted(self.start_of(&place.function)?);
                    Some(Related { span, message: message.clone() })
                }));
                findings.push(finding);
            }
        }
        for (finding, item, beyond) in unfinished.into_iter().take(MAX_BEYOND) {
            let reached = self.reach_out(item, &beyond);
            findings[finding].fixes.extend(reached.fixes);
            findings[finding].related.extend(reached.related);
        }
        findings.retain(|finding| self.settings.enabled(finding.rule));
        findings.sort_by_key(|finding| finding.span);
        let findings: Arc<[Finding]> = self.without_silenced(findings).into();
        self.findings = Some(findings.clone());
        findings
    }

    /// Whether `await` is legal at module level.
    fn top_level_await(&self) -> bool {
        self.settings.top_level_await || has_cells(self.text.as_str())
    }

    /// Brings the items that matter up to date, and `also` this one; gives those that matter.
    fn analyse(&mut self, also: Option<usize>) -> Vec<usize> {
        let mut wanted = Vec::new();
        let view = self.elsewhere.as_ref().map(|(modules, path)| View { modules, file: path });
        let modules: &dyn tasks::modules::Modules = view.as_ref().map_or(&NoModules, |view| view);
        let text = self.text.as_str();
        // What other modules make has no word that tells.
        let imports = view.is_some() && text.contains("import");
        let matters = tasks::may_make_tasks(text) || text.contains("await") || imports;
        if matters || also.is_some() {
            self.module.update(&self.text, &self.items, &mut self.states, modules);
        }
        if matters {
            wanted = self.module.wanted.clone();
        }
        let mut all = wanted.clone();
        if let Some(index) = also.filter(|index| !wanted.contains(index)) {
            all.push(index);
        }
        self.analysed += self.program.analyse(&all, &self.text, &self.items, &mut self.states, &self.module, modules);
        wanted
    }

    /// Where the `def` of a function of the file starts, by its qualified name.
    fn start_of(&self, function: &str) -> Option<u32> {
        self.items.iter().zip(&self.states).find_map(|(item, state)| {
            let mut slots = state.analysis.as_ref()?.slots().iter();
            let slot = slots.find(|slot| slot.callable.as_deref() == Some(function))?;
            Some(item.span.start + slot.start())
        })
    }

    fn without_silenced(&mut self, findings: Vec<Finding>) -> Vec<Finding> {
        let rules: Vec<&'static str> = RULES.iter().map(|rule| rule.name).collect();
        if !suppression::matter(self.text.as_str(), !findings.is_empty(), &rules) {
            return findings;
        }
        let (comments, strings, broken) = self.comments();
        let source = Source {
            text: self.text.as_str(),
            comments: &comments,
            strings: &strings,
            broken: &broken,
            rules: &rules,
            settings: &self.settings,
        };
        suppression::apply(findings, &source)
    }

    /// The comments and many-line strings of the items that may hold a suppression, and what does not parse.
    fn comments(&mut self) -> (Vec<Span>, Vec<Span>, Vec<Span>) {
        let (mut comments, mut strings, mut broken) = (Vec::new(), Vec::new(), Vec::new());
        for (item, state) in self.items.iter().zip(&mut self.states) {
            let text = item.span.of(self.text.as_str());
            if suppression::mentions(text) {
                let root = state.tree(text).root();
                suppression::collect(root, text, item.span.start, &mut comments, &mut strings);
                if tree::quirks::is_broken(root, text) || tree::too_deep(root) {
                    broken.push(item.span);
                }
            }
        }
        (comments, strings, broken)
    }

    /// The edit that silences a rule's findings at this place (bytes of the file).
    pub fn silencing_edit(&mut self, rule: &str, span: Span) -> TextEdit {
        let (mut comments, mut strings) = (Vec::new(), Vec::new());
        for (item, state) in self.items.iter().zip(&mut self.states) {
            if item.span.end >= span.start && item.span.start <= span.end {
                let text = item.span.of(self.text.as_str());
                suppression::collect(state.tree(text).root(), text, item.span.start, &mut comments, &mut strings);
            }
        }
        let source = Source {
            text: self.text.as_str(),
            comments: &comments,
            strings: &strings,
            broken: &[],
            rules: &[],
            settings: &self.settings,
        };
        suppression::silencing_edit(rule, span, &source)
    }

    /// What to say about the place `offset` (bytes): a finding, or a task and the states it can be in there.
    pub fn hover(&mut self, offset: u32) -> Option<Hover> {
        let findings = self.findings();
        if let Some(hover) = hover::of_findings(&findings, offset, &self.text) {
            return Some(hover);
        }
        let index = self.items.partition_point(|item| item.span.end <= offset).min(self.items.len().checked_sub(1)?);
        self.analyse(Some(index));
        let item = self.items[index].span;
        let analysis = self.states[index].analysis.as_ref()?;
        hover::of_mentions(analysis, offset.checked_sub(item.start)?, item, &self.text)
    }
}

/// So many fixes that need the whole file are drawn up, the first ones: each may read all of it.
const MAX_BEYOND: usize = 30;

/// Whether the file is a notebook in text form, whose cells may wait: `# %%` or `# In[1]:` begins each.
fn has_cells(text: &str) -> bool {
    let cell = |mark: &str| {
        memchr::memmem::find_iter(text.as_bytes(), mark).any(|at| at == 0 || text[..at].ends_with(['\n', '\r']))
    };
    cell("# %%") || cell("#%%") || cell("# In[")
}

/// A finding whose places are bytes of its item: what is kept while the item moves.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Draft {
    rule: &'static str,
    level: crate::report::Level,
    /// It is no defect where `await` is legal at module level.
    at_top_level: bool,
    span: Span,
    message: String,
    related: Vec<(Span, String)>,
    /// More of it, in other functions of the file.
    elsewhere: Vec<(tasks::Elsewhere, String)>,
    fixes: Vec<fixes::Draft>,
}

impl Draft {
    /// The finding in the file, the item's first byte being `shift`, with the imports that its fixes need.
    fn finding(&self, shift: u32, text: &Text) -> Finding {
        let fix = |draft: &fixes::Draft| {
            let mut edits: Vec<TextEdit> =
                draft.imports.iter().map(|module| fixes::import_edit(text.as_str(), module)).collect();
            if !draft.definitions.is_empty() {
                edits.push(fixes::definition_edit(text.as_str(), shift, &draft.definitions));
            }
            edits.extend(
                draft
                    .edits
                    .iter()
                    .map(|edit| TextEdit { span: edit.span.shifted(shift), content: edit.content.clone() }),
            );
            edits.sort_by_key(|edit| edit.span);
            Fix { title: draft.title.clone(), applicability: draft.applicability, edits }
        };
        Finding {
            rule: self.rule,
            level: self.level,
            span: self.span.shifted(shift),
            message: self.message.clone(),
            related: self
                .related
                .iter()
                .map(|(span, message)| Related { span: span.shifted(shift), message: message.clone() })
                .collect(),
            fixes: self.fixes.iter().filter(|draft| draft.beyond.is_none()).map(fix).collect(),
        }
    }
}
