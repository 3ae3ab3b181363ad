//! Fakes of the services outside: strict, stateful, on loopback, with a log of every request.
//!
//! Nothing here sleeps, unless a service is told to take its time: waiting is for a notification,
//! guarded by a time-out that only a broken program reaches.
#![expect(
    dead_code,
    reason = "each test program compiles this module for itself and uses a part of it"
)]
#![expect(unreachable_pub, reason = "a module of a test program has no outside")]

pub mod agent;
pub mod cloud;
pub mod dialogue;
pub mod fake;
pub mod gateway;
pub mod green_api;
pub mod model;
#[cfg(debug_assertions)]
pub mod power;
pub mod program;
pub mod receiver;
pub mod records;
pub mod telegram;
pub mod world;
