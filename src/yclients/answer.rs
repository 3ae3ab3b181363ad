//! What an HTTP answer of the API means.
//!
//! An answer is information only when everything about it says so: 2xx, `success` not false and
//! `data` of the right shape. Everything else is an error that names what the caller does next;
//! mistaking an outage for an empty journal has cost others a mass of false cancellations.
//! Texts are hints only where the API gives nothing else: the 429 inside a 200 and «Не найдено».

use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::wire::{Envelope, Notices, SignIn, Whole};
use crate::domain::catalogue::{Master, Offer};
use crate::domain::record::Record;
use crate::http_client::readable;
use crate::ports::{ApiError, CompanyInfo, CompanyRef, Lookup, Page, Query, Row, WriteError};

/// The pause when the API names none, or names zero.
const UNSTATED_PAUSE: Duration = Duration::from_secs(5);
/// A stated pause is obeyed up to a day; beyond that the figure is taken for nonsense.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);
/// How much of the API's words an error repeats.
const LONGEST_MESSAGE: usize = 200;

/// One whole answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) server_date: Option<DateTime<Utc>>,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

impl Answer {
    pub(super) fn new(status: u16, headers: &HeaderMap, body: Vec<u8>) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let date = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok());
        let retry_after = text(RETRY_AFTER).and_then(|stated| {
            stated.parse().ok().map(Duration::from_secs).or_else(|| {
                // Against the server's own clock, where it shows one: ours may be off.
                let until = httpdate::parse_http_date(stated).ok()?;
                until
                    .duration_since(date.unwrap_or_else(SystemTime::now))
                    .ok()
            })
        });
        Self {
            status,
            server_date: date.map(DateTime::from),
            retry_after,
            body: readable(&body).into_bytes(),
        }
    }

    /// A page of a listing.
    pub(super) fn page(&self, company: &CompanyRef, query: &Query) -> Result<Page, ApiError> {
        let envelope = self.good()?;
        let page = |rows, total_count| Page {
            rows,
            total_count,
            server_date: self.server_date,
        };
        if !envelope.refuses()
            && let Some(rows) = envelope.rows(company)
        {
            return Ok(page(rows, envelope.total_count()));
        }
        let nothing_new = self.status == 200
            && (is_not_found(&envelope.message())
                || (!envelope.refuses()
                    && envelope.is_void()
                    && envelope.total_count() == Some(0)));
        if nothing_new {
            // Such an answer lists nothing, so of the days asked for it proves nothing either: a
            // count would let it pass for a whole listing and every booking for missing.
            let total_count = match query {
                Query::ChangedSince(_) => envelope.total_count(),
                Query::Starting(..) => None,
            };
            return Ok(page(Vec::new(), total_count));
        }
        Err(self.no_answer(&envelope, "no `data` array"))
    }

    /// One record by its id.
    pub(super) fn lookup(&self, company: &CompanyRef, record_id: i64) -> Result<Lookup, ApiError> {
        // A proxy's 404 is no word of the API's, and "gone" is what cancels bookings.
        if self.status == 404 && self.is_refusal() {
            return Ok(Lookup::Gone);
        }
        let envelope = self.good()?;
        if envelope.refuses() {
            return Err(self.no_answer(&envelope, ""));
        }
        match envelope.record(company) {
            Some(Row::Record(record)) if record.id == record_id => Ok(Lookup::Found(record)),
            Some(Row::Record(_)) => Err(ApiError::Unreadable("another record's data".into())),
            Some(Row::Unreadable { why, .. }) => Err(ApiError::Unreadable(why)),
            Some(Row::Null) | None => Err(self.no_answer(&envelope, "no `data` object")),
        }
    }

    /// One record as it is to be sent again; `None` when it is not as it was seen.
    pub(super) fn to_rewrite(
        &self,
        company: &CompanyRef,
        seen: &Record,
    ) -> Result<Option<Whole>, ApiError> {
        match self.lookup(company, seen.id)? {
            Lookup::Found(found) if *found == *seen => {}
            Lookup::Found(_) | Lookup::Gone => return Ok(None),
        }
        let whole = Envelope::read(&self.body).and_then(|envelope| envelope.whole());
        let unreadable = || ApiError::Unreadable("no `data` object".to_owned());
        whole.map(Some).ok_or_else(unreadable)
    }

    /// What came of a change of the journal. What is no clear word of the API's may have been done.
    pub(super) fn written(&self) -> Result<(), WriteError> {
        if self.status == 204 {
            return Ok(());
        }
        let refused = |message: String| WriteError::Refused {
            status: self.status,
            message,
        };
        match self.good() {
            Ok(envelope) if envelope.refuses() => Err(refused(shown(&envelope))),
            Ok(_) => Ok(()),
            Err(error @ ApiError::Throttled { .. }) => Err(WriteError::NotDone(error)),
            Err(ApiError::Denied { message, .. }) => Err(refused(message)),
            Err(ApiError::Unreadable(why)) if (400..500).contains(&self.status) => {
                Err(refused(why))
            }
            Err(ApiError::Unreadable(why) | ApiError::Unavailable(why)) => {
                Err(WriteError::Unknown(why))
            }
        }
    }

    /// The id of a booking that was made.
    pub(super) fn new_id(&self) -> Result<i64, WriteError> {
        self.written()?;
        let envelope = Envelope::read(&self.body);
        let id = envelope.as_ref().and_then(Envelope::new_id);
        // It was taken: only which one it is, is not known.
        id.ok_or_else(|| WriteError::Unknown("an answer without the booking's id".to_owned()))
    }

    /// The booking on this page that was made under this id of ours, and how many rows it has.
    pub(super) fn made(
        &self,
        company: &CompanyRef,
        api_id: &str,
    ) -> Result<(Option<Box<Record>>, usize), ApiError> {
        let envelope = self.good()?;
        let made = envelope
            .made(company, api_id)
            .filter(|_| !envelope.refuses());
        made.ok_or_else(|| self.no_answer(&envelope, "no `data` array"))
    }

    /// A company's own data.
    pub(super) fn company(&self) -> Result<CompanyInfo, ApiError> {
        let envelope = self.good()?;
        if envelope.refuses() {
            return Err(self.no_answer(&envelope, ""));
        }
        envelope
            .company()
            .ok_or_else(|| self.no_answer(&envelope, "no `data` object"))
    }

    /// Days on which something can be booked.
    pub(super) fn days(&self) -> Result<Vec<NaiveDate>, ApiError> {
        let envelope = self.good()?;
        let days = envelope.days().filter(|_| !envelope.refuses());
        days.ok_or_else(|| self.no_answer(&envelope, "no `booking_dates`"))
    }

    /// Starts on one of them.
    pub(super) fn times(&self, day: NaiveDate) -> Result<Vec<NaiveDateTime>, ApiError> {
        let envelope = self.good()?;
        let times = envelope.times(day).filter(|_| !envelope.refuses());
        times.ok_or_else(|| self.no_answer(&envelope, "no array of times"))
    }

    /// The services that can be booked.
    pub(super) fn offers(&self) -> Result<Vec<Offer>, ApiError> {
        let envelope = self.good()?;
        let offers = envelope.offers().filter(|_| !envelope.refuses());
        offers.ok_or_else(|| self.no_answer(&envelope, "no `services`"))
    }

    /// The masters who can be booked.
    pub(super) fn masters(&self) -> Result<Vec<Master>, ApiError> {
        let envelope = self.good()?;
        let masters = envelope.masters().filter(|_| !envelope.refuses());
        masters.ok_or_else(|| self.no_answer(&envelope, "no array of masters"))
    }

    /// The companies that a user may work in.
    pub(super) fn companies(&self) -> Result<Vec<(i64, CompanyInfo)>, ApiError> {
        let envelope = self.good()?;
        if envelope.refuses() {
            return Err(self.no_answer(&envelope, ""));
        }
        envelope
            .companies()
            .ok_or_else(|| self.no_answer(&envelope, "no `data` array"))
    }

    /// A page of a listing, and what YClients itself sends about its rows.
    pub(super) fn surveyed(
        &self,
        company: &CompanyRef,
        query: &Query,
    ) -> Result<(Page, Notices), ApiError> {
        let page = self.page(company, query)?;
        let envelope = Envelope::read(&self.body);
        Ok((page, envelope.map(|e| e.notices()).unwrap_or_default()))
    }

    /// The user's token out of the answer of `/auth`.
    pub(super) fn token(&self) -> Result<String, ApiError> {
        let denied = |message: String| ApiError::Denied {
            status: 401,
            message,
        };
        let envelope = match self.good() {
            Ok(envelope) => envelope,
            // Whatever 4xx says no to a login, only a person can change it.
            Err(ApiError::Unreadable(why)) if (400..500).contains(&self.status) => {
                return Err(denied(format!("login refused: {why}")));
            }
            Err(other) => return Err(other),
        };
        match envelope.signed_in() {
            SignIn::Token(token) => Ok(token),
            SignIn::SecondFactor => Err(denied(
                "this account signs in with a second factor: give `user_token` in place of login and password"
                    .into(),
            )),
            SignIn::Neither if envelope.refuses() => {
                Err(denied(format!("login refused: {}", shown(&envelope))))
            }
            SignIn::Neither => Err(ApiError::Unreadable("no `user_token` in the answer".into())),
        }
    }

    /// The envelope of an answer that its status calls good; every other one as the error it is.
    fn good(&self) -> Result<Envelope<'_>, ApiError> {
        let envelope = Envelope::read(&self.body);
        let message = envelope.as_ref().map(Envelope::message).unwrap_or_default();
        let refuses = envelope.as_ref().is_some_and(Envelope::refuses);
        let failed = !(200..300).contains(&self.status);
        if self.status == 429 || ((failed || refuses) && speaks_of_limit(&message)) {
            return Err(ApiError::Throttled {
                pause: self.pause(&message),
            });
        }
        let said = if envelope.is_some() {
            clean(&message)
        } else {
            format!("not JSON ({})", self.looks())
        };
        let with_status = || match said.as_str() {
            "" => format!("HTTP {}", self.status),
            said => format!("HTTP {}: {said}", self.status),
        };
        match self.status {
            200..300 => envelope.ok_or_else(|| ApiError::Unreadable(self.looks().to_owned())),
            401..=404 => Err(ApiError::Denied {
                status: self.status,
                message: said,
            }),
            408 | 500.. => Err(ApiError::Unavailable(with_status())),
            _ => Err(ApiError::Unreadable(with_status())),
        }
    }

    fn no_answer(&self, envelope: &Envelope<'_>, otherwise: &str) -> ApiError {
        ApiError::Unreadable(if envelope.refuses() {
            format!("success: false, {}", shown(envelope))
        } else {
            otherwise.to_owned()
        })
    }

    fn pause(&self, message: &str) -> Duration {
        self.retry_after
            .filter(|pause| !pause.is_zero())
            .or_else(|| first_number(message).map(Duration::from_secs))
            .filter(|pause| !pause.is_zero())
            .unwrap_or(UNSTATED_PAUSE)
            .clamp(Duration::from_secs(1), LONGEST_PAUSE)
    }

    /// A body such as the API refuses with.
    fn is_refusal(&self) -> bool {
        let body = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&self.body);
        body.is_ok_and(|b| {
            ["success", "errors", "meta"]
                .iter()
                .any(|k| b.contains_key(*k))
        })
    }

    fn is_html(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }

    /// A body that is no envelope, in words without its content.
    fn looks(&self) -> &'static str {
        let body = self.body.trim_ascii();
        if body.is_empty() {
            "an empty body"
        } else if self.is_html() {
            "HTML in place of JSON"
        } else if serde_json::from_slice::<serde::de::IgnoredAny>(body)
            .is_err_and(|error| error.is_eof())
        {
            "JSON that breaks off"
        } else {
            "no JSON object"
        }
    }
}

fn shown(envelope: &Envelope<'_>) -> String {
    match clean(&envelope.message()).as_str() {
        "" => "without a message".to_owned(),
        said => said.to_owned(),
    }
}

/// «Не найдено» and nothing else: «Филиал не найден.» is an error.
fn is_not_found(message: &str) -> bool {
    let message = message.trim_end_matches(['.', '!']).to_lowercase();
    matches!(message.as_str(), "не найдено" | "not found")
}

/// «Превышен лимит запросов, попробуйте повторить запрос через N секунд.», or Altegio's English.
fn speaks_of_limit(message: &str) -> bool {
    let message = message.to_lowercase();
    let all = |words: &[&str]| words.iter().all(|word| message.contains(word));
    all(&["превышен", "лимит запросов"])
        || all(&["too many", "request"])
        || all(&["limit", "request", "exceeded"])
}

fn first_number(text: &str) -> Option<u64> {
    text.split(|c: char| !c.is_ascii_digit())
        .find(|digits| !digits.is_empty())?
        .parse()
        .ok()
}

/// The API's words for an error: short, on one line, without what may be a phone.
fn clean(message: &str) -> String {
    let line: Vec<char> = message
        .chars()
        .take(LONGEST_MESSAGE)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut out = String::new();
    let mut rest = line.as_slice();
    while let Some(c) = rest.first() {
        let joins = |c: &&char| c.is_ascii_digit() || " -().\u{a0}".contains(**c);
        let run = match c.is_ascii_digit() {
            true => rest.iter().take_while(joins).count(),
            false => 0,
        };
        let end = rest[..run].iter().rposition(char::is_ascii_digit);
        let (number, after) = rest.split_at(end.map_or(1, |end| end + 1));
        let digits = number.iter().filter(|c| c.is_ascii_digit()).count();
        // A record's id has ten digits and is wanted; a phone has eleven, or is written in groups, or
        // begins with a 9 as ids will not for long.
        if digits >= 11 || (digits == 10 && (number.len() > digits || number[0] == '9')) {
            out.push('…');
        } else {
            out.extend(number);
        }
        rest = after;
    }
    if message.chars().count() > LONGEST_MESSAGE {
        out.push('…');
    }
    out.trim().to_owned()
}
