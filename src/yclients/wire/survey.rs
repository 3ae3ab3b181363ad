//! What YClients itself sends to clients, as far as its rows say so. Nothing of it belongs to a
//! booking as we watch it: it is counted once, for a person who sets the program up.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{List, Obj, Scalar};

/// How many rows YClients sends something about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// An SMS when the booking is made.
    pub sms_now: usize,
    /// An SMS some hours before the visit.
    pub sms_before: usize,
    /// A letter when the booking is made.
    pub email_now: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wire {
    sms_now: Scalar,
    sms_before: Scalar,
    email_now: Scalar,
    client: Obj<Person>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Person {
    id: Scalar,
}

impl Notices {
    /// Counts over a list of rows. What is no list sends nothing.
    pub(super) fn of(data: &RawValue) -> Self {
        let rows: List<Obj<Wire>> = serde_json::from_str(data.get()).unwrap_or_default();
        let mut counted = Self::default();
        for row in rows.objects().unwrap_or_default() {
            // A break has the same switches and nobody to send to.
            if !matches!(&row.client, Obj::Some(client) if client.id.int().is_some()) {
                continue;
            }
            let on =
                |scalar: &Scalar| usize::from(scalar.int().is_some_and(|n| n > 0) || scalar.flag());
            counted.sms_now += on(&row.sms_now);
            counted.sms_before += on(&row.sms_before);
            counted.email_now += on(&row.email_now);
        }
        counted
    }

    pub(in crate::yclients) fn add(&mut self, more: Self) {
        self.sms_now += more.sms_now;
        self.sms_before += more.sms_before;
        self.email_now += more.email_now;
    }
}
