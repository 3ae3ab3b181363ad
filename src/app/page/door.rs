//! Who may look: the token where there is one, and no foreign page in a browser on this machine.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::{HeaderMap, Response, StatusCode, header};
use secrecy::ExposeSecret as _;
use sha2::Sha256;

use super::plain;
use crate::config::Http;

/// The answer to whoever may not look; `None` for who may.
pub(super) fn refused(settings: &Http, headers: &HeaderMap) -> Option<Response<Body>> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(token) = &settings.token else {
        // A page of the world outside may have its name point to this machine and read what is
        // here; it cannot make the browser ask for another host.
        let here = text(header::HOST).is_some_and(|host| is_here(host, settings));
        return (!here).then(|| {
            plain(
                StatusCode::FORBIDDEN,
                "ask for this page by the address in http.listen\n",
            )
        });
    };
    let offered = text(header::AUTHORIZATION).and_then(offered);
    if offered.is_some_and(|offered| is_same(token.expose_secret(), &offered)) {
        return None;
    }
    let mut refused = plain(StatusCode::UNAUTHORIZED, "the token of [http] is needed\n");
    let ask =
        header::HeaderValue::from_static("Basic realm=\"booking-monitor\", charset=\"UTF-8\"");
    refused.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
    Some(refused)
}

/// The host that was asked for is this machine, under a name that nobody else can have.
fn is_here(host: &str, settings: &Http) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let ip = name.parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost")
        || ip.is_ok_and(|ip| {
            ip.is_loopback() || settings.listen.is_some_and(|listen| listen.ip() == ip)
        })
}

/// What was offered: as Bearer, or as the password of any user.
fn offered(authorization: &str) -> Option<String> {
    let (scheme, rest) = authorization.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(rest.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (_, password) = text.split_once(':')?;
    Some(password.to_owned())
}

/// Compared so that the time it takes says nothing of how much of it was right.
fn is_same(token: &str, offered: &str) -> bool {
    let mac = |key: &str| {
        let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
        mac.map(|mac| mac.chain_update(b"status page"))
    };
    match (mac(token), mac(offered)) {
        (Ok(token), Ok(offered)) => offered.verify_slice(&token.finalize().into_bytes()).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_as_bearer_and_as_the_password_of_any_user() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let said =
            |authorization: &str| offered(authorization).is_some_and(|o| is_same("s:cret", &o));
        for right in [
            "Bearer s:cret",
            "bearer s:cret",
            &basic("me:s:cret"),
            &basic(":s:cret"),
        ] {
            assert!(said(right), "{right}");
        }
        for wrong in [
            "",
            "s:cret",
            "Bearer s:cre",
            "Bearer s:cret1",
            &basic("s:cret"),
            "Basic ?",
        ] {
            assert!(!said(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_foreign_name_for_this_machine_is_no_address_of_it() {
        let http = Http {
            listen: "10.0.0.7:9464".parse().ok(),
            token: None,
        };
        for host in [
            "localhost",
            "LOCALHOST:9464",
            "127.0.0.1:9464",
            "[::1]:9464",
            "10.0.0.7:9464",
        ] {
            assert!(is_here(host, &http), "{host}");
        }
        for host in [
            "",
            "salon.example:9464",
            "localhost.example",
            "10.0.0.8:9464",
            "127.0.0.1.nip.io",
        ] {
            assert!(!is_here(host, &http), "{host}");
        }
    }
}
