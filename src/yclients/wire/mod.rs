//! The API's JSON into the domain's terms.
//!
//! Only what the domain needs is typed; everything else is skipped unread, so that a key whose type
//! changes tomorrow harms nothing. A row is read by itself: one bad row is one
//! [`Row::Unreadable`], never a lost page. What makes a row unreadable is only what would
//! otherwise become a lie: no id, no start, or services and client of an unknown shape (which,
//! read as "none", would look like a change).

mod catalogue;
mod company;
mod free;
mod lenient;
mod record;
mod survey;
mod whole;

use chrono::{NaiveDate, NaiveDateTime};
use serde::Deserialize;
use serde_json::value::RawValue;

use self::lenient::{List, Obj, Scalar};
use self::record::row;
pub use self::survey::Notices;
pub(super) use self::whole::Whole;
use crate::domain::catalogue::{Master, Offer};
use crate::domain::record::Record;
use crate::ports::{CompanyInfo, CompanyRef, Row};

/// The outermost object of every answer, error shapes A and B included.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Envelope<'a> {
    success: Scalar,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    meta: Obj<Meta>,
    errors: Obj<Words>,
    /// `/auth` as documented has its token at the top.
    user_token: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Meta {
    message: Scalar,
    total_count: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Words {
    message: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SignedIn {
    user_token: Scalar,
    uuid: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OnlyIds {
    id: Scalar,
    api_id: Scalar,
}

/// What `/auth` answered.
pub(super) enum SignIn {
    Token(String),
    SecondFactor,
    Neither,
}

impl<'a> Envelope<'a> {
    /// `None` for anything but a JSON object. (serde would also take an array, by position.)
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let object = body.trim_ascii_start().starts_with(b"{");
        object.then(|| serde_json::from_slice(body).ok())?
    }

    /// `success` says no. Its absence (error shape B has none) says nothing.
    pub(super) fn refuses(&self) -> bool {
        self.success.denied()
    }

    /// What the API says in words.
    pub(super) fn message(&self) -> String {
        let meta = match &self.meta {
            Obj::Some(meta) => meta.message.text(),
            Obj::None | Obj::Odd => String::new(),
        };
        match &self.errors {
            Obj::Some(errors) if meta.is_empty() => errors.message.text(),
            Obj::Some(_) | Obj::None | Obj::Odd => meta,
        }
    }

    pub(super) fn total_count(&self) -> Option<u64> {
        match &self.meta {
            Obj::Some(meta) => u64::try_from(meta.total_count.int()?).ok(),
            Obj::None | Obj::Odd => None,
        }
    }

    /// `data` is null or absent.
    pub(super) fn is_void(&self) -> bool {
        self.data.is_none_or(|data| data.get() == "null")
    }

    /// The rows of `data`, when it is an array.
    pub(super) fn rows(&self, company: &CompanyRef) -> Option<Vec<Row>> {
        let raw: Vec<&RawValue> = serde_json::from_str(self.data?.get()).ok()?;
        Some(raw.into_iter().map(|text| row(text, company)).collect())
    }

    /// The one record in `data`, when that is an object.
    pub(super) fn record(&self, company: &CompanyRef) -> Option<Row> {
        let data = self.data?;
        data.get().starts_with('{').then(|| row(data, company))
    }

    /// The record in `data` with everything that the API says of it.
    pub(super) fn whole(&self) -> Option<Whole> {
        Whole::read(self.data?)
    }

    pub(super) fn company(&self) -> Option<CompanyInfo> {
        match serde_json::from_str(self.data?.get()).ok()? {
            Obj::Some(company) => Some(company::info(company)),
            Obj::None | Obj::Odd => None,
        }
    }

    /// `booking_dates`, in order. What is no date is left out.
    pub(super) fn days(&self) -> Option<Vec<NaiveDate>> {
        free::days(self.data?.get())
    }

    /// The starts of one day, in order.
    pub(super) fn times(&self, day: NaiveDate) -> Option<Vec<NaiveDateTime>> {
        free::times(self.data?.get(), day)
    }

    /// The id in `data`: an object, or an array of one.
    pub(super) fn new_id(&self) -> Option<i64> {
        let data = self.data?.get();
        let one: Obj<OnlyIds> = match data.trim_start().starts_with('[') {
            true => {
                let all: Vec<Obj<OnlyIds>> = serde_json::from_str(data).ok()?;
                all.into_iter().next()?
            }
            false => serde_json::from_str(data).ok()?,
        };
        match one {
            Obj::Some(ids) => ids.id.int().filter(|id| *id > 0),
            Obj::None | Obj::Odd => None,
        }
    }

    /// The row that was made under this id of ours, and the number of rows.
    pub(super) fn made(
        &self,
        company: &CompanyRef,
        api_id: &str,
    ) -> Option<(Option<Box<Record>>, usize)> {
        let rows: Vec<&RawValue> = serde_json::from_str(self.data?.get()).ok()?;
        let ours = |text: &&&RawValue| match serde_json::from_str(text.get()) {
            Ok(Obj::Some(OnlyIds { api_id: of, .. })) => of.text() == api_id,
            _ => false,
        };
        let found = rows
            .iter()
            .find(ours)
            .and_then(|text| match row(text, company) {
                Row::Record(record) => Some(record),
                Row::Unreadable { .. } | Row::Null => None,
            });
        Some((found, rows.len()))
    }

    /// The services that can be booked.
    pub(super) fn offers(&self) -> Option<Vec<Offer>> {
        catalogue::offers(self.data?.get())
    }

    /// The masters who can be booked.
    pub(super) fn masters(&self) -> Option<Vec<Master>> {
        catalogue::masters(self.data?.get())
    }

    /// The companies of a list, those without an id left out; `None` when `data` is no list.
    pub(super) fn companies(&self) -> Option<Vec<(i64, CompanyInfo)>> {
        let list: List<Obj<company::WireCompany>> = serde_json::from_str(self.data?.get()).ok()?;
        let companies = list.objects()?.into_iter();
        let named = companies.filter_map(|c| Some((c.id.int()?, company::info(c))));
        Some(named.collect())
    }

    /// What YClients itself sends about the rows of `data`.
    pub(super) fn notices(&self) -> Notices {
        self.data.map(Notices::of).unwrap_or_default()
    }

    pub(super) fn signed_in(&self) -> SignIn {
        let inner: Obj<SignedIn> = self
            .data
            .and_then(|data| serde_json::from_str(data.get()).ok())
            .unwrap_or_default();
        let inner = match inner {
            Obj::Some(inner) => inner,
            Obj::None | Obj::Odd => SignedIn::default(),
        };
        let token = [self.user_token.text(), inner.user_token.text()]
            .into_iter()
            .find(|token| !token.is_empty());
        match token {
            Some(token) => SignIn::Token(token),
            None if inner.uuid != Scalar::None => SignIn::SecondFactor,
            None => SignIn::Neither,
        }
    }
}
