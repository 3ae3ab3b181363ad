//! The files that `init` leaves behind: a configuration with its reasons beside it, and one secret a
//! file that only the program's user can read. What was there before stays, under another name.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, Uid, User, access};
use secrecy::{ExposeSecret as _, SecretString};

use super::journal::Branch;
use super::messengers::{Owner, Way};
use crate::app::Failure;
use crate::app::failure::code;
use crate::app::text::Say;
use crate::channels::Kind;
use crate::channels::green_api::Flavour;
use crate::config::Language;
use crate::domain::phone::Phone;

/// Where the package puts the configuration, and the user of its service.
pub(super) const SYSTEM_FOLDER: &str = "/etc/booking-monitor";
const SERVICE: &str = "booking-monitor";

/// Everything that was answered.
pub(super) struct Answers {
    pub(super) yclients_url: Option<String>,
    pub(super) telegram_url: Option<String>,
    pub(super) partner_token: SecretString,
    pub(super) user_token: SecretString,
    pub(super) branches: Vec<Branch>,
    pub(super) clients: Way,
    pub(super) owner: Option<Owner>,
    pub(super) phone: Phone,
    pub(super) recent_activity: bool,
}

impl Answers {
    /// Names and contents of the secrets' files.
    fn secrets(&self) -> Vec<(String, &SecretString)> {
        let mut secrets = vec![
            ("yclients-partner".to_owned(), &self.partner_token),
            ("yclients-user".to_owned(), &self.user_token),
        ];
        let ways = std::iter::once(&self.clients);
        let ways = ways.chain(self.owner.iter().filter_map(|owner| owner.way.as_ref()));
        for way in ways {
            match &way.kind {
                Kind::GreenApi(settings) => secrets.push((way.name.to_owned(), &settings.token)),
                Kind::Telegram(settings) => secrets.push((way.name.to_owned(), &settings.token)),
                Kind::Console(_) | Kind::WhatsAppCloud(_) | Kind::Http(_) => {}
            }
        }
        secrets
    }

    /// The configuration's text.
    pub(super) fn text(&self, words: Say) -> String {
        let mut text = Text(String::new());
        text.line(words.of(
            "# Написано booking-monitor init. Все настройки с объяснением: booking-monitor.toml из поставки.",
            "# Written by booking-monitor init. All settings with their meaning: booking-monitor.toml of the package.",
        ));
        text.pair(
            "language",
            match words.0 {
                Language::Ru => "ru",
                Language::En => "en",
            },
        );
        text.line("\n[monitor]");
        text.line(words.of(
            "# Пока список не пуст, пишем только на эти номера. Снимет его booking-monitor go-live.",
            "# While this list is not empty only these numbers are written to. booking-monitor go-live empties it.",
        ));
        text.line(&format!("only_phones = [{}]", quoted(self.phone.e164())));
        if self.recent_activity {
            text.line(words.of(
                "# Кто только что переписывался с салоном, тому о новой записи не пишем: ему уже ответили.",
                "# Whoever has just talked to the salon is not told of a new booking: they were answered.",
            ));
            text.pair("recent_activity", "10m");
        }
        text.line("\n[yclients]");
        if let Some(url) = &self.yclients_url {
            text.pair("base_url", url);
        }
        text.secret("partner_token", "yclients-partner");
        text.secret("user_token", "yclients-user");
        self.channel(&mut text, &self.clients);
        if let Some(way) = self.owner.as_ref().and_then(|owner| owner.way.as_ref()) {
            self.channel(&mut text, way);
        }
        for branch in &self.branches {
            text.line("\n[[companies]]");
            text.comment(&format!("{}, {}", branch.title, branch.address));
            text.line(&format!("id = {}", branch.id));
            text.line(&format!("channels = [{}]", quoted(self.clients.name)));
            if let Some(owner) = &self.owner {
                // In a group anybody could answer clients: only who wrote the word may.
                let users = match owner.place.is_private || owner.place.user.is_empty() {
                    true => String::new(),
                    false => format!(", users = [{}]", quoted(&owner.place.user)),
                };
                text.line(&format!(
                    "owner = [{{ channel = {}, to = {}{users} }}]",
                    quoted(owner.channel),
                    quoted(&owner.place.chat)
                ));
            }
            if let Some(zone) = branch.zone {
                text.pair("timezone", zone.name());
            }
        }
        text.0
    }

    fn channel(&self, text: &mut Text, way: &Way) {
        text.line(&format!("\n[channels.{}]", way.name));
        text.pair("type", way.kind.as_str());
        match &way.kind {
            Kind::GreenApi(settings) => {
                match settings.flavour {
                    Flavour::WhatsApp => {}
                    Flavour::Max => text.pair("flavour", "max"),
                    Flavour::Telegram => text.pair("flavour", "telegram"),
                    Flavour::Waba => text.pair("flavour", "waba"),
                }
                text.pair("api_url", &settings.api_url);
                text.pair("instance_id", &settings.instance_id);
                text.secret("token", way.name);
                if !settings.common.receive {
                    text.line("receive = false");
                }
            }
            Kind::Telegram(_) => {
                if let Some(url) = &self.telegram_url {
                    text.pair("api_url", url);
                }
                text.secret("token", way.name);
            }
            Kind::Console(_) | Kind::WhatsAppCloud(_) | Kind::Http(_) => {}
        }
    }

    /// Writes everything, the configuration last: without it nothing of the rest counts.
    pub(super) fn write(&self, config: &Path, words: Say) -> Result<(), Failure> {
        let folder = folder_of(config);
        let owner = service(&folder);
        let secrets = folder.join("secrets");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&secrets)
            .map_err(|error| unwritten(&secrets, error))?;
        give(&secrets, owner)?;
        for (name, secret) in self.secrets() {
            let file = secrets.join(name);
            put(&file, secret.expose_secret().as_bytes())?;
            give(&file, owner)?;
        }
        put(config, self.text(words).as_bytes())?;
        give(config, owner)
    }

    /// What is there already under these names.
    pub(super) fn taken(config: &Path) -> Vec<PathBuf> {
        let secrets = folder_of(config).join("secrets");
        let names = [
            "yclients-partner",
            "yclients-user",
            "whatsapp",
            "max",
            "telegram",
            "owners",
        ];
        let files = names.map(|name| secrets.join(name));
        let mut taken: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
        if config.exists() {
            taken.insert(0, config.to_owned());
        }
        taken
    }
}

/// Nobody should answer every question to learn then that nothing can be written.
pub(super) fn may_be_written(config: &Path) -> Result<(), Failure> {
    let folder = folder_of(config);
    for wanted in [folder.join("secrets"), folder] {
        // What is not there yet is made in the nearest folder that is.
        let there = wanted.ancestors().find(|folder| folder.exists());
        access(
            there.unwrap_or(Path::new(".")),
            AccessFlags::W_OK | AccessFlags::X_OK,
        )
        .map_err(|error| unwritten(&wanted, error.into()))?;
    }
    Ok(())
}

/// TOML, line by line.
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn pair(&mut self, key: &str, value: &str) {
        self.line(&format!("{key} = {}", quoted(value)));
    }

    fn secret(&mut self, key: &str, file: &str) {
        let path = quoted(&format!("secrets/{file}"));
        self.line(&format!("{key} = {{ file = {path} }}"));
    }

    /// A title comes from outside: it must not end the comment it stands in.
    fn comment(&mut self, words: &str) {
        let words: String = words
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        self.line(&format!("# {words}"));
    }
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

fn folder_of(config: &Path) -> PathBuf {
    match config.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whom the files are for, where root makes them: the service, or whoever owns the folder that will
/// hold the database, as whom root's own start of the program goes on.
fn service(folder: &Path) -> Option<(u32, u32)> {
    if !Uid::effective().is_root() {
        return None;
    }
    let is_systems = std::path::absolute(folder).is_ok_and(|f| f == Path::new(SYSTEM_FOLDER));
    match is_systems {
        true => {
            let user = User::from_name(SERVICE).ok().flatten()?;
            Some((user.uid.as_raw(), user.gid.as_raw()))
        }
        false => {
            let meta = fs::metadata(folder).ok()?;
            Some((meta.uid(), meta.gid()))
        }
    }
}

fn give(path: &Path, owner: Option<(u32, u32)>) -> Result<(), Failure> {
    let Some((user, group)) = owner else {
        return Ok(());
    };
    chown(path, Some(user), Some(group)).map_err(|error| unwritten(path, error))
}

/// A whole new file of mode 0600, or none. The one before is kept.
fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error| unwritten(path, error);
    let named = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let fresh = named(".new");
    // One that was left behind may be open to others.
    drop(fs::remove_file(&fresh));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(failed)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    if path.exists() {
        let mut free = (1..).map(|n| match n {
            1 => named(".old"),
            n => named(&format!(".old{n}")),
        });
        let kept = free.find(|name| !name.exists());
        if let Some(kept) = kept {
            fs::rename(path, kept).map_err(failed)?;
        }
    }
    fs::rename(&fresh, path).map_err(failed)
}

fn unwritten(path: &Path, error: std::io::Error) -> Failure {
    let what = format!("cannot write {}", path.display());
    Failure::new(code::FAILED, anyhow::Error::new(error).context(what))
        .hint("choose another place with --config FILE, or run it as root for /etc/booking-monitor")
}
