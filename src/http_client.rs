//! The only place that makes HTTP clients, and the only wording of their errors.
//!
//! Telegram and Green API carry the token in the path and reqwest prints whole addresses, so no
//! `reqwest::Error` leaves this room as text except through [`failure`], which drops the address.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Client, ClientBuilder, Proxy, redirect};

/// Nobody may silence us for longer than a week, whatever number it names.
const LONGEST_PAUSE: Duration = Duration::from_hours(24 * 7);

/// How one outgoing connection is made. Every adapter's settings hold one.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// For a whole request, connecting included.
    pub timeout: Duration,
    /// A proxy's address (`socks5h://…`, `http://…`).
    pub proxy: Option<String>,
    /// Extra root certificates, PEM.
    pub ca_file: Option<PathBuf>,
}

/// Why no client could be made. Always the configuration's fault.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file of extra roots could not be read.
    #[error("cannot read ca_file {}: {source}", path.display())]
    CaFile {
        /// The configured path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It holds no certificates.
    #[error("no PEM certificate in ca_file {}", path.display())]
    CaFormat {
        /// The configured path.
        path: PathBuf,
    },
    /// The proxy's address is none, or TLS could not be set up.
    #[error("cannot set up the connection: {0}")]
    Setup(String),
}

/// A body as text that every JSON parser takes: what is no UTF-8, and escapes that name half of a
/// character (`\ud83d` alone, from a name that was cut in two), become the mark for unreadable
/// characters. One such name would otherwise make a whole answer unreadable.
#[must_use]
pub fn readable(body: &[u8]) -> String {
    let text = match std::str::from_utf8(body) {
        // As good as every answer, and a page is large.
        Ok(text) if !text.contains("\\u") => return text.to_owned(),
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(body),
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match (half(escape), escape.get(6..).and_then(half)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(_), _) => {
                out.push_str("\\ufffd");
                rest = &escape[6..];
                continue;
            }
            // The character behind a backslash belongs to it, be it another backslash.
            (None, _) => 1 + escape[1..].chars().next().map_or(0, char::len_utf8),
        };
        out.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    out + rest
}

/// The half of a character that an escape at the beginning of this text names.
fn half(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}

/// Makes a client: no redirects (a token must not follow one), short-lived idle connections (a
/// server closes its own after about a minute, and a POST caught in that moment is uncertain).
pub fn client(settings: &ClientSettings) -> Result<Client, ClientError> {
    finish(builder(settings)?)
}

/// The same for requests to one address. What listens on this very machine is asked directly: a
/// proxy that the environment names for the world outside would not find it.
pub fn client_for(address: &str, settings: &ClientSettings) -> Result<Client, ClientError> {
    let builder = builder(settings)?;
    if settings.proxy.is_none() && is_loopback(address) {
        return finish(builder.no_proxy());
    }
    finish(builder)
}

fn is_loopback(address: &str) -> bool {
    let url = reqwest::Url::parse(address).ok();
    let host = url.as_ref().and_then(reqwest::Url::host_str);
    host.is_some_and(|host| {
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    })
}

fn finish(builder: ClientBuilder) -> Result<Client, ClientError> {
    builder.build().map_err(|e| ClientError::Setup(failure(e)))
}

fn builder(settings: &ClientSettings) -> Result<ClientBuilder, ClientError> {
    // Once for the whole process. reqwest asks for it there, and would panic without it; that somebody
    // was quicker is no failure.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .connect_timeout(settings.timeout.min(Duration::from_secs(10)))
        .timeout(settings.timeout)
        .pool_idle_timeout(Duration::from_secs(15))
        .redirect(redirect::Policy::none())
        .user_agent(concat!("booking-monitor/", env!("CARGO_PKG_VERSION")));
    if let Some(proxy) = &settings.proxy {
        let proxy = Proxy::all(proxy)
            .map_err(|_| ClientError::Setup("the proxy's address is not one".into()))?;
        builder = builder.proxy(proxy);
    }
    if let Some(path) = &settings.ca_file {
        builder = builder.tls_certs_merge(certificates(path)?);
    }
    Ok(builder)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, ClientError> {
    let pem = std::fs::read(path).map_err(|source| ClientError::CaFile {
        path: path.into(),
        source,
    })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(ClientError::CaFormat { path: path.into() }),
    }
}

/// What went wrong, in words, without the address.
#[must_use]
pub fn failure(error: reqwest::Error) -> String {
    let stage = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "cannot connect"
    } else if error.is_body() || error.is_decode() {
        "the answer broke off"
    } else {
        "the request failed"
    };
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let cause = cause.to_string();
    // The outermost error is reqwest's own and names the address; a deeper one does not.
    if std::error::Error::source(&error).is_none() || error.is_timeout() {
        stage.to_owned()
    } else {
        format!("{stage}: {cause}")
    }
}

/// Whether the request surely never left: no connection was made.
#[must_use]
pub fn never_left(error: &reqwest::Error) -> bool {
    error.is_connect() || error.is_builder()
}

/// `Retry-After` in seconds or as a date, which is read against the server's own clock.
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(pause(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let now = headers
        .get(DATE)
        .and_then(|d| httpdate::parse_http_date(d.to_str().ok()?).ok())
        .unwrap_or_else(std::time::SystemTime::now);
    let left = until.duration_since(now).unwrap_or_default();
    Some(pause(left.as_secs()))
}

/// A stated pause in seconds; none is shorter than one.
#[must_use]
pub fn pause(seconds: u64) -> Duration {
    Duration::from_secs(seconds.max(1)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_makes_no_answer_unreadable() {
        for (body, expected) in [
            (r#"{"a":"\ud83d\ude00"}"#, "😀"),
            (r#"{"a":"x\ud83d"}"#, "x\u{fffd}"),
            (r#"{"a":"\ude00\ud83dx"}"#, "\u{fffd}\u{fffd}x"),
            (r#"{"a":"\\ud83d"}"#, r"\ud83d"),
            (r#"{"a":"\"\ud83d\u0041"}"#, "\"\u{fffd}A"),
            (r#"{"a":"\n\\"}"#, "\n\\"),
        ] {
            let json: serde_json::Value = serde_json::from_str(&readable(body.as_bytes())).unwrap();
            assert_eq!(json["a"], expected, "{body}");
        }
        assert_eq!(
            readable(b"{\"a\":\"\xff\xc0\"}"),
            "{\"a\":\"\u{fffd}\u{fffd}\"}"
        );
        // Nothing that breaks off is more than it was.
        for body in ["\\", "\\u", "\\ud83", "\\ud83d\\", "\\ud83d\\u", "я\\"] {
            assert!(readable(body.as_bytes()).len() <= body.len());
        }
    }

    #[test]
    fn this_machine_is_known_by_all_its_names() {
        for here in [
            "http://127.0.0.1:8080/api/v1",
            "http://localhost",
            "http://[::1]:80",
        ] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in ["https://api.yclients.com/api/v1", "http://10.0.0.1", "?"] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_pause_is_read_in_seconds_and_as_a_date() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "17".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(17)));
        headers.insert(DATE, "Sat, 21 Nov 2026 06:00:00 GMT".parse().unwrap());
        headers.insert(
            RETRY_AFTER,
            "Sat, 21 Nov 2026 06:02:00 GMT".parse().unwrap(),
        );
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(120)));
        headers.insert(RETRY_AFTER, "soon".parse().unwrap());
        assert_eq!(retry_after(&headers), None);
    }
}
