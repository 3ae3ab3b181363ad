//! `[http]`: the status page, and who may look at it.

use std::net::SocketAddr;

use super::Http;
use super::load::Secrets;
use super::problem::said;
use super::reader::{Value, Wrong};
use super::section::Section;
use super::values::{switch, text};

pub(super) fn read(at: &mut Section<'_>) -> Http {
    let before = at.reader.problem_count();
    let place = at.place_of("listen");
    let listen = at.optional("listen", address);
    let allow_remote = at.get("allow_remote", false, switch);
    let token = at.optional_secret("token");
    let whole = at.reader.problem_count() == before;
    if let Some(address) = listen.filter(|address| !address.ip().is_loopback())
        && whole
        && at.reader.secrets == Secrets::Needed
    {
        let wrong = match (allow_remote, &token) {
            (false, _) => Some(
                Wrong::new(said(
                    "others than this machine could read it:",
                    "страницу увидят не только с этой машины:",
                ))
                .found(format!("{:?}", address.to_string()))
                .hint(said(
                    "write 127.0.0.1, or set allow_remote = true and a token",
                    "напишите 127.0.0.1 или задайте allow_remote = true и token",
                )),
            ),
            (true, None) => Some(
                Wrong::new(said(
                    "others than this machine may read it, and nothing asks who they are",
                    "страница открыта всем, и никто не спрашивает, кто смотрит",
                ))
                .hint(said(
                    r#"set token = { file = "PATH" }"#,
                    r#"задайте token = { file = "ПУТЬ" }"#,
                )),
            ),
            (true, Some(_)) => None,
        };
        if let Some(wrong) = wrong {
            at.reader.problem(&place, wrong);
        }
    }
    Http { listen, token }
}

fn address(value: &Value<'_>) -> Option<SocketAddr> {
    let written = text(value)?;
    let named = written.replace("localhost:", "127.0.0.1:");
    match named.parse::<SocketAddr>() {
        Ok(address) if address.port() != 0 => Some(address),
        _ => value.wrong(
            said(
                r#"expected an address and a port such as "127.0.0.1:9464", found"#,
                r#"нужен адрес с портом вида "127.0.0.1:9464", а стоит"#,
            ),
            None,
        ),
    }
}
