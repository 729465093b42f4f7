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
//! - `words` which words stand in an item or function
//! - `usage` what the file as a whole does with a name
//! - `marks` words that matter wherever they stand in the file
//! - `touched` which items the edits since the last look may have changed
//! - `given` of which classes the callers in the file make what they give
//! - `program` which functions are analysed, and in which order
//! - `modules` the other modules that it imports, `asked` what was asked of them, `imports` what of them a closed file rests on
//! - `beyond` fixes that need the whole file
//! - `hover` what to say about a place

mod asked;
mod beyond;
mod given;
mod hover;
mod imports;
mod item;
mod marks;
mod modules;
mod names;
mod program;
mod touched;
mod usage;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::items::{self, Item, Origin};
use crate::project::Settings;
use crate::report::suppression::{self, Source};
use crate::report::{Finding, Fix, Level, Related, TextEdit};
use crate::rules::RULES;
use crate::tasks::modules::{Exports, NoModules};
use crate::text::{Change, Edit, Encoding, Span, Text};
use crate::{fixes, tasks};

pub use asked::Asked;
use asked::Trace;
pub use hover::Hover;
pub use imports::Imports;
use item::ItemState;
use marks::{Mark, Marks};
pub use modules::Modules;
use modules::View;
use names::Module;
use program::{Program, Selection};

/// One Python file and all that is known about it.
pub struct File {
    text: Text,
    settings: Arc<Settings>,
    items: Vec<Item>,
    states: Vec<ItemState>,
    marks: Marks,
    module: Module,
    program: Program,
    findings: Option<Arc<[Finding]>>,
    analysed: u64,
    /// The other modules, and where the file itself is.
    elsewhere: Option<(Arc<Modules>, PathBuf)>,
    /// What was asked of them, if somebody wants to know.
    trace: Option<Trace>,
}

impl File {
    /// A file with this text. Nothing is analysed before it is asked for.
    pub fn new(text: String, settings: Arc<Settings>) -> Self {
        let text = Text::new(text);
        let items = items::cut(text.as_str());
        let states = items.iter().map(|_| ItemState::default()).collect();
        Self {
            text,
            items,
            states,
            marks: Marks::default(),
            module: Module::new(settings.python, settings.trust.clone()),
            program: Program::default(),
            findings: None,
            analysed: 0,
            elsewhere: None,
            trace: None,
            settings,
        }
    }

    /// The file is at `path`, which must be absolute, and imports from these modules.
    #[must_use]
    pub fn among(mut self, modules: Arc<Modules>, path: PathBuf) -> Self {
        self.elsewhere = Some((modules, path));
        self.modules_changed();
        self
    }

    /// Keeps what is asked of other modules, for [`Self::asked`].
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.trace = Some(Trace::default());
        self
    }

    /// What was asked of other modules so far, in no order; nothing where nobody wanted to know.
    pub fn asked(&self) -> Vec<Asked> {
        self.trace.as_ref().map_or_else(Vec::new, Trace::asked)
    }

    /// What the findings rest on in other modules, for those who keep no file; nothing where nobody wanted to know, or nothing was asked.
    pub fn imports(&self) -> Option<Imports> {
        let (modules, path) = self.elsewhere.as_ref()?;
        let view = View { modules, file: path, settings: &self.settings, trace: None };
        Some(Imports::new(self.trace.as_ref()?, &view)).filter(|imports| !imports.is_empty())
    }

    /// What other modules export may have changed.
    pub fn modules_changed(&mut self) {
        self.module.others_changed();
        self.findings = None;
    }

    /// What the file exports as a module of this key, with what its functions do for their callers if these are wanted.
    fn exports(&mut self, key: Arc<str>, with_summaries: bool) -> Exports {
        self.module.knows_all_classes();
        self.module.update(self.text.as_str(), &self.items, &mut self.states, &NoModules);
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
        self.module.touch(&old, self.items.len());
        self.program.touch(&old, self.items.len());
        if old.end <= self.states.len() {
            self.states.splice(old, new);
        }
        recut.apply(&mut self.items);
        self.marks.edit(&self.text, edit);
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
        self.analyse(None);
        let mut tolerated: Option<FxHashSet<u64>> = None;
        for index in self.program.noted() {
            let start = self.items[index].span.start;
            let drafts = self.states[index].analysis.iter().flat_map(|analysis| analysis.drafts());
            for draft in drafts.filter(|draft| !(draft.at_top_level && top_level_await)) {
                if let Some(method) = draft.unless_tolerated
                    && tolerated.get_or_insert_with(|| self.tolerated()).contains(&method)
                {
                    continue;
                }
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
        let mut findings = self.without_silenced(findings);
        for finding in &mut findings {
            let wanted = self.settings.severity(finding.rule).and_then(Level::of);
            finding.level = wanted.unwrap_or(finding.level);
        }
        let findings: Arc<[Finding]> = findings.into();
        self.findings = Some(findings.clone());
        findings
    }

    /// The methods that some code of the file calls where it takes care of a `CancelledError`, by the word.
    fn tolerated(&self) -> FxHashSet<u64> {
        let analyses = self.module.wanted.iter().filter_map(|&index| self.states[index].analysis.as_ref());
        analyses.flat_map(|analysis| analysis.tolerated()).collect()
    }

    /// Whether `await` is legal at module level.
    fn top_level_await(&mut self) -> bool {
        self.settings.top_level_await || self.marks.hold(Mark::Cells, self.text.as_str())
    }

    /// Brings the items that matter up to date, and `also` this one.
    fn analyse(&mut self, also: Option<usize>) {
        let text = self.text.as_str();
        let view = self.elsewhere.as_ref().map(|(modules, path)| View {
            modules,
            file: path,
            settings: &self.settings,
            trace: self.trace.as_ref(),
        });
        let modules: &dyn tasks::modules::Modules = view.as_ref().map_or(&NoModules, |view| view);
        // What other modules make has no word that tells.
        let matters = self.marks.hold(Mark::Matters, text) || (view.is_some() && self.marks.hold(Mark::Imports, text));
        if matters || also.is_some() {
            self.module.update(text, &self.items, &mut self.states, modules);
        }
        let wanted: &[usize] = if matters { &self.module.wanted } else { &[] };
        let also = also.filter(|index| wanted.binary_search(index).is_err());
        let selection = Selection { wanted: matters.then_some(self.module.wanted_generation), also };
        let both: Vec<usize>;
        let all = match also {
            None => wanted,
            Some(also) => {
                let at = wanted.partition_point(|index| *index < also);
                both = wanted[..at].iter().chain([&also]).chain(&wanted[at..]).copied().collect();
                &both
            }
        };
        let (items, states) = (&self.items, &mut self.states);
        self.analysed += self.program.analyse(selection, all, text, items, states, (&self.module, modules));
    }

    /// Where the `def` of a function of the file starts, by its qualified name.
    fn start_of(&self, function: &str) -> Option<u32> {
        let (item, slot) = self.program.place_of(function)?;
        let slot = self.states[item].analysis.as_ref()?.slots().get(slot)?;
        Some(self.items[item].span.start + slot.start())
    }

    fn without_silenced(&mut self, findings: Vec<Finding>) -> Vec<Finding> {
        let text = self.text.as_str();
        let matter =
            self.marks.hold(Mark::Silences, text) && (!findings.is_empty() || self.marks.hold(Mark::Hints, text));
        if !matter {
            return findings;
        }
        let rules: Vec<&'static str> = RULES.iter().map(|rule| rule.name).collect();
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
            let own = state.comments(item.span.of(self.text.as_str()));
            comments.extend(own.comments.iter().map(|span| span.shifted(item.span.start)));
            strings.extend(own.strings.iter().map(|span| span.shifted(item.span.start)));
            broken.extend(own.broken.then_some(item.span));
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

/// A finding whose places are bytes of its item: what is kept while the item moves.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Draft {
    rule: &'static str,
    level: crate::report::Level,
    /// It is no defect where `await` is legal at module level.
    at_top_level: bool,
    /// It is none where some code of the file takes care of what comes out of the method of this name.
    unless_tolerated: Option<u64>,
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
