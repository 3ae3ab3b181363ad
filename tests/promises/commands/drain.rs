//! `--once --drain` leaves nothing behind that could have gone, owners' copies included.

use crate::support::program::{Program, stderr};
use crate::support::telegram::{self, Telegram};
use crate::support::world::SALON;

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_run_leaves_no_copy_for_the_next_one() {
    let program = Program::new().await;
    let bot = Telegram::start().await;
    let owner = r#"owner = [{ channel = "bot", to = "500" }]"#;
    program.configure(&format!(
        "{owner}\n[channels.bot]\ntype = \"telegram\"\napi_url = \"{}\"\ntoken = \"{}\"\n",
        bot.url,
        telegram::TOKEN
    ));
    program.run(&["--once"]).await;
    for n in 0..7 {
        let start = crate::support::program::start(n).format("%Y-%m-%dT%H:%M:%S");
        let draft = crate::support::world::haircut(&start.to_string());
        program
            .salon
            .book(draft.client("Анна", &format!("+790000000{n:02}")));
    }
    let run = program.run(&["--once", "--drain"]).await;
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let left = "SELECT kind || ' ' || channel || ' ' || status FROM booking_notifications
                 WHERE status NOT IN ('sent', 'delivered', 'read')";
    assert_eq!(program.rows(left), [""; 0], "{}", stderr(&run));
    assert_eq!(bot.sent().len(), 7, "{SALON}");
}
