//! What booking-monitor promises, one file a promise.
//!
//! One program holds them all: to compile and link each file for itself takes longer than to run it.
//! Apart from it stand the tests that need a process of their own: the simulation, the kills, the
//! messages kept whole (`golden`) and the agent's (it silences panics).
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod agent;
mod agent_owner;
mod answers;
mod buttons;
mod canary;
mod cards;
mod channels;
mod chat;
mod check;
mod commands;
mod config;
mod crash_points;
mod delivery;
mod demo;
mod detection;
mod dialogues;
mod evening;
mod events;
mod fairness;
mod fire;
mod first_day;
mod forget;
mod guard;
mod hard_cases;
mod heartbeat;
mod hostile;
mod ignored;
mod inbox;
mod io_faults;
mod journal;
mod leaving;
mod life;
mod light;
mod listing;
mod messages;
mod models;
mod net_change;
mod offers;
mod official;
mod orders;
mod owner_alerts;
mod page;
mod pause;
mod preview;
mod program;
mod quirks;
mod receive_test;
mod reminders;
mod reminders_kills;
mod reminders_model;
mod replies;
mod replies_crash;
mod restore;
mod rights;
mod schema;
mod silence;
mod takeover;
mod templates;
mod traffic;
mod trial;
mod unit;
mod upkeep;
mod verify;
mod visits;
mod waiting;
mod writes;
mod yclients;
