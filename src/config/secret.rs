//! Secrets: written out, or named: a variable, a file, a systemd credential.
//!
//! Nothing here ever puts a secret's value into a message. A name is shown only where it looks
//! like a name, because a token pasted in the wrong place is still a token.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use secrecy::{ExposeSecret as _, SecretString};
use toml::de::DeValue;

use super::address::whole_address;
use super::load::Secrets;
use super::problem::{Said, cannot_read, said};
use super::reader::{Reader, Value, Wrong};
use super::section::Section;

/// Where systemd keeps credentials for units that name none of their own.
const CREDSTORE: &str = "/etc/credstore";
const CREDSTORE_ENCRYPTED: &str = "/etc/credstore.encrypted";

impl Section<'_> {
    /// A secret that may be left out.
    pub(super) fn optional_secret(&mut self, key: &'static str) -> Option<SecretString> {
        self.optional(key, secret)
    }

    /// A secret that is needed by every command that needs secrets at all.
    pub(super) fn secret(&mut self, key: &'static str) -> SecretString {
        let found = match self.reader.secrets {
            Secrets::Needed => self.required(key, a_secret(), secret),
            Secrets::NotNeeded => self.optional_secret(key),
        };
        found.unwrap_or_default()
    }
}

/// How a secret is written, as the hint of one that is missing.
pub(super) fn a_secret() -> Said {
    said(
        r#"{ env = "NAME" } or { file = "PATH" }"#,
        r#"{ env = "ИМЯ" } или { file = "ПУТЬ" }"#,
    )
}

/// An address that may end in a password, written out or named.
pub(super) fn secret_address(value: &Value<'_>) -> Option<SecretString> {
    let address = secret(value)?;
    let known = value.reader.secrets == Secrets::Needed;
    (!known || whole_address(value, address.expose_secret())).then_some(address)
}

fn secret(value: &Value<'_>) -> Option<SecretString> {
    let (way, name) = match value.node {
        DeValue::String(literal) => ("", literal.to_string()),
        _ => reference(value)?,
    };
    if value.reader.secrets == Secrets::NotNeeded {
        return Some(SecretString::default());
    }
    let found = match way {
        "env" => from_variable(value.reader, &name),
        "file" => from_file(value, &name),
        "credential" => from_credential(value.reader, &name),
        _ => Ok(name),
    };
    match found.and_then(usable) {
        Ok(secret) => Some(secret.into()),
        Err(wrong) => value.refuse(wrong),
    }
}

/// The only pair of `{ env = "NAME" }` and its like.
fn reference(value: &Value<'_>) -> Option<(&'static str, String)> {
    let shape = said(
        r#"expected a string, { env = "NAME" }, { file = "PATH" } or { credential = "NAME" }, found"#,
        r#"нужна строка, { env = "ИМЯ" }, { file = "ПУТЬ" } или { credential = "ИМЯ" }, а стоит"#,
    );
    let Some(table) = value.node.as_table() else {
        return value.wrong_hidden(shape, None);
    };
    let mut pairs = table.iter();
    if let (Some((key, name)), None) = (pairs.next(), pairs.next()) {
        let known = ["env", "file", "credential"];
        let way = known.into_iter().find(|way| way == key.get_ref());
        if let (Some(way), Some(name)) = (way, name.get_ref().as_str())
            && !name.is_empty()
        {
            return Some((way, name.to_owned()));
        }
    }
    value.refuse(Wrong::new(shape).found(said("another table", "другая таблица")))
}

/// A secret goes into a header or a path, where an empty or broken line would be a request that
/// nobody can explain.
fn usable(secret: String) -> Result<String, Wrong> {
    if secret.trim().is_empty() {
        Err(Wrong::new(said("the secret is empty", "секрет пуст")))
    } else if secret.chars().any(char::is_control) {
        Err(Wrong::new(said(
            "the secret holds a line break or another control character",
            "в секрете есть перевод строки или другой служебный знак",
        ))
        .hint(said(
            "keep it alone, on one line",
            "оставьте его одного, в одной строке",
        )))
    } else {
        Ok(secret)
    }
}

fn from_variable(reader: &Reader<'_>, name: &str) -> Result<String, Wrong> {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let shown = match name.chars().all(is_name) {
        true => (
            format!("the environment variable {name}"),
            format!("переменная окружения {name}"),
        ),
        false => (
            "the environment variable named here".to_owned(),
            "переменная окружения, названная здесь,".to_owned(),
        ),
    };
    let hint = said(
        "set it, for a unit in its EnvironmentFile, or use { file = \"PATH\" }",
        "задайте её, для службы в её EnvironmentFile, или напишите { file = \"ПУТЬ\" }",
    );
    let (en, ru) = shown;
    match reader.env.var(name) {
        Some(secret) if secret.trim().is_empty() => {
            Err(Wrong::new(said(format!("{en} is empty"), format!("{ru} пуста"))).hint(hint))
        }
        Some(secret) => Ok(secret),
        None => {
            Err(Wrong::new(said(format!("{en} is not set"), format!("{ru} не задана"))).hint(hint))
        }
    }
}

fn from_file(value: &Value<'_>, name: &str) -> Result<String, Wrong> {
    let path = value.reader.path(name);
    warn_if_open(value, &path);
    read(&path).map_err(|wrong| {
        wrong.hint(said(
            "it must exist, hold the secret alone, and be readable by the program's user",
            "в нём должен быть один секрет, и читать его должен пользователь программы",
        ))
    })
}

/// A secret that others may read is still used: refusing it would silence the salon over a mode.
fn warn_if_open(value: &Value<'_>, path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    // A folder is no secret, and without its x it would hide those within.
    let Some(metadata) = fs::metadata(path).ok().filter(fs::Metadata::is_file) else {
        return;
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o044 != 0 {
        let path = path.display();
        let wrong = Wrong::new(said(
            format!("others may read {path} (mode {mode:04o})"),
            format!("{path} могут прочитать другие (права {mode:04o})"),
        ))
        .hint(said(
            format!("run `chmod 600 {path}`"),
            format!("выполните `chmod 600 {path}`"),
        ));
        value.reader.warning(&value.place, wrong);
    }
}

fn from_credential(reader: &Reader<'_>, name: &str) -> Result<String, Wrong> {
    if name.contains('/') || name.starts_with('.') {
        return Err(Wrong::new(said(
            "a credential's name is no path",
            "имя credential — это не путь",
        )));
    }
    match reader
        .env
        .var("CREDENTIALS_DIRECTORY")
        .filter(|d| !d.is_empty())
    {
        Some(folder) => read(&Path::new(&folder).join(name)).map_err(|wrong| {
            wrong.hint(said(
                format!("add LoadCredential={name}:PATH to the unit"),
                format!("добавьте в службу LoadCredential={name}:ПУТЬ"),
            ))
        }),
        None => outside_unit(name, Path::new(CREDSTORE), Path::new(CREDSTORE_ENCRYPTED)),
    }
}

/// In a shell there is no credentials folder: the same secrets are read where the unit's come from.
fn outside_unit(name: &str, plain: &Path, encrypted: &Path) -> Result<String, Wrong> {
    let (plain, encrypted) = (plain.join(name), encrypted.join(name));
    // A folder that we may not look into is not one that holds nothing.
    let is_there = |path: &Path| path.try_exists().unwrap_or(true);
    if is_there(&plain) {
        read(&plain)
    } else if is_there(&encrypted) {
        decrypt(&encrypted)
    } else {
        let (plain, encrypted) = (plain.display(), encrypted.display());
        Err(Wrong::new(said(
            format!("no credential {name:?}"),
            format!("нет credential {name:?}"),
        ))
        .hint(said(
            format!("put it into {plain} (mode 0600), or run `systemd-creds encrypt - {encrypted}`"),
            format!("положите его в {plain} (права 0600) или выполните `systemd-creds encrypt - {encrypted}`"),
        )))
    }
}

fn decrypt(path: &Path) -> Result<String, Wrong> {
    let failed = |why: String| {
        let path = path.display();
        Wrong::new(said(
            format!("cannot decrypt {path}: {why}"),
            format!("не расшифровать {path}: {why}"),
        ))
    };
    let output = Command::new("systemd-creds")
        .args(["decrypt", "--newline=no"])
        .arg(path)
        .arg("-")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(format!("systemd-creds: {error}")))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let words = words.lines().next().unwrap_or("no reason given");
        return Err(failed(words.to_owned()).hint(said(
            "run it as root, on this machine",
            "запустите от root на этой же машине",
        )));
    }
    String::from_utf8(output.stdout)
        .map(without_newline)
        .map_err(|_| failed("it holds no text".into()))
}

fn read(path: &Path) -> Result<String, Wrong> {
    fs::read_to_string(path)
        .map(without_newline)
        .map_err(|error| Wrong::new(cannot_read(path, &error)))
}

/// Editors and `echo` end a file with a newline that is no part of the secret.
fn without_newline(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_a_unit_a_credential_is_read_from_the_machines_store() {
        let store = tempfile::tempdir().unwrap();
        fs::write(store.path().join("token"), "canary-1\n").unwrap();
        let found = outside_unit("token", store.path(), Path::new("/nonexistent"));
        assert!(found.is_ok_and(|secret| secret == "canary-1"));
    }

    #[test]
    fn outside_a_unit_an_encrypted_credential_is_decrypted() {
        if !nix::unistd::Uid::effective().is_root() {
            eprintln!("SKIPPED: only root may use this machine's credential key");
            return;
        }
        let store = tempfile::tempdir().unwrap();
        let sealed = store.path().join("booking-monitor.telegram");
        let encrypt = |secret: &str| {
            use std::io::Write as _;
            // The README's command, with the key of the host, which every machine has.
            let mut child = Command::new("systemd-creds")
                .args(["encrypt", "--with-key=host", "-"])
                .arg(&sealed)
                .stdin(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .ok()?;
            let typed = child.stdin.take()?.write_all(secret.as_bytes());
            (typed.is_ok() && child.wait().ok()?.success()).then_some(())
        };
        if encrypt("canary-2\n").is_none() {
            eprintln!("SKIPPED: systemd-creds cannot encrypt here");
            return;
        }
        let on_disk = fs::read_to_string(&sealed).unwrap();
        assert!(!on_disk.contains("canary-2"));
        let plain = Path::new("/nonexistent");
        let found = outside_unit("booking-monitor.telegram", plain, store.path());
        assert!(found.is_ok_and(|secret| secret == "canary-2"));

        // Its name is sealed in: one credential does not pass for another.
        fs::rename(&sealed, store.path().join("other")).unwrap();
        let refused = outside_unit("other", plain, store.path());
        assert!(refused.is_err_and(|wrong| !format!("{:?}", wrong.message).contains("canary-2")));
    }

    #[test]
    fn one_trailing_newline_is_no_part_of_a_secret() {
        for (text, secret) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a \n\n", "a \n")] {
            assert_eq!(without_newline(text.into()), secret);
        }
    }
}
