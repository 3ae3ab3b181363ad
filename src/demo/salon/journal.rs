//! The salon's books: companies, and their records as JSON rows in the API's shape.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::draft::{BookingDraft, set_services, set_staff};
use super::form::Form;
use crate::domain::record::instant;
use crate::domain::zone::Zone;

/// The API's ids of late 2026; they pass 2^31 within months.
const FIRST_RECORD: i64 = 1_950_000_001;
const FIRST_VISIT: i64 = 548_000_001;
const FIRST_CLIENT: i64 = 245_500_001;

#[derive(Default)]
pub(super) struct Journal {
    companies: BTreeMap<i64, Company>,
    written: i64,
}

pub(super) struct Company {
    pub(super) info: Value,
    pub(super) zone: Zone,
    pub(super) hidden_staff: BTreeSet<i64>,
    pub(super) hidden_from: Option<NaiveDate>,
    pub(super) phones_hidden: bool,
    pub(super) forbidden: bool,
    /// The zone in which a naive `changed_after` is read, where it is not the company's own.
    pub(super) cursor_zone: Option<Zone>,
    /// What is written becomes visible so much later.
    pub(super) lag: TimeDelta,
    /// Times that can be booked, by master.
    pub(super) free: BTreeSet<(NaiveDateTime, i64)>,
    /// What its booking form offers.
    pub(super) form: Form,
    rows: BTreeMap<i64, Value>,
    late: BTreeMap<i64, Late>,
    clients: BTreeMap<String, i64>,
}

/// A row that readers see as it was (or not at all) until then.
struct Late {
    until: DateTime<Utc>,
    before: Option<Value>,
}

/// What a listing asks for.
#[derive(Default)]
pub(super) struct Filter {
    pub(super) start: Option<NaiveDate>,
    pub(super) end: Option<NaiveDate>,
    pub(super) changed_after: Option<NaiveDateTime>,
    pub(super) with_deleted: bool,
}

impl Journal {
    pub(super) fn add_company(&mut self, id: i64, title: &str, address: &str, zone: Zone) {
        let mut info = template(include_str!("company.json"));
        info["id"] = id.into();
        info["title"] = title.into();
        info["public_title"] = title.into();
        info["address"] = address.into();
        info["timezone_name"] = zone.name().into();
        let company = Company {
            info,
            zone,
            hidden_staff: BTreeSet::new(),
            hidden_from: None,
            phones_hidden: false,
            forbidden: false,
            cursor_zone: None,
            lag: TimeDelta::zero(),
            free: BTreeSet::new(),
            form: Form::default(),
            late: BTreeMap::new(),
            rows: BTreeMap::new(),
            clients: BTreeMap::new(),
        };
        self.companies.insert(id, company);
    }

    pub(super) fn find(&self, id: i64) -> Option<&Company> {
        self.companies.get(&id)
    }

    /// What `GET /companies?my=1` lists.
    pub(super) fn open_to_the_user(&self) -> Vec<Value> {
        let open = self.companies.values().filter(|c| !c.forbidden);
        open.map(|c| c.info.clone()).collect()
    }

    pub(super) fn company(&mut self, id: i64) -> &mut Company {
        match self.companies.get_mut(&id) {
            Some(company) => company,
            None => panic!("the simulated salon has no company {id}"),
        }
    }

    pub(super) fn row(&self, company: i64, record: i64) -> Option<&Value> {
        self.companies.get(&company)?.rows.get(&record)
    }

    /// The company that has this record.
    pub(super) fn company_of(&self, record: i64) -> Option<i64> {
        let mut all = self.companies.iter();
        all.find_map(|(id, company)| company.rows.contains_key(&record).then_some(*id))
    }

    pub(super) fn book(&mut self, draft: BookingDraft, now: DateTime<Utc>) -> i64 {
        let id = FIRST_RECORD + self.written;
        let visit = FIRST_VISIT + self.written;
        self.written += 1;
        let company = self.company(draft.company);
        let mut row = template(include_str!("record.json"));
        row["id"] = id.into();
        row["company_id"] = draft.company.into();
        row["visit_id"] = match (&draft.client, draft.visit_id) {
            (_, Some(visit)) => visit.into(),
            (Some(_), None) => visit.into(),
            (None, None) => 0.into(),
        };
        row["client"] = match &draft.client {
            Some((name, phone)) => company.client(name, phone),
            None => Value::Null,
        };
        set_staff(&mut row, draft.staff.0, &draft.staff.1);
        set_services(&mut row, &draft.services);
        set_start(&mut row, draft.start, company.zone);
        row["seance_length"] = draft.length.into();
        row["length"] = draft.length.into();
        row["comment"] = draft.comment.into();
        row["online"] = draft.online.into();
        row["activity_id"] = draft.activity_id.into();
        row["created_user_id"] = draft.created_user_id.into();
        row["is_mobile"] = i64::from(draft.online).into();
        row["record_from"] = if draft.online { "Виджет" } else { "" }.into();
        row["short_link"] = format!("https://salon.example/c/AbC1d/{id}/").into();
        row["documents"] = json!([]);
        row["create_date"] = company.stamp(now);
        row["last_change_date"] = company.stamp(now);
        company.note_lag(id, now);
        company.rows.insert(id, row);
        id
    }

    pub(super) fn edit(
        &mut self,
        company: i64,
        record: i64,
        now: DateTime<Utc>,
        change: impl FnOnce(&mut Value),
    ) {
        let company = self.company(company);
        let stamp = company.stamp(now);
        company.note_lag(record, now);
        let row = company.record(record);
        row["last_change_date"] = stamp;
        change(row);
    }

    pub(super) fn reschedule(
        &mut self,
        company: i64,
        record: i64,
        start: NaiveDateTime,
        now: DateTime<Utc>,
    ) {
        let zone = self.company(company).zone;
        self.edit(company, record, now, |row| set_start(row, start, zone));
    }

    pub(super) fn erase(&mut self, company: i64, record: i64) {
        let company = self.company(company);
        company.record(record);
        company.rows.remove(&record);
    }

    pub(super) fn backdate(&mut self, company: i64, record: i64, made_at: DateTime<Utc>) {
        let company = self.company(company);
        let stamp = company.stamp(made_at);
        let row = company.record(record);
        row["create_date"] = stamp.clone();
        row["last_change_date"] = stamp;
    }
}

impl Company {
    fn record(&mut self, id: i64) -> &mut Value {
        match self.rows.get_mut(&id) {
            Some(row) => row,
            None => panic!("the simulated salon has no record {id}"),
        }
    }

    /// The master has another booking in that time.
    pub(super) fn is_busy(
        &self,
        staff: i64,
        start: NaiveDateTime,
        length: i64,
        but: Option<i64>,
    ) -> bool {
        let ends = |from: NaiveDateTime, length: i64| from + TimeDelta::seconds(length);
        self.rows.iter().any(|(id, row)| {
            let begins = NaiveDateTime::parse_from_str(text(row, "date"), "%Y-%m-%d %H:%M:%S");
            let lasts = row["seance_length"].as_i64().unwrap_or(0);
            Some(*id) != but
                && row["deleted"] != json!(true)
                && row["staff_id"] == json!(staff)
                && begins
                    .is_ok_and(|other| other < ends(start, length) && start < ends(other, lasts))
        })
    }

    /// What can be booked with this master, or with any for 0; a time that two have comes once.
    pub(super) fn free_times(&self, staff: i64) -> impl Iterator<Item = NaiveDateTime> {
        let theirs = self
            .free
            .iter()
            .filter(move |(_, id)| staff == 0 || *id == staff);
        let times: BTreeSet<NaiveDateTime> = theirs.map(|(at, _)| *at).collect();
        times.into_iter()
    }

    /// The same phone is the same client.
    fn client(&mut self, name: &str, phone: &str) -> Value {
        let next = FIRST_CLIENT + i64::try_from(self.clients.len()).unwrap_or(0);
        let id = *self.clients.entry(phone.to_owned()).or_insert(next);
        json!({
            "id": id, "name": name, "surname": "", "patronymic": "", "display_name": name,
            "phone": phone, "card": "", "email": "", "success_visits_count": 0,
            "fail_visits_count": 0, "discount": 0, "is_new": true, "custom_fields": [],
            "client_tags": [],
        })
    }

    /// Server time as the API writes it: the company's offset, without a colon.
    fn stamp(&self, at: DateTime<Utc>) -> Value {
        let local = at.with_timezone(&self.zone);
        local.format("%Y-%m-%dT%H:%M:%S%z").to_string().into()
    }

    /// About to be written: for as long as the lag lasts readers see what there is now.
    fn note_lag(&mut self, record: i64, now: DateTime<Utc>) {
        if self.lag.is_zero() {
            return;
        }
        let before = match self.late.remove(&record) {
            Some(late) if late.until > now => late.before,
            _ => self.rows.get(&record).cloned(),
        };
        let until = now + self.lag;
        self.late.insert(record, Late { until, before });
    }

    /// The row as readers see it at that moment.
    fn visible(&self, record: i64, now: DateTime<Utc>) -> Option<&Value> {
        match self.late.get(&record) {
            Some(late) if late.until > now => late.before.as_ref(),
            _ => self.rows.get(&record),
        }
    }

    /// What the user may see of one record; `Err` when it is another master's.
    pub(super) fn look(&self, record: i64, now: DateTime<Utc>) -> Option<Result<Value, ()>> {
        let row = self
            .visible(record, now)
            .filter(|row| !self.is_beyond(row))?;
        Some(if self.is_hidden(row) {
            Err(())
        } else {
            Ok(self.seen(row))
        })
    }

    /// The rows that match, the furthest future first, as the API orders them.
    pub(super) fn list(&self, filter: &Filter, now: DateTime<Utc>) -> Vec<Value> {
        let mut found: Vec<_> = self
            .rows
            .keys()
            .filter_map(|record| self.visible(*record, now))
            .filter(|row| !self.is_hidden(row) && !self.is_beyond(row))
            .filter(|row| self.matches(row, filter))
            .map(|row| (text(row, "date").to_owned(), self.seen(row)))
            .collect();
        found.sort_by(|a, b| b.0.cmp(&a.0));
        found.into_iter().map(|(_, row)| row).collect()
    }

    /// A standing booking beyond the last day that the user may see.
    fn is_beyond(&self, row: &Value) -> bool {
        let day = text(row, "date").get(..10);
        let day = day.and_then(|day| day.parse::<NaiveDate>().ok());
        let hidden = self
            .hidden_from
            .zip(day)
            .is_some_and(|(from, day)| day >= from);
        hidden && row["deleted"] != json!(true)
    }

    fn is_hidden(&self, row: &Value) -> bool {
        let staff = row["staff_id"].as_i64().unwrap_or(0);
        self.hidden_staff.contains(&staff)
    }

    fn seen(&self, row: &Value) -> Value {
        let mut row = row.clone();
        if self.phones_hidden && row["client"].is_object() {
            row["client"]["phone"] = "".into();
        }
        row
    }

    fn matches(&self, row: &Value, filter: &Filter) -> bool {
        let day = text(row, "date")
            .get(..10)
            .and_then(|day| day.parse::<NaiveDate>().ok());
        let changed_at =
            DateTime::parse_from_str(text(row, "last_change_date"), "%Y-%m-%dT%H:%M:%S%z");
        let zone = self.cursor_zone.unwrap_or(self.zone);
        let after = |since: NaiveDateTime| changed_at.is_ok_and(|at| at >= instant(since, zone));
        (filter.with_deleted || row["deleted"] != json!(true))
            && filter
                .start
                .is_none_or(|start| day.is_some_and(|day| day >= start))
            && filter
                .end
                .is_none_or(|end| day.is_some_and(|day| day <= end))
            && filter.changed_after.is_none_or(after)
    }
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

pub(super) fn set_start(row: &mut Value, start: NaiveDateTime, zone: Zone) {
    row["date"] = start.format("%Y-%m-%d %H:%M:%S").to_string().into();
    row["datetime"] = instant(start, zone)
        .with_timezone(&zone)
        .format("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
        .into();
}

fn template(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => panic!("a template built into the program is not JSON: {error}"),
    }
}
