//! A person in stored JSON: bookings as they were seen, events, what people know.

use serde_json::{Map, Value};

use super::Person;
use crate::store::{Result, StoreError};

impl Person<'_> {
    /// JSON of this company without the person; `None` when they are not in it. `theirs`: it is
    /// about a booking of theirs, so that their name counts, too.
    pub(super) fn without(&self, json: &str, company: i64, theirs: bool) -> Result<Option<String>> {
        if !theirs && !self.is_in(json) {
            return Ok(None);
        }
        let had: Value =
            serde_json::from_str(json).map_err(|_| StoreError::Corrupt("stored JSON"))?;
        let mut value = had.clone();
        self.clean(&mut value, company, theirs);
        Ok((value != had).then(|| value.to_string()))
    }

    /// A client of this company is this person: by the number, or by the id where none is shown.
    /// Under another number the same client is somebody else, as far as we can know.
    fn is_client(&self, company: i64, client: &Value) -> bool {
        match client["phone"].as_str() {
            Some(phone) if phone.starts_with('+') => self.is_in(phone),
            _ => {
                let id = client["id"].as_i64();
                id.is_some_and(|id| self.clients.contains(&(company, id)))
            }
        }
    }

    fn clean(&self, value: &mut Value, company: i64, theirs: bool) {
        match value {
            Value::String(words) => {
                if self.is_in(words) || (theirs && self.is_named_in(words)) {
                    words.clear();
                }
            }
            Value::Array(values) => {
                let values = values.iter_mut();
                values.for_each(|v| self.clean(v, company, theirs));
            }
            Value::Object(fields) => {
                self.clean_notes(fields, company);
                if fields
                    .get("client")
                    .is_some_and(|c| self.is_client(company, c))
                    && let Some(Value::Object(client)) = fields.get_mut("client")
                {
                    empty(client);
                }
                let phone = fields.get("phone").and_then(Value::as_str);
                if phone.is_some_and(|phone| self.is_in(phone)) {
                    empty(fields);
                }
                let values = fields.values_mut();
                values.for_each(|v| self.clean(v, company, theirs));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// What was noted of them at their booking is about them, too; and so is what stood there before.
    fn clean_notes(&self, fields: &mut Map<String, Value>, company: i64) {
        let is_them = |client: Option<&Value>| client.is_some_and(|c| self.is_client(company, c));
        if is_them(fields.get("client")) && fields.contains_key("comment") {
            fields.insert("comment".into(), "".into());
        }
        let has = fields.get("data").and_then(|data| data.get("client"));
        let has = is_them(has);
        let Some(changes) = fields.get_mut("changes").and_then(Value::as_object_mut) else {
            return;
        };
        for side in ["old", "new"] {
            let passed = changes.get("client").and_then(|client| client.get(side));
            let theirs = passed.map_or(has, |client| is_them(Some(client)));
            if let Some(Value::Object(client)) = changes
                .get_mut("client")
                .and_then(|client| client.get_mut(side))
                .filter(|_| theirs)
            {
                empty(client);
            }
            let note = changes
                .get_mut("comment")
                .and_then(|note| note.get_mut(side));
            if let Some(note) = note.filter(|_| theirs) {
                *note = "".into();
            }
        }
    }
}

/// Nothing of a client stays but the id, and that they are forgotten.
fn empty(client: &mut Map<String, Value>) {
    let words = client.values_mut().filter(|v| v.is_string());
    words.for_each(|v| *v = "".into());
    client.insert("phone".into(), Value::Null);
    client.insert("forgotten".into(), true.into());
}
