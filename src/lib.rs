//! booking-monitor watches a salon's journal in YClients by polling and tells clients and owners,
//! by messenger, what was booked, changed or cancelled there. It needs no port; the one it may open, for
//! the status page, is there to be looked at.
//!
//! It never tells a client something false, never tells it twice, loses nothing when it is killed,
//! and can say for every booking why a message was or was not sent. When in doubt, these four
//! decide.
//!
//! # The house
//!
//! Arrows point down only.
//!
//! | room | what belongs there |
//! |---|---|
//! | [`cli`] | the command line, as clap's types |
//! | [`app`] | from a configuration to adapters to the pipeline; one file a command |
//! | [`config`] | what may be written in booking-monitor.toml, every problem at once |
//! | [`daemon`] | loops, signals, readiness, the watchdog; `--once` |
//! | [`pipeline`] | the stages: poll, settle, deliver; beside them receive and maintain |
//! | [`store`] | SQLite; the only place that says SQL |
//! | [`yclients`] | the records API: transport, paging, its JSON into our terms |
//! | [`channels`] | the messengers: one file a service, one classifier of outcomes |
//! | [`models`] | the language models that the agent asks: one file a service |
//! | [`sinks`] | where booking events are handed on to: an address, a file |
//! | [`heartbeat`] | the dead-man switch that is touched after every good cycle |
//! | [`ports`] | what the pipeline asks of the world outside, and how that can fail |
//! | [`domain`] | the rules of the trade, pure: no async, no clock, no SQL, no HTTP |
//! | [`demo`] | the simulated salon, for `demo` and for the tests |
//! | [`http_client`], [`pace`] | the one maker of HTTP clients; the one kind of rate limit |
//! | [`meters`] | what is counted for `/metrics` |
//! | [`failpoint`] | where tests may end the program; nothing of it in a release |
//!
//! # The route of one change
//!
//! 1. [`pipeline::poll`] reads what changed since the cursor, now and then everything
//!    ([`pipeline::listing`]), and asks by id for what is missing.
//! 2. [`domain::diff::judge`] says what each row means against the cache; [`pipeline::apply`]
//!    stores booking, event and running delay in the transaction that moves the cursor.
//! 3. When the visit's delay ends, [`pipeline::settle`] compares what its person knows
//!    ([`domain::known`]) with what is true ([`domain::settle::net`]): one notification, or a
//!    named reason for silence ([`domain::silence::silence`]).
//! 4. [`pipeline::deliver`] looks at the journal once more, decides anew, writes the intent, sends,
//!    and stores the outcome; an accepted message moves what the person knows.
//! 5. Beside all that [`pipeline::events`] hands each event on to the salon's own automation, from an
//!    outbox that was written with the event.
//! 6. [`pipeline::receive`] hears later what became of it; [`pipeline::maintain`] tells the owners
//!    what is broken.
//!
//! What no change brings but the clock, a reminder, is planned in 2 and becomes a notification in 3,
//! when its moment has come; thanks after a visit are settled like a change and wait for its end.
//!
//! # The route of a client's words
//!
//! 1. [`pipeline::receive`] stores them, `pipeline/talk` finds the booking they are about, and
//!    [`domain::reply`] says what follows: an answer, an order, a card for the owners; one transaction.
//! 2. An order is written into the journal in the company's turn (`pipeline/writes`): the intent first,
//!    a look before and after. What the journal says then, what the client knows and what they are
//!    answered are stored together.
//!
//! # Invariants
//!
//! * A change is a pair of states; [`domain::change::Change::between`] is its only constructor.
//! * When something is due is a column, never a timer in memory.
//! * One transaction a stage, no network inside a transaction.
//! * No byte leaves before its intent is on the disk, but for one: that the database itself is out of
//!   order is told to the owners past it.
//! * Absence is a suspicion; a cancellation needs evidence.
//! * A booking is written only for the person whose number stands in it.
//! * No token, phone or name in a log, an error or a `Debug`.

#[macro_use]
mod redacted;

pub mod app;
pub mod channels;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod domain;
pub mod failpoint;
pub mod heartbeat;
pub mod http_client;
pub mod meters;
pub mod models;
pub mod pace;
pub mod pipeline;
pub mod ports;
pub mod sinks;
pub mod store;
pub mod yclients;
