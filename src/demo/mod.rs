//! The demonstration: a salon that exists only in memory, served on loopback, and the real program
//! watching it.
//!
//! [`salon`] is the salon (tests use it too), [`script`] what its people do, [`stage`] how a deed
//! in the journal becomes something to look at, [`show`] how that looks. Nothing here knows how a
//! change passes the program: it only writes into the journal and reads the outcome from the
//! database, as any bystander could.

pub mod answers;
pub mod clock;
pub mod folder;
pub mod phones;
pub mod salon;
pub mod script;
pub mod show;
pub mod stage;
