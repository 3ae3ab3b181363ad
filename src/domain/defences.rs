//! The rules that keep a listing that moves, lags and lies from becoming a false word, each by name.
//!
//! Production has them all; there is no setting. They are a value so that the simulation can take
//! one away and show that something then goes wrong: a defence that nothing would miss is a rule
//! that nobody tests.

/// Which defences stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defences {
    /// The whole horizon is compared now and then.
    pub sweep: bool,
    /// A poll looks back before its cursor, further once it was proved short-sighted.
    pub overlap: bool,
    /// Too many cancellations at once wait for a person.
    pub guard: bool,
    /// What a listing leaves out is asked for by id, twice, before it counts as gone.
    pub confirmation: bool,
    /// A row older than what is known of it is passed over.
    pub stale_read: bool,
    /// Only a listing that agrees with its own count speaks of what it does not contain.
    pub completeness: bool,
    /// The journal is read just before anything is said.
    pub look: bool,
}

impl Defences {
    /// All of them: the only ones that a production build can have.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            sweep: true,
            overlap: true,
            guard: true,
            confirmation: true,
            stale_read: true,
            completeness: true,
            look: true,
        }
    }
}
