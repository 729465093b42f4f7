//! Which exceptions an operation raises and a handler takes: as few kinds as tell asyncio's apart.

/// A set of kinds of exceptions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ExcSet(pub u8);

impl ExcSet {
    /// No exception.
    pub const NONE: Self = Self(0);
    /// `asyncio.CancelledError`: a `BaseException` since Python 3.8.
    pub const CANCELLED: Self = Self(1);
    /// `TimeoutError`.
    pub const TIMEOUT: Self = Self(2);
    /// `asyncio.InvalidStateError`.
    pub const INVALID: Self = Self(4);
    /// Any other `Exception`.
    pub const ERROR: Self = Self(8);
    /// `KeyboardInterrupt` and its kind.
    pub const EXIT: Self = Self(16);
    /// `AssertionError`, which no handler for another class takes.
    pub const ASSERTION: Self = Self(64);
    /// Every `Exception`.
    pub const EXCEPTION: Self = Self(2 | 4 | 8 | 64);
    /// Everything.
    pub const ALL: Self = Self(31 | 64);
    /// A mark beside the kinds: the handler takes some of these exceptions and lets others of the kind pass.
    const SOME: u8 = 32;

    /// Both together.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// What is in both.
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0 & Self::ALL.0)
    }
    /// Whether no kind is in it.
    pub const fn is_empty(self) -> bool {
        self.0 & Self::ALL.0 == 0
    }
    /// Whether `other` shares a kind with it.
    pub const fn meets(self, other: Self) -> bool {
        !self.intersection(other).is_empty()
    }
    /// What a handler for `taken` leaves of it.
    pub const fn minus(self, taken: Self) -> Self {
        // A handler for one class of `ERROR` leaves the others.
        let keep = if taken.0 & Self::SOME != 0 { Self::ERROR.0 } else { 0 };
        Self(self.0 & !(taken.0 & !keep) & Self::ALL.0)
    }

    /// What `except CLASS` takes, by the dotted path of the class; `None` where the path is not that of a class: a variable
    /// that may hold any class or several.
    pub fn of_class(path: &str) -> Option<Self> {
        let name = path.rsplit('.').next().unwrap_or(path);
        Some(match name {
            "CancelledError" => Self::CANCELLED,
            "InvalidStateError" => Self::INVALID,
            "TimeoutError" => Self::TIMEOUT,
            "AssertionError" => Self::ASSERTION,
            // TimeoutError is an OSError.
            "OSError" | "IOError" | "EnvironmentError" => Self(Self::TIMEOUT.0 | Self::ERROR.0 | Self::SOME),
            // InvalidStateError is an `asyncio.exceptions.Error`, an Exception; `concurrent.futures` has its own.
            "Exception" | "ExceptionGroup" => Self::EXCEPTION,
            "BaseException" | "BaseExceptionGroup" => Self::ALL,
            "KeyboardInterrupt" | "SystemExit" | "GeneratorExit" => Self(Self::EXIT.0 | Self::SOME),
            _ if name.starts_with(|c: char| c.is_ascii_uppercase())
                && name.contains(|c: char| c.is_ascii_lowercase()) =>
            {
                Self(Self::ERROR.0 | Self::SOME)
            }
            _ => return None,
        })
    }

    /// The kinds by name, for the dump of a graph.
    pub fn describe(self) -> String {
        if self.0 & Self::ALL.0 == Self::ALL.0 {
            return "any".to_owned();
        }
        let names = [
            (Self::CANCELLED, "cancelled"),
            (Self::TIMEOUT, "timeout"),
            (Self::INVALID, "invalid"),
            (Self::ERROR, "error"),
            (Self::ASSERTION, "assertion"),
            (Self::EXIT, "exit"),
        ];
        let mut parts: Vec<&str> = names.iter().filter(|(kind, _)| self.meets(*kind)).map(|(_, name)| *name).collect();
        if self.0 & Self::SOME != 0 {
            parts.insert(0, "some");
        }
        parts.join(" ")
    }
}
