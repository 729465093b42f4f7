//! The repairs, one file per kind.
