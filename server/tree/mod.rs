//! One syntax tree per item, parsed incrementally, and the repairs of the grammar's slips.
