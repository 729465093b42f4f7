//! The types of the graph. Spans are bytes of the item.

use rustc_hash::{FxHashMap, FxHashSet};

use super::exceptions::ExcSet;
use crate::text::Span;

/// Something that holds a value while the function runs: first its locals, then the temporaries of expressions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place(pub u32);

/// Index in [`Graph::blocks`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BlockId(pub u32);

/// Index in [`Graph::conditions`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConditionId(pub u32);

/// A function's control flow.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The blocks; the first is the entry.
    pub blocks: Vec<Block>,
    /// Where the function starts: its `def`, without decorators.
    pub start: u32,
    /// Where every `return` leads.
    pub exit: BlockId,
    /// The named places, `Place(0)` first.
    pub locals: Vec<Local>,
    /// How many places there are, temporaries included.
    pub places: u32,
    /// The tests that stand more than once in the function, so that two of the same text agree.
    pub conditions: Vec<Condition>,
    /// Where control goes on behind each `finally`, by its first block, exceptions aside.
    pub resumes: FxHashMap<BlockId, Vec<BlockId>>,
    /// The code runs in an `async def`: nothing else runs between two suspensions.
    pub is_async: bool,
    /// The code stands at the top of the module.
    pub is_module: bool,
    /// In a method: the parameter that takes the instance or the class.
    pub receiver: Option<(Place, Receiver)>,
    /// The parameters, in order.
    pub parameters: Vec<Parameter>,
}

/// The first parameter of a method.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Receiver {
    /// The class, by name.
    pub class: String,
    /// It is the class itself and not an instance.
    pub is_class: bool,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// What holds it.
    pub place: Place,
    /// It can be given by position.
    pub positional: bool,
    /// It stands for one argument: neither `*args` nor `**kwargs`.
    pub is_single: bool,
    /// The function does with it what is done with tasks and coroutines.
    pub is_awaited: bool,
    /// The function has a body that does something, and nothing in it names the parameter.
    pub is_ignored: bool,
    /// Where it stands.
    pub span: Span,
}

/// A named place.
#[derive(Clone, Debug)]
pub struct Local {
    /// The name.
    pub name: String,
    /// A function in this one reads it, or it is a module's name: what it holds is seen by code that is not in view.
    pub shared: bool,
    /// Code that is not in view binds it: what it holds is never known.
    pub volatile: bool,
    /// All that the function does with it is to bind it and to use its attributes: what it holds is given to nobody.
    pub stays: bool,
    /// For a parameter, the class that its annotation names: a dotted path, or a class of the module.
    pub annotation: Option<String>,
}

/// A test that stands more than once.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Its text, white space removed.
    pub text: String,
    /// The locals it reads: binding one makes its outcome unknown again.
    pub reads: Vec<Place>,
    /// It reads nothing but locals that are this function's alone, and constants.
    pub pure: bool,
}

/// Straight-line code.
#[derive(Clone, Debug)]
pub struct Block {
    /// What happens, in order.
    pub ops: Vec<Op>,
    /// How it ends.
    pub end: Terminator,
    /// Where an exception raised in it goes; `None` leaves the function.
    pub unwind: Option<BlockId>,
    /// How many `finally`s control is in here: what is left of the stack of [`Resume`]s when an exception arrives.
    pub depth: u32,
}

/// One instruction.
#[derive(Clone, Debug)]
pub struct Op {
    /// What it does.
    pub kind: OpKind,
    /// The expression or statement it stands for.
    pub span: Span,
}

/// A value known from the text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Constant {
    /// `None`.
    None,
    /// `True`, `False`.
    Bool(bool),
    /// Any other constant that is true: a number but zero, a string but the empty.
    Truthy,
    /// Any other constant that is false.
    Falsy,
}

/// How an argument is handed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ArgKind {
    /// By place.
    Positional,
    /// `*argument`.
    Star,
    /// By name.
    Keyword(String),
    /// `**argument`.
    DoubleStar,
}

/// An argument of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arg {
    /// Its value.
    pub place: Place,
    /// Its text.
    pub span: Span,
    /// How it is handed over.
    pub kind: ArgKind,
}

/// What stands around a place that may raise.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Guards {
    /// Who catches `InvalidStateError`.
    pub invalid: Guard,
    /// Somebody catches `CancelledError`.
    pub cancelled: bool,
    /// Somebody catches an `Exception` of some kind.
    pub error: bool,
    /// Somebody catches `RuntimeError` by name.
    pub runtime: bool,
    /// A `with` around it swallows some exception, and the code behind that goes on.
    pub swallows: bool,
    /// A test expects an error or a warning here.
    pub expected: bool,
}

impl Guards {
    /// Nothing.
    pub const NONE: Self =
        Self { invalid: Guard::None, cancelled: false, error: false, runtime: false, swallows: false, expected: false };

    /// Both.
    pub fn with(self, other: Self) -> Self {
        Self {
            invalid: self.invalid.max(other.invalid),
            cancelled: self.cancelled || other.cancelled,
            error: self.error || other.error,
            runtime: self.runtime || other.runtime,
            swallows: self.swallows || other.swallows,
            expected: self.expected || other.expected,
        }
    }
}

/// What stands around a call that may raise `InvalidStateError`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Guard {
    /// Nothing in this function catches it.
    None,
    /// `except Exception`, bare `except` and their kind catch it with everything else.
    Broad,
    /// It is caught by name, or by something that cannot be read here.
    Explicit,
}

/// A comparison that says something about a task.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CmpOp {
    /// `is`
    Is,
    /// `is not`
    IsNot,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `in`
    In,
    /// `not in`
    NotIn,
    /// `<`, `>=` and the others
    Order,
}

/// The instructions. `dst` takes the result.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each variant says what its fields are")]
pub enum OpKind {
    /// `dst` is a constant.
    Constant(Place, Constant),
    /// `dst` is what this dotted path means: `asyncio.create_task`.
    Path(Place, String),
    /// `dst` is what a call of this dotted path gave elsewhere in the file: `asyncio.new_event_loop`.
    ResultOf(Place, String),
    /// `dst` is a function or class of this module, by name.
    Definition(Place, String),
    /// `dst` is the instance or class that a method around this function takes.
    Receiver(Place, Receiver),
    /// `dst` is an `async def` made here, by name; `suspends` says that something in it can suspend, and each call of it awaits what the
    /// variables in `awaits` hold, whatever way it takes.
    LocalCoroutineFunction { dst: Place, name: String, suspends: bool, awaits: Vec<Place> },
    /// `dst` is a method of the collection that a variable of the module or an attribute of the method's own instance holds.
    Shared { dst: Place, name: String, method: String },
    /// `dst` is a lambda that calls what is in `callee` and returns what that gives.
    Lambda { dst: Place, callee: Place },
    /// `dst` is something of which nothing is known.
    Opaque(Place),
    /// The first takes the value of the second.
    Copy(Place, Place),
    /// `dst = src.name`; `object` is the text of `src`, and the flag says that it is called like an event loop.
    Attribute { dst: Place, src: Place, object: Span, name: String, like_loop: bool, stays: bool },
    /// `dst = src[index]`
    Subscript { dst: Place, src: Place, index: Place },
    /// `dst = callee(args)`. `names` are the names of variables that the arguments mention: two calls that share none have no
    /// way to wait for each other.
    Call { dst: Place, callee: Place, args: Vec<Arg>, guards: Guards, names: Vec<String> },
    /// `dst = await src`; `operand` is the text of `src`.
    Await { dst: Place, src: Place, operand: Span, guards: Guards },
    /// `dst` is a new list, tuple, set or dict of these values; the flag marks `*value`.
    Display { dst: Place, items: Vec<(Place, bool)> },
    /// `dst` is a new dict of these values; `open` says that it has others as well.
    Dict { dst: Place, values: Vec<Place>, open: bool },
    /// `object.name = src`
    Store { object: Place, name: String, src: Place },
    /// `object[…] = src`
    StoreItem { object: Place, src: Place },
    /// The function returns the value.
    Return(Place),
    /// `value` is added to the list, set or dict in `dst`.
    Collect { dst: Place, value: Place },
    /// `dst += value`
    Extend { dst: Place, value: Place },
    /// `dst` is `left op right`, true or false.
    Compare { dst: Place, op: CmpOp, left: Place, right: Place },
    /// `dst` is `not src`.
    Not(Place, Place),
    /// `dst` is computed from these values: arithmetic, formatting. It keeps none of them.
    Compute(Place, Vec<Place>),
    /// `a, *b = src`; the place of the starred target is given apart.
    Unpack { src: Place, targets: Vec<Place>, starred: Option<usize> },
    /// The value is stored where other code finds it: an attribute, an element, `return`, `yield`.
    Escape(Place),
    /// A name stands here, to be read or bound.
    Mention { place: Place, is_read: bool },
    /// The value of an expression that is a statement: nobody takes it.
    Drop(Place),
    /// Another round of a loop: a test of what other code can change may give something else now.
    Round,
    /// A function made here can read these places whenever it runs.
    Capture(Vec<Place>),
    /// `dst = cm.__enter__()`, or the asynchronous kind.
    Enter { dst: Place, cm: Place, is_async: bool },
    /// `cm.__exit__()`, or the asynchronous kind; `after` is where control goes on when it swallows the exception.
    Exit { cm: Place, is_async: bool, after: BlockId },
    /// `yield`: the caller runs for as long as it likes.
    Yield { dst: Place },
    /// The name is unbound.
    Forget(Place),
    /// A caught exception becomes the one that is being handled.
    Catch,
    /// The handler ends.
    EndCatch,
}

/// How control goes on behind a `finally`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Resume {
    /// At the last of these blocks; those before it are where control goes on behind that one, if it is a `finally` itself.
    At(Vec<BlockId>),
    /// With the exception that brought it there.
    Unwind,
}

/// A handler.
#[derive(Clone, Debug)]
pub struct Arm {
    /// What it takes.
    pub taken: ExcSet,
    /// The classes that it names, by their dotted paths where they have one.
    pub classes: Vec<String>,
    /// Its first block.
    pub to: BlockId,
}

/// The end of a block.
#[derive(Clone, Debug)]
pub enum Terminator {
    /// Not built yet, or unreachable.
    Dead,
    /// The function returns.
    Return,
    /// On to that block.
    Goto(BlockId),
    /// By the truth of a value.
    Branch {
        /// The value tested.
        test: Place,
        /// The test's text where it stands more than once.
        condition: Option<ConditionId>,
        /// Where true leads.
        then: BlockId,
        /// Where false leads.
        otherwise: BlockId,
        /// The test in the text.
        span: Span,
        /// For the first test of a `while`, the block behind it: a reader expects the body to run, and does not believe in a way
        /// that goes there at once. For an assertion, where it fails.
        unexpected: Option<BlockId>,
        /// It reads more than parameters and constants: whoever asks may learn from it what became of a task.
        telling: bool,
    },
    /// The next element of an iterable, or its end.
    Iterate {
        /// The iterable.
        iter: Place,
        /// Takes the element.
        element: Place,
        /// The loop's body.
        body: BlockId,
        /// Behind the loop, or its `else`.
        end: BlockId,
        /// The first round: `end` then means that the iterable is empty.
        first: bool,
        /// It is known not to be empty.
        nonempty: bool,
        /// Its elements are written out, in this order: `for task in (first, second)`.
        spelled_out: bool,
        /// `async for`.
        is_async: bool,
        /// The iterable in the text.
        span: Span,
    },
    /// `raise`; without kinds the exception being handled. The class is that of a builtin exception.
    Raise(Option<ExcSet>, Option<String>),
    /// The exception that arrived goes to the first arm that takes it; what none takes goes on to `unwind`.
    Dispatch(Vec<Arm>),
    /// Into a `finally`, noting how to go on behind it.
    Enter {
        /// The first block of the `finally`.
        body: BlockId,
        /// How to go on.
        resume: Resume,
    },
    /// Behind the `finally` that starts at this block: as noted.
    EndFinally(BlockId),
    /// One of several blocks, nothing known about which (`match`).
    Choice(Vec<BlockId>),
}

impl Graph {
    /// Whether nothing but this function's own code can change what a test gives.
    pub fn is_pure(&self, condition: ConditionId) -> bool {
        self.conditions.get(condition.0 as usize).is_some_and(|condition| condition.pure)
    }

    /// Whether something that suspends stands before this place.
    pub fn suspends_before(&self, place: Span) -> bool {
        let suspends = |op: &&Op| match op.kind {
            OpKind::Await { .. } | OpKind::Yield { .. } => true,
            OpKind::Enter { is_async, .. } => is_async,
            _ => false,
        };
        self.blocks.iter().flat_map(|block| &block.ops).filter(suspends).any(|op| op.span.start < place.start)
    }

    /// The methods that are called where somebody takes care of a `CancelledError`: a handler, or a `gather` that collects errors.
    pub fn tolerated(&self) -> Vec<&str> {
        let ops = || self.blocks.iter().flat_map(|block| &block.ops);
        let collects = |op: &Op| match &op.kind {
            OpKind::Call { args, .. } => {
                args.iter().any(|arg| matches!(&arg.kind, ArgKind::Keyword(name) if name == "return_exceptions"))
            }
            _ => false,
        };
        let all = ops().any(collects);
        let called = ops().filter_map(|op| match &op.kind {
            OpKind::Call { callee, guards, .. } if all || guards.cancelled || guards.expected => Some(*callee),
            _ => None,
        });
        let called: FxHashSet<Place> = called.collect();
        let method = |op| match op {
            &OpKind::Attribute { dst, ref name, .. } if called.contains(&dst) => Some(name.as_str()),
            _ => None,
        };
        ops().filter_map(|op| method(&op.kind)).collect()
    }

    /// The blocks that control can go to from the end of `block`, by its exceptions too.
    pub fn successors(&self, block: &Block) -> Vec<BlockId> {
        let mut to = block.end.successors();
        if let Terminator::EndFinally(body) = &block.end {
            to.extend(self.resumes.get(body).into_iter().flatten());
        }
        to.extend(block.unwind.filter(|_| block.can_raise()));
        to
    }
}

impl Terminator {
    /// The blocks that control goes to from here, but for exceptions and the ends of `finally`s.
    fn successors(&self) -> Vec<BlockId> {
        match self {
            Self::Dead | Self::Return | Self::Raise(..) | Self::EndFinally(_) => Vec::new(),
            Self::Goto(to) => vec![*to],
            Self::Branch { then, otherwise, .. } => vec![*then, *otherwise],
            Self::Iterate { body, end, .. } => vec![*body, *end],
            Self::Dispatch(arms) => arms.iter().map(|arm| arm.to).collect(),
            Self::Enter { body, .. } => vec![*body],
            Self::Choice(of) => of.clone(),
        }
    }
}

impl Block {
    /// Whether an exception can leave it.
    pub fn can_raise(&self) -> bool {
        let ends = matches!(self.end, Terminator::Raise(..) | Terminator::Dispatch(_) | Terminator::EndFinally(_))
            || matches!(self.end, Terminator::Iterate { .. });
        ends || self.ops.iter().any(|op| op.kind.can_raise())
    }
}

impl OpKind {
    /// Whether Python may raise there: at every call and at every suspension.
    pub fn can_raise(&self) -> bool {
        matches!(
            self,
            Self::Call { .. }
                | Self::Await { .. }
                | Self::Enter { .. }
                | Self::Exit { .. }
                | Self::Yield { .. }
                | Self::Unpack { .. }
        )
    }

    /// The place that it gives a new value.
    pub fn writes(&self) -> Option<Place> {
        match self {
            Self::Constant(dst, _)
            | Self::Path(dst, _)
            | Self::ResultOf(dst, _)
            | Self::Definition(dst, _)
            | Self::Receiver(dst, _)
            | Self::LocalCoroutineFunction { dst, .. }
            | Self::Lambda { dst, .. }
            | Self::Shared { dst, .. }
            | Self::Opaque(dst)
            | Self::Copy(dst, _)
            | Self::Not(dst, _)
            | Self::Compute(dst, _)
            | Self::Attribute { dst, .. }
            | Self::Subscript { dst, .. }
            | Self::Call { dst, .. }
            | Self::Await { dst, .. }
            | Self::Display { dst, .. }
            | Self::Dict { dst, .. }
            | Self::Collect { dst, .. }
            | Self::Extend { dst, .. }
            | Self::Compare { dst, .. }
            | Self::Enter { dst, .. }
            | Self::Yield { dst }
            | Self::Forget(dst) => Some(*dst),
            Self::Unpack { .. }
            | Self::Store { .. }
            | Self::StoreItem { .. }
            | Self::Return(_)
            | Self::Escape(_)
            | Self::Mention { .. }
            | Self::Drop(_)
            | Self::Capture(_)
            | Self::Exit { .. }
            | Self::Round
            | Self::Catch
            | Self::EndCatch => None,
        }
    }

    /// Gives each place that it reads to `read`.
    pub fn reads(&self, mut read: impl FnMut(Place)) {
        match self {
            Self::Copy(_, src) | Self::Not(_, src) | Self::Escape(src) => read(*src),
            Self::Return(src) | Self::Drop(src) => read(*src),
            Self::Lambda { callee, .. } => read(*callee),
            Self::Store { object, src, .. } | Self::StoreItem { object, src } => {
                [*object, *src].into_iter().for_each(read);
            }
            Self::Dict { values, .. } => values.iter().copied().for_each(read),
            Self::Attribute { src, .. } | Self::Await { src, .. } | Self::Unpack { src, .. } => read(*src),
            Self::Enter { cm, .. } | Self::Exit { cm, .. } => read(*cm),
            Self::Subscript { src, index, .. } => [*src, *index].into_iter().for_each(read),
            Self::Collect { dst, value } | Self::Extend { dst, value } => [*dst, *value].into_iter().for_each(read),
            Self::Compare { left, right, .. } => [*left, *right].into_iter().for_each(read),
            Self::Call { callee, args, .. } => {
                read(*callee);
                args.iter().for_each(|arg| read(arg.place));
            }
            Self::Display { items, .. } => items.iter().for_each(|(item, _)| read(*item)),
            Self::Compute(_, parts) | Self::Capture(parts) => parts.iter().copied().for_each(read),
            // For hover alone: what it shows need not stay alive for it.
            Self::Mention { .. } => {}
            Self::Constant(..) | Self::Path(..) | Self::ResultOf(..) | Self::Definition(..) | Self::Opaque(_) => {}
            Self::Receiver(..) | Self::LocalCoroutineFunction { .. } | Self::Shared { .. } => {}
            Self::Yield { .. } | Self::Forget(_) | Self::Round | Self::Catch | Self::EndCatch => {}
        }
    }
}
