//! The `aiolint` program.

fn main() {}
