//! The file cut into items: top-level statements with their decorators.
