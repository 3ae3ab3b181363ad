//! `init`: from nothing to a configuration that works, by answering questions. Nothing is written
//! before the last answer, and nobody but the owner's own number is written to after it.

use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use super::progress::Progress;
use super::text::Say;
use super::{Failure, Outcome, check, existing, load, once, talk};
use crate::cli::InitArgs;
use crate::config::{self, Language, Secrets};
use crate::domain::phone::Phone;
use crate::store::{self, stats};

mod ask;
mod files;
mod journal;
mod messengers;

pub(super) use ask::Ask;
use files::{Answers, SYSTEM_FOLDER};

/// The addresses that need no word in the configuration.
const YCLIENTS: &str = "https://api.yclients.com/api/v1";
const TELEGRAM: &str = "https://api.telegram.org";

pub(super) async fn run(explicit: Option<&Path>, args: &InitArgs) -> Outcome {
    for url in [&args.yclients_url, &args.telegram_url] {
        // Tokens, and a password among them, are about to go there.
        if config::is_open(url) || !url.starts_with("http") {
            return Err(Failure::usage("the address has to begin with https://")
                .hint("--yclients-url and --telegram-url are for relays; without them nothing is to be said"));
        }
    }
    let path = place(explicit);
    files::may_be_written(&path)?;
    let asked = Ask {
        words: Say(Language::Ru),
    };
    let languages = ["русский", "English"];
    let words = match asked.choose("Язык / Language", &languages)? {
        1 => Say(Language::Ru),
        _ => Say(Language::En),
    };
    let ask = Ask { words };
    if !may_write(&ask, &path)? {
        return Ok(0);
    }
    let answers = questions(&ask, args).await?;
    answers.write(&path, words)?;
    talk(&format!(
        "\n✓ {} {}",
        words.of("Записано:", "Written:"),
        path.display()
    ))?;
    talk("")?;
    check::run(&path, true).await?;
    first_reading(&ask, &path).await?;
    last_words(&ask, &path)?;
    Ok(0)
}

/// Where the configuration goes: the named file, the system's where root sets a service up, or here.
fn place(explicit: Option<&Path>) -> PathBuf {
    let found = config::locate(explicit);
    let is_systems = found.starts_with(SYSTEM_FOLDER);
    let of_system = Uid::effective().is_root() && Path::new(SYSTEM_FOLDER).is_dir();
    match (explicit, is_systems && !of_system) {
        (None, true) => PathBuf::from("booking-monitor.toml"),
        _ => found,
    }
}

fn may_write(ask: &Ask, path: &Path) -> Result<bool, Failure> {
    let taken = Answers::taken(path);
    if taken.is_empty() {
        return Ok(true);
    }
    let names: Vec<String> = taken.iter().map(|f| f.display().to_string()).collect();
    talk(&format!(
        "{} {}",
        ask.words.of("Уже есть:", "There already:"),
        names.join(", ")
    ))?;
    let prompt = ask.words.of(
        "Заменить? Прежние останутся рядом под именем .old",
        "Replace them? The old ones stay beside, named .old",
    );
    let may = ask.yes(prompt, false)?;
    if !may {
        ask.tell("Ничего не изменено.", "Nothing was changed.")?;
    }
    Ok(may)
}

async fn questions(ask: &Ask, args: &InitArgs) -> Result<Answers, Failure> {
    let journal = journal::ask(ask, &args.yclients_url).await?;
    let clients = messengers::clients(ask, &args.telegram_url).await?;
    let owner = messengers::owner(ask, &args.telegram_url, &clients).await?;
    let other =
        |url: &str, usual: &str| (url != usual).then(|| url.trim_end_matches('/').to_owned());
    Ok(Answers {
        yclients_url: other(&args.yclients_url, YCLIENTS),
        telegram_url: other(&args.telegram_url, TELEGRAM),
        partner_token: journal.partner_token,
        user_token: journal.user_token,
        branches: journal.branches,
        clients,
        owner,
        phone: phone(ask)?,
        recent_activity: recent_activity(ask)?,
    })
}

fn phone(ask: &Ask) -> Result<Phone, Failure> {
    ask.tell(
        "\n6. Ваш телефон. Пока вы не скажете go-live, сообщения «клиентам» получит только он.",
        "\n6. Your phone. Until you say go-live, it alone gets the messages “to clients”.",
    )?;
    loop {
        let typed = ask.needed(ask.words.of("Телефон", "Phone"))?;
        match Phone::parse(&typed, "RU") {
            Ok(phone) => return Ok(phone),
            Err(_) => ask.tell("Например, +7 900 000-00-01.", "Such as +7 900 000-00-01.")?,
        }
    }
}

fn recent_activity(ask: &Ask) -> Result<bool, Failure> {
    ask.tell(
        "\n7. Если клиент записался в переписке, ему уже ответили, и второе сообщение лишнее.",
        "\n7. A client who booked in a chat was answered there, and a second message is one too many.",
    )?;
    let prompt = ask.words.of(
        "Не писать о новой записи тем, кто писал салону последние 10 минут",
        "Do not tell of a new booking whoever wrote to the salon in the last 10 minutes",
    );
    ask.yes(prompt, true)
}

/// The silent first look, where there was none yet.
async fn first_reading(ask: &Ask, path: &Path) -> Result<(), Failure> {
    let config = load(path, Secrets::NotNeeded)?.config;
    if config.database.path.exists() {
        return Ok(());
    }
    let words = ask.words;
    let prompt = words.of(
        "\nПрочитать журнал сейчас? Что уже записано, я запомню и никому о нём не напишу",
        "\nRead the calendar now? What is booked already I learn, and write to nobody of it",
    );
    if !ask.yes(prompt, true)? {
        return Ok(());
    }
    let shown = Progress::of(words.of("Читаю журнал", "Reading the calendar").to_owned());
    let read = once(path, false).await;
    drop(shown);
    match read {
        Ok(_) => {
            let conn = existing(&config, store::open_reader)?;
            let known = stats::known_bookings(&conn).map_err(super::refused)?;
            talk(&format!(
                "✓ {} {known}",
                words.of(
                    "Записей, о которых знаю и молчу:",
                    "Bookings that I know and am silent about:"
                )
            ))
        }
        // The configuration stands; the first run will read.
        Err(failure) => {
            failure.print();
            Ok(())
        }
    }
}

fn last_words(ask: &Ask, path: &Path) -> Result<(), Failure> {
    let of_system = path.starts_with(SYSTEM_FOLDER);
    ask.tell("\nДальше:", "\nNext:")?;
    match of_system {
        true => talk("  sudo systemctl enable --now booking-monitor")?,
        false => talk(&format!("  booking-monitor --config {}", path.display()))?,
    }
    ask.tell(
        "  Запишите себя в YClients на завтра со своим номером и подождите две минуты: придёт сообщение.\n  Понравилось? booking-monitor go-live покажет, что ушло бы вчера, и включит сообщения всем клиентам.",
        "  Book yourself in YClients for tomorrow with your own number and wait two minutes: a message comes.\n  Content? booking-monitor go-live shows what yesterday would have sent, and writes to every client from then on.",
    )
}
