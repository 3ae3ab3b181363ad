//! Settle: visits whose delay has ended become notifications, or a stored reason for silence. One
//! transaction a visit.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Transaction;

use super::guard::{self, Guards};
use super::happened::Happened;
use super::poll::delta;
use super::quiet::hold_until;
use super::renumbered::Rider;
use super::visit::{Around, Visit};
use super::{Company, Desk, Pipeline, recreated, renumbered, words};
use crate::domain::delivery::Status;
use crate::domain::known::{Knowledge, Known};
use crate::domain::phone::Phone;
use crate::domain::policy::Reason;
use crate::domain::record::Record;
use crate::domain::settle::{Form, Net, is_small_shift};
use crate::domain::zone::Zone;
use crate::store::companies::{self, CompanyRow};
use crate::store::outbox::{self, New, Notification};
use crate::store::settling::Unit;
use crate::store::{self, cache, events, proposals, reminders, settling, writes};

/// A visit that is being written is looked at again after this.
const WRITE_LOOK: TimeDelta = TimeDelta::seconds(5);

/// Visits dealt with in one transaction.
const BATCH: u32 = 100;

/// What settling came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettleReport {
    /// Visits dealt with.
    pub visits: u32,
    /// Messages to clients that now wait to be sent.
    pub to_send: u32,
    /// Messages held by the guard.
    pub held: u32,
    /// Reminders that fell due.
    pub reminders: u32,
}

impl Pipeline {
    /// Settles every visit whose delay has ended by `now`, and makes the reminders that are due.
    pub async fn settle_due(&self, now: DateTime<Utc>) -> store::Result<SettleReport> {
        self.heed_clock(now).await?;
        let mut report = SettleReport::default();
        // Most turns find nothing, and need not keep others from writing.
        while self.store.read(move |c| settling::is_due(c, now)).await? {
            let desk = self.desk();
            let (seen, part) = self
                .store
                .write(move |tx| {
                    let watched: Vec<i64> = desk.companies.keys().copied().collect();
                    let due = settling::due(tx, &watched, now, BATCH)?;
                    let mut part = SettleReport::default();
                    // Before any of a person's visits is dealt with, or the count of them would be off.
                    let persons: BTreeSet<(i64, &str)> =
                        due.iter().map(|u| (u.company, u.phone.as_str())).collect();
                    for (company, phone) in persons {
                        if let Some(company) = desk.companies.get(&company) {
                            recreated::hand_over(tx, company, phone, now)?;
                        }
                    }
                    let mut guards = Guards::default();
                    let mut batch = Batch {
                        guards: &mut guards,
                        report: &mut part,
                    };
                    // Nothing that settles writes there.
                    let mut rows = BTreeMap::new();
                    for id in due.iter().map(|u| u.company).collect::<BTreeSet<_>>() {
                        rows.insert(id, companies::ensure(tx, id)?);
                    }
                    for unit in &due {
                        // Told along with another visit of the same person a moment ago.
                        if !settling::is_open(tx, unit.company, &unit.unit, &unit.phone)? {
                            continue;
                        }
                        settle_unit(tx, &desk, &rows, unit, now, &mut batch)?;
                    }
                    Ok((due.len(), part))
                })
                .await?;
            report.visits += part.visits;
            report.to_send += part.to_send;
            report.held += part.held;
            if part.to_send > 0 {
                // What is ready leaves while the rest is being settled.
                self.bell.notify_waiters();
            }
            // A visit that could not be settled is left for the next turn, not tried for ever.
            if seen < BATCH as usize || part.visits == 0 {
                break;
            }
        }
        if report.visits > 0 {
            tracing::info!(
                visits = report.visits,
                to_send = report.to_send,
                held = report.held,
                "settled"
            );
        }
        report.reminders = self.remind_due(now).await?;
        Ok(report)
    }
}

/// One visit being settled.
pub(super) struct Settling<'a> {
    pub(super) tx: &'a Transaction<'a>,
    pub(super) desk: &'a Desk,
    pub(super) company: &'a Company,
    pub(super) row: &'a CompanyRow,
    pub(super) zone: Zone,
    pub(super) unit: &'a Unit,
    pub(super) now: DateTime<Utc>,
}

/// What the visits of one transaction share.
struct Batch<'a> {
    guards: &'a mut Guards,
    report: &'a mut SettleReport,
}

fn settle_unit(
    tx: &Transaction<'_>,
    desk: &Desk,
    rows: &BTreeMap<i64, CompanyRow>,
    unit: &Unit,
    now: DateTime<Utc>,
    batch: &mut Batch<'_>,
) -> store::Result<()> {
    let id = unit.company;
    // A company that left the configuration: what waits there stays as it is, and comes back with it.
    let Some((company, row)) = desk.companies.get(&id).zip(rows.get(&id)) else {
        return Ok(());
    };
    let Some(zone) = company.zone(row) else {
        return Ok(());
    };
    let settling = Settling {
        tx,
        desk,
        company,
        row,
        zone,
        unit,
        now,
    };
    settling.run(batch)
}

impl Settling<'_> {
    fn run(&self, batch: &mut Batch<'_>) -> store::Result<()> {
        let mut visit = Visit::read(self.tx, self.company, &self.unit.unit, &self.unit.phone)?;
        if let Some(until) = self.waits_for_phones(&visit)? {
            batch.report.visits += 1;
            return settling::postpone(self.tx, self.unit, until);
        }
        // What the journal shows of it may be ours, and its client is told by the answer.
        if writes::is_open(self.tx, self.unit.company, &self.unit.unit)?
            || proposals::is_agreed(self.tx, self.unit.company, &self.unit.phone)?
        {
            batch.report.visits += 1;
            return settling::postpone(self.tx, self.unit, self.now + WRITE_LOOK);
        }
        visit = recreated::end_loans(self.tx, self.company, &self.unit.unit, visit, self.now)?;
        self.part_with_moved_phones(&mut visit)?;
        let open = outbox::open_of_unit(
            self.tx,
            self.unit.company,
            &self.unit.unit,
            &self.unit.phone,
        )?;
        let open = self.leave_out_ignored(&visit, open)?;
        let happened = Happened::read(self.tx, self.unit.company, self.row.baseline_at, &visit)?;
        let theirs: Vec<i64> = visit
            .members
            .iter()
            .filter(|m| m.theirs)
            .map(|m| m.record.id)
            .collect();
        for notification in &open {
            renumbered::part(self.tx, notification, &self.unit.unit)?;
        }
        let left_behind = self.aftermath(&visit, &happened)?;
        let visit = visit.still_to_come(self.zone, self.now);
        let told_client = match visit.net(self.company) {
            None => self.nothing_to_tell(&visit, &open, &happened, left_behind)?,
            Some(net) if net.form == Form::Created => {
                let riders = match self.would_go(&visit)? {
                    true => self.riders(&visit)?,
                    false => Vec::new(),
                };
                let id = self.tell(&visit, &net, &riders, &open, &happened, batch)?;
                for rider in riders {
                    self.ride(&rider, id)?;
                    batch.report.visits += 1;
                }
                Some(id)
            }
            Some(net) => Some(self.tell(&visit, &net, &[], &open, &happened, batch)?),
        };
        self.copy_to_owners(&visit, &happened, told_client)?;
        events::settle(self.tx, self.unit.company, &theirs, self.now)?;
        cache::set_settled(self.tx, self.unit.company, &theirs)?;
        settling::close(self.tx, self.unit)?;
        batch.report.visits += 1;
        Ok(())
    }

    /// Until when this has to wait because phones are hidden, which the person's present booking
    /// may have.
    fn waits_for_phones(&self, visit: &Visit) -> store::Result<Option<DateTime<Utc>>> {
        if self.row.phones_hidden_since.is_none() {
            return Ok(None);
        }
        let since = self.unit.first_change_at - delta(self.company.settings.pace.max_delay);
        let made_anew = recreated::unseen(self.tx, self.unit.company, visit, since, self.now)?;
        Ok(visit.waits_for_phones(self.zone, self.now).or(made_anew))
    }

    /// A client whose number was corrected: the booking is not off, it is just not this number's.
    /// Who was told at the wrong number shortly before hears that it was a mistake; nobody else
    /// there hears anything.
    fn part_with_moved_phones(&self, visit: &mut Visit) -> store::Result<()> {
        let Some(phone) = visit.phone.clone() else {
            return Ok(());
        };
        let client = |r: &Record| r.client.as_ref().map_or(0, |c| c.id);
        let mut gone = Vec::new();
        for member in std::mem::take(&mut visit.members) {
            let known = member.known.states().iter().rev();
            let had = match known.filter_map(Knowledge::record).next() {
                Some(known) => client(known),
                // Known in a form that nobody remembers: the journal says whose it was.
                None if !member.theirs => {
                    let (company, record) = (self.unit.company, member.record.id);
                    events::last_state_of_phone(self.tx, company, record, phone.e164())?
                        .map_or(0, |before| client(&before))
                }
                None => 0,
            };
            let is_alive = !member.theirs && member.record.is_alive();
            if is_alive && had != 0 && had == client(&member.record) {
                gone.push(member);
            } else {
                visit.members.push(member);
            }
        }
        // Nobody was told of it here: what it was made in place of is.
        let (lent, gone): (Vec<_>, Vec<_>) = gone.into_iter().partition(recreated::is_lent);
        recreated::give_back(self.tx, self.unit.company, Some(&phone), &lent, self.now)?;
        let Some(first) = gone.first() else {
            return Ok(());
        };
        let patience = delta(self.company.settings.pace.max_delay) + TimeDelta::hours(1);
        let (company, record) = (self.unit.company, first.record.id);
        let reminded_at = reminders::sent_at(self.tx, company, record, phone.e164())?;
        let recently = visit
            .told_at
            .max(reminded_at)
            .is_some_and(|told| self.now - told <= patience);
        if recently {
            let record = first
                .known
                .states()
                .iter()
                .rev()
                .find_map(Knowledge::record);
            let record = record.unwrap_or(&first.record);
            if let Some((end, address)) = self.desk.way_to(self.tx, self.company, &phone, None)? {
                let place = words::Place {
                    company: self.company,
                    row: self.row,
                    zone: self.zone,
                    now: self.now,
                };
                let message = words::wrong_number(&place, &end, record);
                self.add(&New {
                    kind: "correction",
                    recipient: &address,
                    channel: &end.name,
                    frozen: true,
                    message: &message,
                    ..self.plain(record, Status::Pending, None)
                })?;
            }
        }
        for told in (Visit {
            members: gone,
            ignored: Vec::new(),
            phone: None,
            told_at: None,
        })
        .told()
        {
            told.set(
                self.tx,
                self.unit.company,
                phone.e164(),
                &Known::default(),
                None,
            )?;
        }
        Ok(())
    }

    /// The person knows what there is to know. What waited is dropped, and the silence has a name.
    fn nothing_to_tell(
        &self,
        visit: &Visit,
        open: &[Notification],
        happened: &Happened,
        left_behind: Option<i64>,
    ) -> store::Result<Option<i64>> {
        let waiting = open.iter().filter(|n| n.status != Status::Uncertain);
        let mut last = left_behind;
        for notification in waiting {
            let why = (Reason::Unchanged, None);
            self.desk.suppress(self.tx, notification, why, self.now)?;
            last = Some(notification.id);
        }
        // What is never told moves along in silence; a move too small to tell does not, so that
        // small moves add up.
        for told in visit.told() {
            let small = match (&told.before.single(), told.state.record()) {
                (Some(Knowledge::Booked(known)), Some(now)) => {
                    is_small_shift(known, now, self.company.settings.rules.min_shift)
                }
                _ => false,
            };
            let alive = told.before.single().is_some_and(Knowledge::is_alive);
            if let (Some(phone), true, false) = (&visit.phone, alive, small) {
                told.set(
                    self.tx,
                    self.unit.company,
                    phone.e164(),
                    &Known::certain(told.state.clone()),
                    None,
                )?;
            }
        }
        let (Some(first), Some(kind)) = (&happened.first, happened.kind()) else {
            return Ok(last);
        };
        if last.is_some() {
            return Ok(last);
        }
        // They wanted it so, and were answered.
        let since = self.unit.first_change_at;
        let Unit {
            company,
            unit,
            phone,
            ..
        } = self.unit;
        let of = (*company, unit.as_str(), phone.as_str());
        let reply = match writes::answered(self.tx, of, since)? {
            Some(reply) => Some(reply),
            None => proposals::answered(self.tx, of, since)?,
        };
        if reply.is_some() {
            return Ok(reply);
        }
        let reason = match (&visit.phone, &first.client) {
            (None, None) => Reason::NoClient,
            (None, Some(client)) if client.forgotten => Reason::Forgotten,
            (None, Some(_)) => Reason::NoPhone,
            (Some(_), _) => Reason::Unchanged,
        };
        let new = New {
            kind: kind.as_str(),
            ..self.plain(first, Status::Suppressed, Some(reason))
        };
        let id = self.add(&new)?;
        let records = std::slice::from_ref(first);
        self.note_refused(id, reason, records)?;
        self.desk
            .card_for_silence(self.tx, id, records, reason, self.now)?;
        Ok(Some(id))
    }

    /// There is something to tell: one notification on the visit's first record, the others
    /// superseded by it, whatever waited superseded too.
    fn tell(
        &self,
        visit: &Visit,
        net: &Net,
        riders: &[Rider],
        open: &[Notification],
        happened: &Happened,
        batch: &mut Batch<'_>,
    ) -> store::Result<i64> {
        let kind = net.form.kind();
        let changed_at = happened.tellable_at.unwrap_or(self.now);
        let all = visit.along_with(riders.iter().map(|rider| &rider.visit));
        let net = match riders {
            [] => None,
            [_, ..] => all.net(self.company),
        }
        .map_or(Cow::Borrowed(net), Cow::Owned);
        let net = net.as_ref();
        let first = visit
            .first(net)
            .ok_or(store::StoreError::Corrupt("visit without records"))?;
        let reason = visit.silence(net, &self.around(changed_at))?;
        let status = match reason {
            Some(_) => Status::Suppressed,
            None if self.desk.defences.guard
                && batch.guards.holds(&self.guarded(), net, open)? =>
            {
                Status::Held
            }
            None => Status::Pending,
        };
        let way = match &visit.phone {
            Some(phone) => self.desk.way_to(self.tx, self.company, phone, None)?,
            None => None,
        };
        let place = words::Place {
            company: self.company,
            row: self.row,
            zone: self.zone,
            now: self.now,
        };
        let message = way
            .as_ref()
            .map_or_else(String::new, |(end, _)| words::client(&place, end, net));
        let due_at = match reason {
            None => hold_until(self.company, self.zone, net, &visit.expected(), self.now)
                .unwrap_or(self.now),
            Some(_) => self.now,
        };
        let told = match riders {
            [] => "[]".to_owned(),
            [_, ..] => serde_json::to_string(&all.told())
                .map_err(|_| store::StoreError::Corrupt("knowledge to be stored"))?,
        };
        let id = self.add(&New {
            kind: kind.as_str(),
            channel: way.as_ref().map_or("", |(end, _)| end.name.as_str()),
            message: &message,
            told: &told,
            changed_at,
            due_at,
            ..self.plain(&first, status, reason)
        })?;
        for notification in open {
            if notification.status == Status::Uncertain {
                outbox::set_superseded_by(self.tx, notification.id, id)?;
            } else {
                let why = (Reason::Superseded, Some(id));
                self.desk.suppress(self.tx, notification, why, self.now)?;
            }
        }
        for change in &happened.changes {
            let Some(record) = change.after().filter(|r| r.id != first.id) else {
                continue;
            };
            self.add(&New {
                kind: kind.as_str(),
                superseded_by: Some(id),
                changed_at,
                ..self.plain(record, Status::Suppressed, Some(Reason::Superseded))
            })?;
        }
        if let Some(reason) = reason {
            self.note_refused(id, reason, &net.now)?;
            self.desk
                .card_for_silence(self.tx, id, &net.now, reason, self.now)?;
        }
        match reason {
            Some(reason) if reason.moves_known() => {
                visit.take_as_known(self.tx, self.unit.company)?;
            }
            Some(Reason::Past) => {
                let Visit { phone, members, .. } = visit;
                recreated::give_back(
                    self.tx,
                    self.unit.company,
                    phone.as_ref(),
                    members,
                    self.now,
                )?;
            }
            Some(_) => {}
            None if status == Status::Held => batch.report.held += 1,
            None => batch.report.to_send += 1,
        }
        Ok(id)
    }

    pub(super) fn around(&self, changed_at: DateTime<Utc>) -> Around<'_> {
        Around {
            conn: self.tx,
            desk: self.desk,
            company: self.company,
            zone: self.zone,
            changed_at,
            now: self.now,
        }
    }

    fn guarded(&self) -> guard::At<'_> {
        guard::At {
            conn: self.tx,
            company: self.company,
            row: self.row,
            now: self.now,
        }
    }

    pub(super) fn copy_to_owners(
        &self,
        visit: &Visit,
        happened: &Happened,
        about: Option<i64>,
    ) -> store::Result<()> {
        let settings = &self.company.settings;
        if settings.owners.is_empty() {
            return Ok(());
        }
        let Some(copy) = words::Copy::of(&happened.changes, &settings.rules) else {
            return Ok(());
        };
        let told = serde_json::to_string(&copy)
            .map_err(|_| store::StoreError::Corrupt("copy to be stored"))?;
        let first = copy
            .first()
            .cloned()
            .or_else(|| visit.members.first().map(|m| m.record.clone()));
        let Some(first) = first else { return Ok(()) };
        for owner in settings
            .owners
            .iter()
            .filter(|o| o.events.contains(&copy.kind))
        {
            outbox::add(
                self.tx,
                &New {
                    unit: "",
                    phone: "",
                    kind: "owner",
                    recipient: &owner.to,
                    channel: &owner.channel,
                    told: &told,
                    about,
                    ..self.plain(&first, Status::Pending, None)
                },
                self.now,
            )?;
        }
        Ok(())
    }

    /// A number was typed in, and no message could reach it: what is wrong with it.
    fn note_refused(&self, id: i64, reason: Reason, records: &[Record]) -> store::Result<()> {
        let clients = records.iter().filter_map(|r| r.client.as_ref());
        let refused = clients.filter_map(|c| c.refused_phone.as_deref());
        let country = &self.company.settings.country;
        let problem = refused.filter_map(|text| Phone::parse(text, country).err());
        match problem
            .into_iter()
            .next()
            .filter(|_| reason == Reason::NoPhone)
        {
            Some(problem) => outbox::note_error(self.tx, id, &problem.to_string()),
            None => Ok(()),
        }
    }

    /// The fields that every notification of this visit shares.
    pub(super) fn plain<'a>(
        &'a self,
        record: &Record,
        status: Status,
        reason: Option<Reason>,
    ) -> New<'a> {
        New {
            company: self.unit.company,
            record: record.id,
            visit: record.visit_id,
            unit: &self.unit.unit,
            kind: "",
            phone: &self.unit.phone,
            recipient: &self.unit.phone,
            channel: "",
            status,
            reason,
            superseded_by: None,
            message: "",
            frozen: false,
            keyboard: None,
            about: None,
            contact: None,
            told: "[]",
            first_change_at: self.unit.first_change_at,
            changed_at: self.now,
            due_at: self.now,
        }
    }

    pub(super) fn add(&self, new: &New<'_>) -> store::Result<i64> {
        outbox::add(self.tx, new, self.now)
    }
}
