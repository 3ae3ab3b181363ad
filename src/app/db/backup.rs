//! `db backup`: a copy of the database in one file, made beside a running daemon.

use std::path::Path;

use crate::app::failure::code;
use crate::app::text::Say;
use crate::app::{Failure, Outcome, existing, load, refused, say};
use crate::config::Secrets;
use crate::store::{self, StoreError};

pub(super) fn run(path: &Path, file: &Path) -> Outcome {
    let config = load(path, Secrets::NotNeeded)?.config;
    drop(existing(&config, store::open_reader)?);
    store::backup(&config.database.path, file).map_err(|error| not_made(error, file))?;
    let words = Say(config.language);
    say(&format!(
        "{} {}",
        words.of("Копия сделана и проверена:", "A copy is made and checked:"),
        file.display()
    ))?;
    say(words.of(
        "В ней имена и телефоны клиентов: храните её как саму базу. Вернуть: booking-monitor db restore ФАЙЛ",
        "Names and phones of clients are in it: keep it as you keep the database. To put it in force: booking-monitor db restore FILE",
    ))?;
    Ok(0)
}

fn not_made(error: StoreError, file: &Path) -> Failure {
    let hint = match &error {
        StoreError::File { source, .. } => match source.kind() {
            std::io::ErrorKind::AlreadyExists => {
                "a file that is there is never written over: name another"
            }
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::NotFound => {
                "name a folder that exists and that the owner of the database's folder may write to: started by root, the program goes on as that user"
            }
            _ => return refused(error),
        },
        _ => return refused(error),
    };
    let what = format!("cannot write a copy to {}", file.display());
    Failure::new(code::FAILED, anyhow::Error::new(error).context(what)).hint(hint)
}
