//! The control-flow graph of a function and the worklist solver over it.
