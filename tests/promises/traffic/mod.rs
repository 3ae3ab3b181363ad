//! To whom messages go, how fast, over which channel, and when they wait: new numbers, parked
//! channels, hidden chats, limits, clocks that jump.

mod clocks;
mod hidden;
mod limits;
mod parked;
mod warm_up;
mod watches;
mod who_wrote;

use crate::support::gateway::{self, Gateway};
use crate::support::world::World;

/// Copies are off, so that only cards and alerts are read.
pub(crate) const OWNER: &str = r#"owner = [{ channel = "telegram", to = "500", events = [] }]"#;

/// Statuses of notifications to clients, oldest first.
pub(crate) fn statuses(world: &World) -> Vec<String> {
    world.rows("SELECT status FROM booking_notifications WHERE phone <> '' ORDER BY id")
}

/// A baseline is taken in a world where clients are written to over WhatsApp, and then over a gateway.
pub(crate) async fn world_with_two_ways(monitor: &str, owner: &str) -> (World, Gateway) {
    let fake = Gateway::start().await;
    let rest = format!(
        r#"{owner}
        [channels.gateway]
        type = "http"
        preset = "waha"
        base_url = "{}"
        token = "{}"
        session = "{}"
        messages_per_second = 1000
        timeout = "2s"
        "#,
        fake.url,
        gateway::TOKEN,
        gateway::SESSION
    );
    let mut world = World::with(monitor, &rest).await;
    world.config.companies[0].channels = vec!["whatsapp".into(), "gateway".into()];
    world.restart().await;
    world.poll().await;
    (world, fake)
}
