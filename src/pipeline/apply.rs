//! What a reading does to the cache: the verdict on each row becomes a stored booking, an event and
//! a running delay, all in the transaction that also moves the cursor.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Transaction;

use super::{Company, recreated, reminders, slots};
use crate::domain::change::{Change, ChangeKind};
use crate::domain::defences::Defences;
use crate::domain::diff::{Baseline, Verdict, judge, restarts_delay};
use crate::domain::event::{Event, Gone};
use crate::domain::known::{Knowledge, Known};
use crate::domain::message::owner::Altered;
use crate::domain::phone::Phone;
use crate::domain::record::{Attendance, Record};
use crate::domain::zone::Zone;
use crate::store::cache::{self, Cached, Sighting};
use crate::store::forgotten::Forgotten;
use crate::store::{Result, events, known, settling, writes};

/// A change this short before a poll may have become visible just after it.
const SAME_MOMENT: TimeDelta = TimeDelta::seconds(5);

/// Two clocks this close to each other agree.
const CLOCKS_AGREE: TimeDelta = TimeDelta::minutes(1);

/// How often a booking that stays as it is is noted as seen.
const NOTED_EVERY: TimeDelta = TimeDelta::hours(1);

/// What a reading brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events of new bookings.
    pub created: u32,
    /// Events of changes.
    pub updated: u32,
    /// Events of deletions.
    pub deleted: u32,
    /// Bookings stored without an event.
    pub silent: u32,
    /// Changes that a sweep brought although a poll before it should have.
    pub missed: u32,
    /// Bookings whose client got another number.
    pub renumbered: u32,
}

impl Counts {
    /// Events of any kind.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.created + self.updated + self.deleted
    }
}

/// The same client under another number: all their bookings have it now.
fn has_other_number(before: &Record, after: &Record) -> bool {
    let client = |r: &Record| r.client.as_ref().map_or(0, |c| c.id);
    let numbers = before.phone().zip(after.phone());
    client(before) != 0
        && client(before) == client(after)
        && numbers.is_some_and(|(had, has)| had != has)
}

/// The journal says "did not come" as before, and only what the salon means by it was set anew: no
/// booking came back by that, nor went. A row that was changed since says something else.
fn is_meant_otherwise(cached: &Cached, listed: &Record, seen: &Record) -> bool {
    let missed = |r: &Record| r.attendance == Attendance::NoShow;
    listed.is_alive()
        && missed(listed)
        && missed(&cached.record)
        && cached.record.is_same_booking(listed)
        && cached.record.changed_at == listed.changed_at
        && cached.record.deleted != seen.deleted
}

/// Whether the phones of clients are shown to us, as one reading has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Phones {
    /// Rows that show a number.
    shown: u32,
    /// Rows without the number that we know of the same client.
    lacking: u32,
    /// A client without a number took the place of one with a number, or a number is shown where
    /// none were: the whole journal has to say whether phones are hidden.
    pub(super) unsure: bool,
}

impl Phones {
    /// At least one number came.
    pub(super) fn any_shown(self) -> bool {
        self.shown > 0
    }

    /// Numbers that we know do not come, and no other comes either. A client whose number was
    /// erased is one of many.
    pub(super) fn hidden(self) -> bool {
        self.lacking > 0 && self.shown == 0
    }

    /// Numbers are shown, and all that we know: who comes without one has none.
    fn all_shown(self) -> bool {
        self.shown > 0 && self.lacking == 0
    }

    fn note(&mut self, cached: Option<&Record>, seen: &Record, were_hidden: bool) {
        if !seen.is_alive() {
            return;
        }
        if seen.phone().is_some() {
            self.shown += 1;
            self.unsure |= were_hidden;
            return;
        }
        let Some(known) = cached.filter(|c| c.phone().is_some() && c.is_same_booking(seen)) else {
            return;
        };
        // Who has neither a card nor a number may be anybody, the client that we know included.
        let is_nobody = seen.client_id().is_none();
        let is_same = is_nobody || known.client_id() == seen.client_id();
        self.lacking += u32::from(is_same);
        self.unsure |=
            !is_same || (seen.client.is_some() && is_nobody && known.client_id().is_some());
    }
}

/// A first listing of clients without a single number: it is taken for one of hidden phones.
pub(super) fn hides_phones<'a>(mut records: impl Iterator<Item = &'a Record> + Clone) -> bool {
    let mut all = records.clone();
    records.any(Record::has_unseen_number) && !all.any(|r| r.phone().is_some())
}

/// One company's reading being stored.
pub(super) struct Applying<'a> {
    pub(super) tx: &'a Transaction<'a>,
    pub(super) company: &'a Company,
    pub(super) defences: Defences,
    pub(super) zone: Zone,
    /// `None` while the baseline itself is being stored: everything is silent then.
    pub(super) baseline_at: Option<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
    /// Visits from before then that are not in the cache may have been erased by retention.
    pub(super) erased_before: Option<DateTime<Utc>>,
    /// Phones were hidden at the reading before, or at the first one.
    pub(super) phones_hidden: bool,
    /// In a sweep: server time of the poll just before it.
    pub(super) polled_at: Option<DateTime<Utc>>,
    /// The API's own time of this reading, where it said one.
    pub(super) server_at: Option<DateTime<Utc>>,
    pub(super) counts: Counts,
    pub(super) phones: Phones,
    /// While the baseline of a copy is being stored: how far the copy had read.
    pub(super) copied_at: Option<DateTime<Utc>>,
    /// What is not as the copy has it.
    pub(super) altered: Vec<Altered>,
    pub(super) forgotten: Forgotten,
}

impl<'a> Applying<'a> {
    /// A reading of this moment of which nothing is stored yet. What belongs to one kind of reading
    /// alone is the caller's to say.
    pub(super) fn new(
        tx: &'a Transaction<'a>,
        company: &'a Company,
        defences: Defences,
        zone: Zone,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        Ok(Self {
            tx,
            company,
            defences,
            zone,
            baseline_at: None,
            now,
            erased_before: None,
            phones_hidden: false,
            polled_at: None,
            server_at: None,
            counts: Counts::default(),
            phones: Phones::default(),
            copied_at: None,
            altered: Vec::new(),
            forgotten: Forgotten::read(tx)?,
        })
    }

    /// Stores what one listed row means.
    pub(super) fn row(&mut self, listed: &Record) -> Result<()> {
        let cached = cache::get(self.tx, listed.company_id, listed.id)?;
        let had = cached.as_ref().map(|c| &c.record);
        self.phones.note(had, listed, self.phones_hidden);
        let seen = self.forgotten.without_them(listed, had);
        let rules = &self.company.settings.rules;
        let (is_called_off, seen) = (rules.is_called_off(&seen), rules.as_meant(&seen));
        let seen = seen.as_ref();
        let Some(baseline_at) = self.baseline_at else {
            if seen.is_blocked_slot() {
                return slots::note(self.tx, seen);
            }
            // Deleted rows come only where a copy of the database looks back to its cursor.
            let row = match &cached {
                Some(cached) if !seen.is_alive() => Record {
                    deleted: true,
                    attendance: seen.attendance,
                    changed_at: seen.changed_at,
                    ..cached.record.clone()
                },
                None if !seen.is_alive() && !is_called_off => return Ok(()),
                _ => seen.clone(),
            };
            let events = self.since_copy(&row, cached.as_ref())?;
            // What a copy has somebody know, under a number that is hidden by now perhaps, is older
            // than what is assumed here.
            known::forget_record(self.tx, row.company_id, row.id)?;
            return self.silent(&row, &Knowledge::of(&row), cached.as_ref(), events);
        };
        if let Some(cached) = cached
            .as_ref()
            .filter(|c| is_meant_otherwise(c, listed, seen))
        {
            let record = Record {
                deleted: seen.deleted,
                ..cached.record.clone()
            };
            return self.silent(&record, &Knowledge::of(&record), Some(cached), 0);
        }
        // As a booking it is as young as its client.
        let is_new = cached.is_none() && slots::was_slot(self.tx, seen)?;
        let start = seen.start_at(self.zone);
        let erased = self
            .erased_before
            .filter(|before| cached.is_none() && start < *before);
        let baseline = Baseline {
            at: match (seen.created_at, erased) {
                // Made before that, too, it is no news.
                (_, Some(erased)) => baseline_at.max(erased),
                (Some(created), None) if is_new => created.min(baseline_at),
                _ => baseline_at,
            },
            zone: self.zone,
        };
        let mut had = cached.as_ref().map(|c| c.record.clone());
        if let Some(had) = &mut had {
            self.remember_again(had, seen)?;
        }
        // Nothing is older than what has no date.
        let undated = |h: &Record| !self.defences.stale_read || self.is_ahead(h);
        if let Some(had) = had.as_mut().filter(|h| undated(h)) {
            had.changed_at = None;
        }
        match judge(had.as_ref(), seen, baseline, self.now) {
            Verdict::Stale => Ok(()),
            Verdict::NoBooking => slots::note(self.tx, seen),
            Verdict::Same(record) => match &cached {
                Some(cached) if self.is_fresh(cached, &record) => Ok(()),
                cached => self.put(&record, cached.as_ref(), 0),
            },
            Verdict::Silent { record, known } => self.silent(&record, &known, cached.as_ref(), 0),
            Verdict::Changed {
                before,
                after,
                assumed,
            } => self.changed(
                before.as_deref(),
                &after,
                assumed,
                cached.as_ref(),
                match is_called_off {
                    true => Gone::Attendance,
                    false => Gone::Deleted,
                },
            ),
        }
    }

    /// Dated ahead by a clock that was set right since: every change until then would be taken for a
    /// stale read, and be told to nobody. An old answer out of some cache bears an old `Date`.
    fn is_ahead(&self, had: &Record) -> bool {
        let right = self
            .server_at
            .filter(|at| (*at - self.now).abs() < CLOCKS_AGREE);
        let dated = right.zip(had.changed_at);
        dated.is_some_and(|(now, dated)| dated - now > CLOCKS_AGREE)
    }

    /// Somebody who was forgotten wrote to us since: as what they have seen themselves, they know
    /// their booking as it stood.
    fn remember_again(&self, had: &mut Record, seen: &Record) -> Result<()> {
        if !had.is_forgotten() || seen.is_forgotten() || seen.phone().is_none() {
            return Ok(());
        }
        had.client = seen.client.clone();
        self.assume(had, &Knowledge::of(had))
    }

    /// Stores, once all rows were, what numbers that are shown say of those who have none: whoever has
    /// one typed in later is not the person that was taken to know the booking while phones were hidden.
    pub(super) fn finish(&self, listed: &[Record]) -> Result<()> {
        if !self.phones.all_shown() {
            return Ok(());
        }
        for record in listed.iter().filter(|r| r.has_unseen_number()) {
            let create_date = cache::create_date(record);
            let key = known::Key::of(record, &create_date, "");
            if !slots::is_slot(&known::get(self.tx, key)?.known) {
                known::forget(self.tx, key)?;
            }
        }
        Ok(())
    }

    /// Stores that a booking was proven gone although no listing says so.
    pub(super) fn gone(&mut self, record_id: i64, how: Gone) -> Result<()> {
        let Some(cached) = cache::get(self.tx, self.company.settings.id, record_id)? else {
            return Ok(());
        };
        let after = Record {
            deleted: true,
            ..cached.record.clone()
        };
        if cached.record.deleted {
            return self.put(&after, Some(&cached), 0);
        }
        self.changed(Some(&cached.record), &after, None, Some(&cached), how)
    }

    fn silent(
        &mut self,
        record: &Record,
        known: &Knowledge,
        cached: Option<&Cached>,
        events: i64,
    ) -> Result<()> {
        self.counts.silent += 1;
        self.put(record, cached, events)?;
        cache::set_settled(self.tx, record.company_id, &[record.id])?;
        self.assume(record, known)
    }

    /// What changed since a copy of the database was made is an event, told or not, and settled.
    /// Returns how many events that is.
    fn since_copy(&mut self, record: &Record, cached: Option<&Cached>) -> Result<i64> {
        let Some(copied_at) = self.copied_at else {
            return Ok(0);
        };
        let before = cached.map(|c| &c.record);
        // What the copy could not know yet for its age, and not what came into the horizon since.
        if before.is_none() && record.created_at.is_none_or(|at| at < copied_at) {
            return Ok(0);
        }
        let Some(change) = Change::between(before, Some(record)) else {
            return Ok(0);
        };
        let revision = cached.map_or(0, |c| c.revision) + 1;
        let gone = Gone::Deleted;
        let event = Event::of(&change, record, false, gone, revision, self.zone, self.now);
        events::add(
            self.tx,
            &events::NewEvent {
                event_id: event.id,
                event_type: event.kind.event_type(),
                record,
                payload: event.payload,
                before,
                settled: true,
            },
            self.now,
        )?;
        if restarts_delay(before, record) {
            self.altered.push(Altered {
                before: before.cloned(),
                after: Some(record.clone()),
            });
        }
        Ok(1)
    }

    /// What a booking's person knows; while phones are hidden, also of one whose number is not shown,
    /// for when it comes to light.
    fn assume(&self, record: &Record, state: &Knowledge) -> Result<()> {
        let nobodys = record.phone().is_none() && !self.phones_hidden;
        let ignored = self.company.settings.rules.ignore.covers(record);
        if nobodys || ignored || *state == Knowledge::Nothing {
            return Ok(());
        }
        let create_date = cache::create_date(record);
        let phone = record.phone().map_or("", Phone::e164);
        let key = known::Key::of(record, &create_date, phone);
        known::set(self.tx, key, &Known::certain(state.clone()), None)
    }

    /// Its number is shown for the first time: whoever it is knows what they knew while phones were
    /// hidden, unless they were told under a number that another record of the visit has. Whether
    /// there is such knowledge. Another client than the one with the hidden number has none.
    fn came_to_light(&self, before: &Record, after: &Record) -> Result<bool> {
        if before.phone().is_some() {
            return Ok(false);
        }
        let create_date = cache::create_date(after);
        let unseen = known::Key::of(after, &create_date, "");
        let shown = known::Key::of(after, &create_date, after.phone().map_or("", Phone::e164));
        let same = before.client_id() == after.client_id();
        if same && after.phone().is_none() {
            return Ok(false);
        }
        let known = known::get(self.tx, unseen)?.known;
        if slots::is_slot(&known) {
            return Ok(false);
        }
        known::forget(self.tx, unseen)?;
        let found = same && known != Known::default();
        if found && known::get(self.tx, shown)?.known == Known::default() {
            known::set(self.tx, shown, &known, None)?;
        }
        Ok(found)
    }

    /// Nothing at all differs and it was noted lately: not worth a write at every poll.
    fn is_fresh(&self, cached: &Cached, record: &Record) -> bool {
        !cached.missing && cached.record == *record && self.now - cached.last_seen_at < NOTED_EVERY
    }

    fn put(&self, record: &Record, cached: Option<&Cached>, events: i64) -> Result<()> {
        let same = cached.filter(|c| c.record.is_same_booking(record));
        let settled = same.is_some_and(|c| c.settled);
        // A bot writes its mark a moment after the booking; an administrator may type the same word
        // a month later. So a mark counts until it was decided whether to tell of the booking.
        let marked = self.company.settings.rules.is_bot_booking(record);
        let by_bot = same.is_some_and(|c| c.by_bot) || (marked && !settled);
        let sighting = Sighting {
            zone: self.zone,
            by_bot,
            settled,
            revision: cached.map_or(0, |c| c.revision) + events,
            deleted_at: self.deleted_at(record, cached),
            now: self.now,
        };
        if let Some(had) = cached.map(|c| cache::unit(&c.record)) {
            let has = cache::unit(record);
            if had != has {
                settling::follow(self.tx, record.company_id, &had, &has, self.now)?;
            }
        }
        cache::put(self.tx, record, sighting)?;
        reminders::follow(self.tx, self.company, self.zone, record, self.now)
    }

    /// A deletion counts from when it was made, where its change date moved, so that the honest ones
    /// of a long gap are no burst; else from now.
    fn deleted_at(&self, record: &Record, cached: Option<&Cached>) -> DateTime<Utc> {
        let before = cached.and_then(|c| c.record.changed_at);
        record
            .changed_at
            .filter(|at| before.is_none_or(|before| *at > before))
            .map_or(self.now, |at| at.min(self.now))
    }

    fn changed(
        &mut self,
        before: Option<&Record>,
        after: &Record,
        assumed: Option<Knowledge>,
        cached: Option<&Cached>,
        gone: Gone,
    ) -> Result<()> {
        let Some(change) = Change::between(before, Some(after)) else {
            return self.put(after, cached, 0);
        };
        let revision = cached.map_or(0, |c| c.revision) + 1;
        let unseen_past = assumed == Some(Knowledge::Unseen);
        let event = Event::of(
            &change,
            after,
            unseen_past,
            gone,
            revision,
            self.zone,
            self.now,
        );
        let mut event = event;
        if event.kind == ChangeKind::Deleted
            && writes::took_off(self.tx, after.company_id, after.id)?
        {
            event.payload["data"]["deleted_by"] = "client".into();
        }
        let unit = cache::unit(after);
        let phone = cache::number_of(self.tx, after)?;
        let ignore = &self.company.settings.rules.ignore;
        let crosses = before.is_some_and(|b| ignore.covers(b) != ignore.covers(after));
        let tellable = restarts_delay(before, after) || crosses;
        let waiting = settling::is_open(self.tx, after.company_id, &unit, &phone)?;
        events::add(
            self.tx,
            &events::NewEvent {
                event_id: event.id,
                event_type: event.kind.event_type(),
                record: after,
                payload: event.payload,
                before,
                settled: !tellable && !waiting,
            },
            self.now,
        )?;
        self.put(after, cached, 1)?;
        let came_to_light = match before {
            Some(before) => self.came_to_light(before, after)?,
            None => false,
        };
        // What has changed since we know it is not what its person knows.
        let is_unchanged = cached.is_none_or(|c| c.revision == 0);
        if let Some(state) = assumed.filter(|_| is_unchanged && !came_to_light) {
            self.assume(after, &state)?;
        }
        if after.is_alive() && before.is_some_and(|b| !b.is_alive() && b.phone() == after.phone()) {
            recreated::hand_back(self.tx, self.company, after, self.now)?;
        }
        match event.kind {
            ChangeKind::Created => self.counts.created += 1,
            ChangeKind::Updated => self.counts.updated += 1,
            ChangeKind::Deleted => self.counts.deleted += 1,
        }
        if before.is_some_and(|before| has_other_number(before, after)) {
            self.counts.renumbered += 1;
        }
        let moved = after.changed_at > before.and_then(|b| b.changed_at);
        let late = self
            .polled_at
            .zip(after.changed_at)
            .is_some_and(|(polled, at)| at + SAME_MOMENT < polled);
        if moved && late {
            self.counts.missed += 1;
        }
        if tellable {
            self.open(&unit, &phone)?;
            let had = before.and_then(Record::phone).map(|p| p.e164());
            if let Some(had) = had.filter(|had| *had != phone) {
                self.open(&unit, had)?;
            }
        }
        Ok(())
    }

    fn open(&self, unit: &str, phone: &str) -> Result<()> {
        let pace = &self.company.settings.pace;
        settling::open(
            self.tx,
            self.company.settings.id,
            unit,
            phone,
            pace.notification_delay,
            pace.max_delay,
            self.now,
        )
    }
}
