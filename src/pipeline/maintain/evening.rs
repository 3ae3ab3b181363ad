//! The owner's evening: a digest of the day, the list of a rehearsal, and once the letter of the first
//! day. Rows of `chores` say when each is due and what it covers, and they move in the transaction that
//! writes the messages: killed at any moment, each chat gets a day once.

use std::sync::Arc;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::{Chat, Watch};
use crate::domain::daily;
use crate::domain::message::owner::{
    Audience, CompanyDay, Days, FirstDay, Voice, company_day, day_head, first_day, rehearsal,
};
use crate::domain::policy::Kind;
use crate::domain::zone::Zone;
use crate::pipeline::{Company, Pipeline};
use crate::store::companies::{self, CompanyRow};
use crate::store::day::{self, Span};
use crate::store::outbox::{self, New};
use crate::store::{self, chores};

/// Where no hour is set a rehearsal is listed at this one.
const EVENING: NaiveTime = match NaiveTime::from_hms_opt(21, 0, 0) {
    Some(evening) => evening,
    None => NaiveTime::MIN,
};
/// A program that was off for longer tells of so many days.
const LONGEST: TimeDelta = TimeDelta::days(7);
/// The letter goes with the first digest, or so long after the baseline.
const FIRST_DAY: TimeDelta = TimeDelta::hours(24);
/// Of a baseline older than this nobody needs a first letter any more.
const NEW: TimeDelta = TimeDelta::days(7);
/// Longer texts are divided: a messenger that refuses one would lose the day.
const LONGEST_TEXT: usize = 3500;

/// A company whose evening has come.
struct Evening {
    company: Arc<Company>,
    row: CompanyRow,
    zone: Zone,
    span: Span,
}

impl Pipeline {
    /// Writes what the owners read in the evening, where it is due. Returns how many messages that
    /// makes.
    pub async fn evenings_due(&self, now: DateTime<Utc>) -> store::Result<u32> {
        let (desk, settings) = (self.desk(), self.alerts.clone());
        let written = self
            .store
            .write(move |tx| {
                let watch = Watch {
                    conn: tx,
                    desk: &desk,
                    settings: &settings,
                    now,
                };
                let due = watch.evenings()?;
                let mut written = watch.first_letters(&due)?;
                written += watch.digests(&due)?;
                for evening in &due {
                    watch.close(evening)?;
                }
                Ok(written)
            })
            .await?;
        if written > 0 {
            tracing::info!(messages = written, "owners told of their day");
            self.bell.notify_waiters();
        }
        Ok(written)
    }
}

fn digest_of(company: i64) -> String {
    format!("digest:{company}")
}

fn letter_of(company: i64) -> String {
    format!("first_day:{company}")
}

impl Watch<'_> {
    /// At which hour this company's owner is told of the day, if at all.
    fn hour(&self, company: &Company) -> Option<NaiveTime> {
        let rehearses = company.settings.rules.dry_run;
        self.settings.digest.or(rehearses.then_some(EVENING))
    }

    /// The companies whose evening has come. Those seen for the first time get one planned.
    fn evenings(&self) -> store::Result<Vec<Evening>> {
        let mut due = Vec::new();
        for company in self.desk.companies.values() {
            let id = company.settings.id;
            let Some(hour) = self.hour(company) else {
                continue;
            };
            if self.chats(company).is_empty() {
                continue;
            }
            let row = companies::ensure(self.conn, id)?;
            let Some(zone) = company.zone(&row) else {
                continue;
            };
            let chore = chores::get(self.conn, &digest_of(id))?;
            let Some(planned) = chore.due_at else {
                self.plan(id, self.now, daily::after(self.now, hour, zone))?;
                continue;
            };
            // Another hour may have been written since: of the same day, so that none has two.
            let planned = daily::on(planned.with_timezone(&zone).date_naive(), hour, zone);
            if planned > self.now + TimeDelta::days(2) {
                // A clock that was set back must not put it off for years.
                self.plan(id, self.now, daily::after(self.now, hour, zone))?;
            } else if planned <= self.now {
                let to = daily::until(self.now, hour, zone);
                let from = chore.done_at.unwrap_or(to - TimeDelta::days(1));
                let from = from.clamp(to - LONGEST, to);
                due.push(Evening {
                    company: Arc::clone(company),
                    row,
                    zone,
                    span: Span { from, to },
                });
            }
        }
        Ok(due)
    }

    /// It was told up to `to`, and is due again at `next`.
    fn plan(&self, company: i64, to: DateTime<Utc>, next: DateTime<Utc>) -> store::Result<()> {
        chores::put(self.conn, &digest_of(company), None, to, next)
    }

    fn close(&self, evening: &Evening) -> store::Result<()> {
        let hour = self.hour(&evening.company).unwrap_or(EVENING);
        let to = evening.span.to;
        let next = daily::after(to.max(self.now), hour, evening.zone);
        self.plan(evening.company.settings.id, to, next)
    }

    /// One message a chat, with all its companies whose evening this is.
    fn digests(&self, due: &[Evening]) -> store::Result<u32> {
        let mut chats: Vec<Chat> = Vec::new();
        for evening in due {
            for chat in self.chats(&evening.company) {
                if !chats.contains(&chat) {
                    chats.push(chat);
                }
            }
        }
        let mut written = 0;
        for chat in &chats {
            let theirs: Vec<&Evening> = due
                .iter()
                .filter(|evening| self.chats(&evening.company).contains(chat))
                .collect();
            written += self.digest(chat, &theirs)?;
        }
        Ok(written)
    }

    fn digest(&self, chat: &Chat, evenings: &[&Evening]) -> store::Result<u32> {
        let Some(first) = evenings.first() else {
            return Ok(0);
        };
        let mut parts = Vec::new();
        if self.settings.digest.is_some() {
            let (voice, _) = self.voice(&first.company, &first.row, chat)?;
            let local = |at: DateTime<Utc>| at.with_timezone(&first.zone).date_naive();
            // What began last evening belongs to the first evening after it.
            let hour = self.hour(&first.company).unwrap_or(EVENING);
            let evening = daily::after(first.span.from, hour, first.zone);
            let from = local(evening).min(local(first.span.to));
            parts.push(day_head(
                voice,
                Days {
                    from,
                    to: local(first.span.to),
                },
            ));
        }
        for evening in evenings {
            let (voice, _) = self.voice(&evening.company, &evening.row, chat)?;
            parts.extend(self.sections(evening, voice)?);
        }
        let mut written = 0;
        for text in divided(parts) {
            self.note(&first.company, chat, &text)?;
            written += 1;
        }
        Ok(written)
    }

    /// One company's part: the day where digests are on, the rehearsal where nothing is sent.
    fn sections(&self, evening: &Evening, voice: Voice) -> store::Result<Vec<String>> {
        let (id, salon) = (
            evening.company.settings.id,
            evening.company.title(&evening.row),
        );
        let mask = self.desk.mask_phones;
        let mut sections = Vec::new();
        if self.settings.digest.is_some() {
            let figures = day::figures(self.conn, id, evening.span)?;
            // Of whoever reads it, also when it comes late.
            let next = self.now.with_timezone(&evening.zone).date_naive() + TimeDelta::days(1);
            let mut visits = day::visits_on(self.conn, id, next)?;
            let ignore = &evening.company.settings.rules.ignore;
            visits.retain(|record| !ignore.covers(record));
            sections.push(company_day(
                voice,
                &CompanyDay {
                    salon: &salon,
                    booked: &figures.booked,
                    moved: figures.moved,
                    changed: figures.changed,
                    cancelled: figures.cancelled,
                    told: (figures.told, figures.delivered, figures.read),
                    undelivered: figures.undelivered,
                    uncertain: figures.uncertain,
                    silent: &figures.silent,
                    next: (next, &visits),
                    mask,
                },
            ));
        }
        if evening.company.settings.rules.dry_run {
            let kept = day::rehearsed(self.conn, id, evening.span)?.into_iter();
            let kept: Vec<_> = kept.map(|r| (r.kind, r.record)).collect();
            sections.push(rehearsal(voice, &salon, &kept, mask));
        }
        Ok(sections)
    }

    /// The letter of the first day, once a company.
    fn first_letters(&self, due: &[Evening]) -> store::Result<u32> {
        let mut written = 0;
        for company in self.desk.companies.values() {
            let id = company.settings.id;
            let row = companies::ensure(self.conn, id)?;
            let Some(baseline) = row.baseline_at else {
                continue;
            };
            if chores::get(self.conn, &letter_of(id))?.due_at.is_some() {
                continue;
            }
            let with_digest = due
                .iter()
                .any(|evening| evening.company.settings.id == id && evening.span.to > baseline);
            let is_old = self.now - baseline > NEW;
            if !with_digest && self.now - baseline < FIRST_DAY {
                continue;
            }
            if !is_old {
                written += self.letter(company, &row)?;
            }
            chores::put(self.conn, &letter_of(id), None, self.now, self.now)?;
        }
        Ok(written)
    }

    fn letter(&self, company: &Company, row: &CompanyRow) -> store::Result<u32> {
        let rules = &company.settings.rules;
        let mut ahead = day::known_ahead(self.conn, company.settings.id, self.now)?;
        // Columns that are no bookings are watched, and nobody is told of them.
        ahead.retain(|(record, _)| !rules.ignore.covers(record));
        let with_phone = ahead.iter().filter(|(_, has_phone)| *has_phone).count();
        let is_on = |kind: &Kind| rules.tells(*kind);
        let (on, off): (Vec<Kind>, Vec<Kind>) = Kind::ALL.into_iter().partition(is_on);
        let told: Vec<&str> = on.iter().map(|kind| kind.as_str()).collect();
        let switch = |kind: &Kind| match kind {
            Kind::Reminder => "[notify] reminders = [\"24h\"]".to_owned(),
            kind => format!("[notify] {} = true", kind.as_str()),
        };
        let mut to_switch_on: Vec<String> = off.iter().map(switch).collect();
        if self.settings.digest.is_none() {
            to_switch_on.push("[alerts] digest = \"21:00\"".to_owned());
        }
        let day = FirstDay {
            salon: &company.title(row),
            known: ahead.len(),
            with_phone,
            audience: match (rules.dry_run, rules.only_phones.len()) {
                (true, _) => Audience::Nobody,
                (false, 0) => Audience::Everyone,
                (false, phones) => Audience::TestPhones(phones),
            },
            told: &told,
            to_switch_on: &to_switch_on,
        };
        let mut written = 0;
        for chat in self.chats(company) {
            let (voice, _) = self.voice(company, row, &chat)?;
            self.note(company, &chat, &first_day(voice, &day))?;
            written += 1;
        }
        Ok(written)
    }

    /// Puts a text for an owner into the outbox.
    fn note(&self, company: &Company, (channel, to): &Chat, text: &str) -> store::Result<()> {
        let note = New {
            company: company.settings.id,
            recipient: to,
            channel,
            message: text,
            ..New::note("owner", self.now)
        };
        outbox::add(self.conn, &note, self.now).map(drop)
    }
}

/// As few texts as hold all the parts.
fn divided(parts: Vec<String>) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for part in parts {
        match texts.last_mut() {
            Some(text) if text.chars().count() + part.chars().count() < LONGEST_TEXT => {
                text.push_str("\n\n");
                text.push_str(&part);
            }
            _ => texts.push(part),
        }
    }
    texts
}
