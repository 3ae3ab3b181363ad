//! Addresses: where requests go, and through which proxy.
//!
//! One that may hold a password is refused without being shown.

use std::net::IpAddr;

use reqwest::Url;

use super::reader::{Value, Wrong};
use super::values::text;

/// An address to which paths are appended, without its trailing slash.
fn address(value: &Value<'_>) -> Option<String> {
    let written = text(value)?;
    let parsed = Url::parse(&written).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|h| !h.is_empty())
    });
    let Some(url) = parsed else {
        let message = r#"expected an address such as "https://host/path", found"#;
        return value.wrong_hidden(message, Some("begin it with https://".into()));
    };
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return value.refuse(Wrong::new(
            "must hold neither a user, nor a password, nor anything after ? or #",
        ));
    }
    Some(written.trim_end_matches('/').to_owned())
}

/// A whole address, which nothing is appended to. It may end in a password, so it is never shown.
pub(super) fn whole_address(value: &Value<'_>, address: &str) -> bool {
    let parsed = Url::parse(address).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|h| !h.is_empty())
    });
    let Some(url) = parsed else {
        let message = r#"expected an address such as "https://host/path", found"#;
        value.wrong_hidden::<()>(message, Some("begin it with https://".into()));
        return false;
    };
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        value.refuse::<()>(Wrong::new(
            "must hold neither a user, nor a password, nor anything after #",
        ));
        return false;
    }
    if is_open(address) {
        let wrong = Wrong::new("what is sent there travels unencrypted over http")
            .hint("use https://, unless the network between is your own".to_owned());
        value.reader.warning(&value.place, wrong);
    }
    true
}

/// An address that is encrypted, or does not leave this machine.
pub(super) fn secure_address(value: &Value<'_>) -> Option<String> {
    let address = address(value)?;
    if is_open(&address) {
        return value.wrong(
            "must begin with https:// (http only for this machine), found",
            None,
        );
    }
    Some(address)
}

/// A messenger's address: http is let through, for a relay in a private network.
pub(super) fn channel_address(value: &Value<'_>) -> Option<String> {
    let address = address(value)?;
    if is_open(&address) {
        let wrong = Wrong::new("the token and the messages travel unencrypted over http")
            .hint("use https://, unless the network between is your own".to_owned());
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
            r#"expected an address such as "socks5h://host:1080", found"#,
            Some(format!("begin it with {}://", SCHEMES.join("://, "))),
        ),
    }
}
