//! What has been used up of the coroutines in a collection.
//!
//! In: each consumption of a collection or of an element, and the rounds of loops. Out: whether the collection can be used up once more.
//! That raises where one of its coroutines was used up before and is in it still. So each of them knows what was used up ([`Spent`]),
//! and whether the collection is still in one pair of hands ([`Object::loose`]). A loop uses up all if each of its rounds uses up its
//! element ([`Round`]).

use super::value::{Object, ObjectId};
use super::world::World;
use crate::text::Span;

/// What has been used up of the coroutines in a collection, and where.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Spent {
    /// Nothing that is known of.
    #[default]
    Nothing,
    /// One of them, at least.
    Some(Span),
    /// All.
    All(Span),
}

impl Spent {
    /// Where, if any.
    pub const fn at(self) -> Option<Span> {
        match self {
            Self::Nothing => None,
            Self::Some(span) | Self::All(span) => Some(span),
        }
    }
}

/// How far a loop over a collection of coroutines has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Round {
    /// There is no such loop.
    #[default]
    Outside,
    /// Each round so far has used its element up, but not yet the one at hand.
    Open,
    /// So has the one at hand.
    Used,
    /// A round has left its element.
    Left,
}

impl World {
    /// The next round of a loop over these, or its end.
    pub(super) fn next_round(&mut self, ids: &[ObjectId], first: bool) {
        for id in ids {
            if let Some(object) = self.object_mut(*id) {
                object.round = match object.round {
                    _ if first => Round::Open,
                    Round::Used => Round::Open,
                    Round::Open | Round::Left | Round::Outside => Round::Left,
                };
            }
        }
    }

    /// A loop over these has come to its end.
    pub(super) fn end_rounds(&mut self, ids: &[ObjectId]) {
        for id in ids {
            if let Some(object) = self.object_mut(*id) {
                if let (Round::Used, Some(at)) = (object.round, object.spent.at()) {
                    object.spent = Spent::All(at);
                }
                object.round = Round::Outside;
            }
        }
    }

    /// One of those made at these places is used up.
    pub(super) fn spend_one(&mut self, ids: &[ObjectId], by: Span) {
        for id in ids {
            if let Some(object) = self.object_mut(*id) {
                if object.spent == Spent::Nothing {
                    object.spent = Spent::Some(by);
                }
                if object.round == Round::Open {
                    object.round = Round::Used;
                }
            }
        }
    }

    /// What the caller gave is used up, or used up again.
    pub(super) fn spend_given(&mut self, id: ObjectId, by: Span) {
        if let Some(object) = self.object_mut(id) {
            object.spent = match object.spent {
                Spent::Nothing => Spent::Some(by),
                Spent::Some(_) => Spent::All(by),
                again => again,
            };
        }
    }

    /// Something takes the place of one of these in its dict: if any was used up, it may be that one.
    pub(super) fn replace_used(&mut self, ids: &[ObjectId]) {
        for id in ids {
            if let Some(object) = self.object_mut(*id) {
                object.loose |= object.used.is_some() || object.spent != Spent::Nothing;
            }
        }
    }
}

impl Object {
    /// Where all that were made here were used up, for certain.
    pub(super) fn used_up(&self) -> Option<Span> {
        match self.spent {
            _ if self.loose => None,
            Spent::All(at) => Some(at),
            _ => self.used.filter(|_| !self.joined),
        }
    }

    /// Where one of those that are in its collection was used up, for certain.
    pub(super) fn used_within(&self) -> Option<Span> {
        if self.loose { None } else { self.spent.at().or_else(|| self.used_up()) }
    }
}
