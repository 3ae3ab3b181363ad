//! The quirks of the records API that a poller must survive, each over real HTTP against the
//! simulated salon: cursors and clocks, zones, people, noise, gaps, faults, and what is asked for.

mod cursor;
mod faults;
mod gaps;
mod noise;
mod people;
mod requests;
mod zones;

use crate::support::world::World;

/// The first lines of what clients were told, from the `from`th message on.
fn heads(world: &World, from: usize) -> Vec<String> {
    world.told()[from..]
        .iter()
        .map(|text| text.lines().next().unwrap().to_owned())
        .collect()
}

/// What this number was told.
fn told_to(world: &World, phone: &str) -> Vec<String> {
    let chat = format!("{}@c.us", phone.trim_start_matches('+'));
    let sent = world.green.sent();
    let theirs = sent.into_iter().filter(|s| s.chat == chat);
    theirs.map(|s| s.text).collect()
}
