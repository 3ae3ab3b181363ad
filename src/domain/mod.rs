//! The rules of the trade, pure: no async, no clock, no SQL, no HTTP, no logging.
//!
//! A reading of the journal becomes [`record::Record`]s; two states of one booking make a
//! [`change::Change`]; what a person knows of a visit and what is true now make a message
//! ([`settle`]), unless there is a reason for [`silence`]; a [`reminder`] comes by the clock.
//! [`delivery`] is the life of a message once it exists. Nothing here imports another room of this
//! crate.

pub mod agent;
pub mod budget;
pub mod catalogue;
pub mod change;
pub mod daily;
pub mod defences;
pub mod delivery;
pub mod diff;
pub mod event;
pub mod free;
pub mod guard;
pub mod journal;
pub mod known;
pub mod message;
pub mod phone;
pub mod policy;
pub mod question;
pub mod record;
pub mod reminder;
pub mod reply;
pub mod settle;
pub mod silence;
pub mod wish;
pub mod zone;
