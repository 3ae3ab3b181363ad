//! The simulated salon: the records API served on loopback, for `demo` and for tests alike.

pub mod salon;
