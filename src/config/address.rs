//! Addresses: where requests go, and through which proxy.
//!
//! One that may hold a password is refused without being shown.

use std::net::IpAddr;

use reqwest::Url;

use super::problem::{Said, said};
use super::reader::{Value, Wrong};
use super::values::text;

fn an_address() -> Said {
    said(
        r#"expected an address such as "https://host/path", found"#,
        r#"нужен адрес вида "https://host/path", а стоит"#,
    )
}

fn begin_with(what: &str) -> Said {
    said(
        format!("begin it with {what}"),
        format!("начните его с {what}"),
    )
}

/// What to do about an address that anybody on the way may read.
fn close_it() -> Said {
    said(
        "use https://, unless the network between is your own",
        "напишите https://, если эта сеть не ваша собственная",
    )
}

/// An address to which paths are appended, without its trailing slash.
fn address(value: &Value<'_>) -> Option<String> {
    let written = text(value)?;
    let parsed = Url::parse(&written).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|h| !h.is_empty())
    });
    let Some(url) = parsed else {
        return value.wrong_hidden(an_address(), Some(begin_with("https://")));
    };
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return value.refuse(Wrong::new(said(
            "must hold neither a user, nor a password, nor anything after ? or #",
            "в адресе не должно быть ни имени, ни пароля, ни того, что идёт за ? или #",
        )));
    }
    Some(written.trim_end_matches('/').to_owned())
}

/// A whole address, which nothing is appended to. It may end in a password, so it is never shown.
pub(super) fn whole_address(value: &Value<'_>, address: &str) -> bool {
    let parsed = Url::parse(address).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|h| !h.is_empty())
    });
    let Some(url) = parsed else {
        value.wrong_hidden::<()>(an_address(), Some(begin_with("https://")));
        return false;
    };
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        value.refuse::<()>(Wrong::new(said(
            "must hold neither a user, nor a password, nor anything after #",
            "в адресе не должно быть ни имени, ни пароля, ни того, что идёт за #",
        )));
        return false;
    }
    if is_open(address) {
        let wrong = Wrong::new(said(
            "what is sent there travels unencrypted over http",
            "по http всё идёт незашифрованным",
        ))
        .hint(close_it());
        value.reader.warning(&value.place, wrong);
    }
    true
}

/// An address that is encrypted, or does not leave this machine.
pub(super) fn secure_address(value: &Value<'_>) -> Option<String> {
    let address = address(value)?;
    if is_open(&address) {
        return value.wrong(
            said(
                "must begin with https:// (http only for this machine), found",
                "адрес должен начинаться с https:// (http только для этой машины), а стоит",
            ),
            None,
        );
    }
    Some(address)
}

/// A messenger's address: http is let through, for a relay in a private network.
pub(super) fn channel_address(value: &Value<'_>) -> Option<String> {
    let address = address(value)?;
    if is_open(&address) {
        let wrong = Wrong::new(said(
            "the token and the messages travel unencrypted over http",
            "по http токен и сообщения идут незашифрованными",
        ))
        .hint(close_it());
        value.reader.warning(&value.place, wrong);
    }
    Some(address)
}

/// Whether what goes to this address can be read on its way.
#[must_use]
pub fn is_open(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A proxy's address, which may hold a password and so is never shown.
pub(super) fn proxy(value: &Value<'_>) -> Option<String> {
    const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    let written = value.node.as_str().unwrap_or_default().trim();
    match Url::parse(written) {
        Ok(url) if SCHEMES.contains(&url.scheme()) && url.host_str().is_some() => {
            Some(written.to_owned())
        }
        _ => value.wrong_hidden(
            said(
                r#"expected an address such as "socks5h://host:1080", found"#,
                r#"нужен адрес вида "socks5h://host:1080", а стоит"#,
            ),
            Some(begin_with(&format!("{}://", SCHEMES.join("://, ")))),
        ),
    }
}
