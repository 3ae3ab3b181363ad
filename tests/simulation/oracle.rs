//! What must hold whatever happens. It knows the journal's history and what the channel really took,
//! and looks into the database only once everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use booking_monitor::domain::known::Knowledge;
use booking_monitor::domain::phone::Phone;
use booking_monitor::store::cache;
use booking_monitor::store::known::{self, Key};
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use crate::channel::{Fate, Sent};
use crate::journal::{Booking, COMPANY, Item, Journal, State, Version, to_utc};
use crate::{Inner, MAX_DELAY, NOTIFICATION_DELAY};

/// A look before speaking may be this old, and replicas and late rows older still.
const OLDEST_VIEW: TimeDelta = TimeDelta::minutes(13);
/// Bookings made this shortly before the baseline count as new.
const GRACE: TimeDelta = TimeDelta::minutes(2);

/// What each person may believe of each record: several things after an uncertain send.
type Beliefs = BTreeMap<(i64, String), BTreeSet<Option<Item>>>;

#[derive(Default)]
pub struct Oracle {
    checked: usize,
    beliefs: Beliefs,
    /// Messages that told a booking deleted and made anew as one that moved: the message's place in
    /// the list, the booking that it took back, and the visit that took its place.
    moves: Vec<Move>,
    /// When the baseline was read, by our clock.
    pub baseline: Option<DateTime<Utc>>,
    /// No faults: then every message states exactly how things stand.
    pub strict: bool,
}

/// "Your booking moved" about a booking with an id of its own: the reader takes the old one for gone.
struct Move {
    message: usize,
    to: String,
    from: i64,
    from_visit: i64,
    visit: i64,
    /// The reader heard for certain, or the old one has been told of again.
    over: bool,
}

impl Oracle {
    /// Looks at what was sent since the last look.
    pub fn look(&mut self, world: &Inner) -> Result<(), (i64, String)> {
        while self.checked < world.sent.len() {
            let sent = &world.sent[self.checked];
            let first = sent
                .said
                .items
                .keys()
                .next()
                .ok_or((0, "a message about nothing".to_owned()))?;
            let visit = world.journal.bookings[first].visit;
            let wrong = |why: String| (visit, format!("{why}\n  {sent:?}"));
            self.exchange_twins(world, sent);
            let moved = self.taken_back(world, visit, sent).map_err(wrong)?;
            let earlier = self.about(world, self.checked, visit, &sent.to);
            if matches!(sent.fate, Fate::Accepted | Fate::Taken) {
                self.judge(world, visit, sent, &earlier).map_err(wrong)?;
            }
            self.learn(world, visit, sent);
            if let Some(from) = moved {
                self.moves.push(Move {
                    message: self.checked,
                    to: sent.to.clone(),
                    from,
                    from_visit: world.journal.bookings[&from].visit,
                    visit,
                    over: false,
                });
            }
            self.part_with_the_old(world, visit, sent);
            self.checked += 1;
        }
        Ok(())
    }

    /// The messages before this one that told this person of a visit, also those that told of its
    /// going elsewhere.
    fn about<'a>(&self, world: &'a Inner, end: usize, visit: i64, to: &str) -> Vec<&'a Sent> {
        let left = |index| {
            let from = |m: &Move| m.message == index && m.from_visit == visit;
            self.moves.iter().any(from)
        };
        let sent = world.sent[..end].iter().enumerate();
        sent.filter(|(index, s)| s.to == to && (is_about(s, &world.journal, visit) || left(*index)))
            .map(|(_, s)| s)
            .collect()
    }

    /// The booking of another visit that a reader takes for gone, because this message tells its
    /// old state as that of a booking which they have never heard of.
    fn taken_back(&self, world: &Inner, visit: i64, sent: &Sent) -> Result<Option<i64>, String> {
        if sent.said.was.is_empty() {
            return Ok(None);
        }
        let journal = &world.journal;
        let (was, now) = (&sent.said.was, &sent.said.items);
        let believes = |b: &Booking, test: &dyn Fn(&Item) -> bool| {
            let all = self.belief(world, b.id, &sent.to);
            all.iter().flatten().any(test)
        };
        if !was.records.is_empty() {
            let own = |id: &i64| journal.bookings[id].visit == visit;
            return Ok(was.records.iter().find(|id| !own(id)).copied());
        }
        let may_be = |item: &Item| was.may_be(item);
        if journal.of_visit(visit).any(|b| believes(b, &may_be)) {
            return Ok(None);
        }
        // Of several that look alike the reader cannot tell; it went after the other ones.
        let off = |b: &&Booking| b.visit != visit && was_off(b, &sent.to, sent.at);
        let last = |b: &&Booking| b.history.last().map(|v| v.at);
        let others = || journal.bookings.values().filter(off);
        let is = |item: &Item| was.is(item, now);
        if let Some(from) = others().filter(|b| believes(b, &is)).max_by_key(last) {
            return Ok(Some(from.id));
        }
        // What happened before we were there was nobody's message, yet it was so.
        let had = |b: &Booking, test: &dyn Fn(&Item) -> bool| {
            let states = b.between(DateTime::UNIX_EPOCH, sent.at);
            let unseen = |s: &State| world.served.may_have_been(b.id, s, &sent.to);
            let mut items = states
                .into_iter()
                .flatten()
                .filter_map(|s| s.item_of(&sent.to).or_else(|| unseen(s)));
            items.any(|item| test(&item))
        };
        if journal.of_visit(visit).any(|b| had(b, &may_be)) {
            return Ok(None);
        }
        if let Some(from) = others().filter(|b| had(b, &is)).max_by_key(last) {
            return Ok(Some(from.id));
        }
        Err("told a change of something that this person never had".into())
    }

    /// Of two bookings alike, one made as the other went, a reader who heard nothing of it cannot
    /// say which one they believe in: it is the one that this message speaks of.
    fn exchange_twins(&mut self, world: &Inner, sent: &Sent) {
        let (journal, to) = (&world.journal, &sent.to);
        let had = |id: i64, item: &Item| {
            let states = journal.bookings[&id].between(DateTime::UNIX_EPOCH, sent.at);
            let mut states = states.into_iter().flatten();
            states.any(|s| s.item_of(to).as_ref() == Some(item))
        };
        for id in sent.said.items.keys() {
            let mine = self.belief(world, *id, to);
            let certain = |b: &Booking| {
                let all = self.belief(world, b.id, to);
                (all.len() == 1).then(|| all.into_iter().next().flatten())
            };
            let mut others = journal.bookings.values().filter(|b| b.id != *id);
            if sent.said.is_farewell() && mine.iter().all(Option::is_none) {
                let twin = others.find(|b| {
                    // It is off, or is another one by now.
                    let believed = certain(b).flatten();
                    b.now().item_of(to) != believed && believed.is_some_and(|i| had(*id, &i))
                });
                if let Some(twin) = twin.map(|b| b.id) {
                    let theirs = self.belief(world, twin, to);
                    self.beliefs.insert((*id, to.clone()), theirs);
                    self.beliefs.insert((twin, to.clone()), mine);
                }
            } else if let ("created", Some(had_in_mind)) =
                (sent.said.kind.as_str(), mine.iter().flatten().next())
            {
                // Told of one more: then the first one was the other.
                let twin = others.find(|b| certain(b) == Some(None) && had(b.id, had_in_mind));
                if let (Some(twin), false) = (twin, sent.fate == Fate::Unreachable) {
                    let all = self.beliefs.entry((twin.id, to.clone())).or_default();
                    match sent.fate {
                        Fate::Accepted => *all = mine,
                        _ => all.extend(mine),
                    }
                }
            }
        }
    }

    /// Whoever learns of the new booking for certain takes the old one for gone.
    fn part_with_the_old(&mut self, world: &Inner, visit: i64, sent: &Sent) {
        let names = |record: i64| sent.said.items.contains_key(&record);
        for moved in self.moves.iter_mut().filter(|m| m.to == sent.to) {
            moved.over |= names(moved.from);
        }
        // A move that reached nobody is none: what comes after it is a booking more.
        let was_heard = |m: &Move| world.sent[m.message].fate != Fate::Unreachable;
        let left = |m: &&Move| m.visit == visit && m.to == sent.to && !m.over && was_heard(m);
        let left: Vec<i64> = self.moves.iter().filter(left).map(|m| m.from).collect();
        for from in left {
            let before = self.initial(world, from, &sent.to);
            let key = (from, sent.to.clone());
            let all = self.beliefs.entry(key).or_insert(before);
            match sent.fate {
                Fate::Accepted => *all = BTreeSet::from([None]),
                Fate::Taken | Fate::Lost => drop(all.insert(None)),
                Fate::Unreachable => {}
            }
        }
        if sent.fate == Fate::Accepted {
            for moved in self.moves.iter_mut().filter(|m| m.to == sent.to) {
                moved.over |= moved.visit == visit;
            }
        }
    }

    /// What this person may believe of a record now.
    fn belief(&self, world: &Inner, record: i64, phone: &str) -> BTreeSet<Option<Item>> {
        let stored = self.beliefs.get(&(record, phone.to_owned())).cloned();
        stored.unwrap_or_else(|| self.initial(world, record, phone))
    }

    fn judge(
        &self,
        world: &Inner,
        visit: i64,
        sent: &Sent,
        earlier: &[&Sent],
    ) -> Result<(), String> {
        let (journal, at, said) = (&world.journal, sent.at, &sent.said);
        let Some(baseline) = self.baseline.filter(|b| *b <= at) else {
            return Err("a message before the baseline".into());
        };
        for (id, item_told) in &said.items {
            let states = |from| journal.bookings[id].between(from, at).into_iter();
            if said.is_farewell() {
                let from = earlier.iter().rfind(|s| s.said.leaves().contains_key(id));
                let from = from.map_or(DateTime::UNIX_EPOCH, |s| s.at - OLDEST_VIEW);
                if !states(from)
                    .flatten()
                    .any(|s| s.item_of(&sent.to).is_none())
                {
                    return Err(format!("told that {id} is off, and it never was"));
                }
            } else if !states(DateTime::UNIX_EPOCH).flatten().any(|s| {
                let unseen = || world.served.may_be_of(s, &sent.to);
                let of_client = || may_be_of_client(journal, visit, s, &sent.to);
                let item = s.item_of(&sent.to).or_else(unseen).or_else(of_client);
                item.as_ref() == Some(item_told)
            }) {
                return Err(format!("told a state of {id} that never was this person's"));
            }
        }
        if said.is_farewell()
            && !said.items.keys().any(|id| {
                let all = self.belief(world, *id, &sent.to);
                // Of what was off at the baseline nobody knows that it was ever known to be off.
                let unseen = journal.bookings[id].created() < baseline
                    && !world.served.is_known(*id, baseline);
                unseen || all.iter().any(Option::is_some)
            })
        {
            return Err("told that something is off of which nobody had told".into());
        }
        if said.kind != "wrong_number"
            && !said.items.values().any(|(start, ..)| to_utc(*start) > at)
        {
            return Err("told after the start".into());
        }
        let window = baseline - GRACE - TimeDelta::seconds(journal.lag);
        if !journal
            .of_visit(visit)
            .any(|b| b.history.iter().any(|v| v.at >= window))
        {
            return Err("told of a visit that has not changed since the baseline".into());
        }
        in_order(journal, sent, earlier)?;
        self.not_twice(journal, visit, sent, earlier)?;
        if said.kind != "wrong_number" {
            not_early(world, visit, sent, earlier)?;
        }
        // What was erased leaves no row behind, so only a sweep can know.
        let erased = journal.of_visit(visit).any(|b| b.now().erased);
        if self.strict && said.kind != "wrong_number" && !erased {
            let from = at - TimeDelta::seconds(5);
            let mut moments = vec![from];
            moments.extend(
                journal
                    .of_visit(visit)
                    .flat_map(|b| b.history.iter().map(|v| v.at)),
            );
            let real = |moment: &DateTime<Utc>| {
                let is = actual(journal, visit, &sent.to, *moment);
                let over = is.values().all(|(start, ..)| to_utc(*start) <= at);
                is == said.leaves() || (said.is_farewell() && over)
            };
            if !moments
                .iter()
                .filter(|m| (from..=at).contains(*m))
                .any(real)
            {
                return Err(
                    "what was told is not how things stand, although nothing went wrong".into(),
                );
            }
        }
        Ok(())
    }

    /// The same thing is not told twice running, unless nobody could know whether it arrived, or the
    /// record was another person's in between.
    fn not_twice(
        &self,
        journal: &Journal,
        visit: i64,
        sent: &Sent,
        earlier: &[&Sent],
    ) -> Result<(), String> {
        let Some(last) = earlier.iter().rfind(|s| s.fate != Fate::Unreachable) else {
            return Ok(());
        };
        let was_others = journal.of_visit(visit).any(|b| {
            let from = last.at - OLDEST_VIEW;
            b.between(from, sent.at)
                .into_iter()
                .flatten()
                .any(|s| s.phone != sent.to)
        });
        let same = last.said.is_farewell() == sent.said.is_farewell()
            && last.said.was == sent.said.was
            && last.said.items == sent.said.items;
        // Off, and another one made just like it: nothing to tell. On again, it is one more.
        let made_anew = journal
            .bookings
            .values()
            .filter(|b| b.visit != visit)
            .any(|b| {
                let has = |s: &State| s.item_of(&sent.to);
                let states = b.between(last.at - OLDEST_VIEW, sent.at);
                let mut had = states.into_iter().flatten().filter_map(has);
                b.created() >= last.at - OLDEST_VIEW
                    && had.any(|i| sent.said.items.values().any(|s| *s == i))
            });
        // That it moved was said to nobody's ears; that it is on again is news after that.
        let moved = earlier.last().is_some_and(|s| {
            s.fate == Fate::Unreachable
                && !s
                    .said
                    .items
                    .keys()
                    .any(|id| journal.bookings[id].visit == visit)
        });
        // A booking of the visit that was not read yet when the last one left, and is off by now: that
        // only the rest stands is news to whoever came to have both.
        let is_less = journal.of_visit(visit).any(|b| {
            let is_on = |at| b.at(at).is_some_and(|s| s.item_of(&sent.to).is_some());
            !last.said.items.contains_key(&b.id) && is_on(last.at) && !is_on(sent.at)
        });
        if last.fate == Fate::Accepted && same && !was_others && !made_anew && !moved && !is_less {
            return Err(format!("told twice, first at {}", last.at));
        }
        Ok(())
    }

    fn learn(&mut self, world: &Inner, visit: i64, sent: &Sent) {
        let said = sent.said.leaves();
        for booking in world.journal.of_visit(visit) {
            // Nobody speaks of what has not been shown. What is spoken of was stored.
            let named = sent.said.items.contains_key(&booking.id);
            if !world.served.is_known(booking.id, sent.at) && !named {
                continue;
            }
            if sent.fate == Fate::Unreachable {
                continue;
            }
            // A farewell is to what lies ahead: what has begun is over, and not off.
            let begun = |item: &Item| to_utc(item.0) <= sent.at;
            let believed = self.belief(world, booking.id, &sent.to);
            let over = believed.iter().any(Option::is_some) && believed.iter().flatten().all(begun);
            if sent.said.is_farewell() && !named && over {
                continue;
            }
            let before = self.initial(world, booking.id, &sent.to);
            let key = (booking.id, sent.to.clone());
            let all = self.beliefs.entry(key).or_insert(before);
            let told = said.get(&booking.id).cloned();
            // It names one record of those that are another number's now, and none of the others.
            let apart = sent.said.kind == "wrong_number" && !named;
            let theirs = booking.at(sent.at).is_some_and(|s| s.phone == sent.to);
            match sent.fate {
                _ if apart && theirs => {}
                Fate::Accepted if !apart => *all = BTreeSet::from([told]),
                _ => drop(all.insert(told)),
            }
        }
    }

    /// What a person may believe to whom nothing was told: how things stood about the baseline.
    fn initial(&self, world: &Inner, record: i64, phone: &str) -> BTreeSet<Option<Item>> {
        let Some(baseline) = self.baseline else {
            return BTreeSet::new();
        };
        let from = baseline - GRACE - TimeDelta::seconds(world.journal.lag + 60);
        let states = world.journal.bookings[&record].between(from, baseline);
        let taken = |s: &State| world.served.taken_for(record, s, phone);
        let had = |s: &State| s.item_of(phone).or_else(|| taken(s));
        let mut all: BTreeSet<_> = states.iter().map(|s| s.and_then(had)).collect();
        let may_have = |s: &State| world.served.may_have_been(record, s, phone);
        all.extend(states.into_iter().flatten().filter_map(may_have).map(Some));
        if all.is_empty() {
            all.insert(None);
        }
        all
    }

    /// Everything has come to rest: nothing waits, nothing is lost, the database agrees.
    pub fn at_rest(&mut self, world: &Inner, conn: &Connection) -> Result<(), (i64, String)> {
        self.look(world)?;
        let journal = &world.journal;
        let rows = |sql: &str| -> Vec<(i64, String)> {
            let mut query = conn.prepare(sql).unwrap();
            let rows = query.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
            rows.map(Result::unwrap).collect()
        };
        if self.baseline.is_none() {
            return Err((0, "there is no baseline to this day".into()));
        }
        if let Some((id, what)) = rows(
            "SELECT visit_id, kind || ' ' || status || ' due ' || due_at FROM booking_notifications
              WHERE status IN ('pending', 'sending', 'held')
             UNION ALL SELECT CAST(substr(unit, 2) AS INTEGER), 'settling until ' || settle_at FROM settling",
        )
        .pop()
        {
            return Err((id, format!("something still waits: {what}")));
        }
        let mut people: BTreeSet<(i64, &str)> = BTreeSet::new();
        for booking in journal.bookings.values() {
            let phones = booking.history.iter().map(|v| v.state.phone.as_str());
            people.extend(phones.filter(|p| !p.is_empty()).map(|p| (booking.visit, p)));
        }
        for (visit, phone) in people {
            self.converged(world, visit, phone)
                .map_err(|why| (visit, why))?;
        }
        for booking in journal
            .bookings
            .values()
            .filter(|b| to_utc(b.now().start) > world.now)
        {
            let wrong = |why: String| (booking.visit, why);
            let Some(cached) = cache::get(conn, COMPANY, booking.id).unwrap() else {
                if booking.now().alive {
                    return Err(wrong(format!(
                        "{} stands and is not in the cache",
                        booking.id
                    )));
                }
                continue;
            };
            let (have, is) = (&cached.record, booking.now());
            // A move that no listing has shown before the record was off: what was seen of it has
            // begun, and nobody asks for that any more.
            if !is.alive && to_utc(have.start_local) <= world.now {
                continue;
            }
            let mut services: Vec<i64> = have.services.iter().map(|s| s.id).collect();
            services.sort_unstable();
            let item = (have.start_local, have.staff.id, services);
            let phone = have.phone().map_or("", Phone::e164);
            if have.is_alive() != is.alive || is.alive && (item != is.item() || phone != is.phone) {
                return Err(wrong(format!(
                    "the cache has {have:?}\n  where the journal has {is:?}"
                )));
            }
            if cached.missing {
                return Err(wrong(format!("{} is still under suspicion", booking.id)));
            }
            let create_date = cache::create_date(have);
            let key = Key {
                company: COMPANY,
                record: booking.id,
                create_date: &create_date,
                phone,
            };
            let knows = known::get(conn, key).unwrap().known;
            let certain = self
                .beliefs
                .get(&(booking.id, phone.to_owned()))
                .filter(|b| b.len() == 1);
            if let (Some(certain), Some(single), true) = (certain, knows.single(), is.alive) {
                let believes = certain.first().unwrap().is_some();
                // What was there before we were is said whole, whatever its person believes.
                let unseen = *single == Knowledge::Unseen;
                // That it moved reached nobody: they believe in the one that it was made anew from.
                let lent = single
                    .record()
                    .is_some_and(|r| r.created_at != have.created_at);
                if !unseen && !lent && believes != matches!(single, Knowledge::Booked(_)) {
                    return Err(wrong(format!(
                        "of {} {phone} is taken to know {knows:?}",
                        booking.id
                    )));
                }
            }
        }
        Ok(())
    }

    /// Deleted and made anew just as it was: the reader's picture is right although no message said
    /// so. The records that are gone and those that took their places.
    fn made_anew(&self, world: &Inner, phone: &str) -> BTreeSet<i64> {
        let journal = &world.journal;
        let mut pairs = BTreeSet::new();
        let certain = |id| {
            let all = self.belief(world, id, phone);
            (all.len() == 1).then(|| all.into_iter().next().flatten())
        };
        for gone in journal
            .bookings
            .values()
            .filter(|b| b.now().item_of(phone).is_none())
        {
            let Some(Some(believed)) = certain(gone.id) else {
                continue;
            };
            let new = journal.bookings.values().find(|b| {
                b.now().item_of(phone).as_ref() == Some(&believed)
                    && certain(b.id) == Some(None)
                    && !pairs.contains(&b.id)
            });
            pairs.extend(new.map(|b| [gone.id, b.id]).into_iter().flatten());
        }
        pairs
    }

    /// What a person was last told is how things are, or a send that nobody could conclude says it.
    fn converged(&self, world: &Inner, visit: i64, phone: &str) -> Result<(), String> {
        let (journal, now) = (&world.journal, world.now);
        let is = actual(journal, visit, phone, now);
        let mut believed = Vec::new();
        let known = |id| world.served.is_known(id, now);
        let made_anew = self.made_anew(world, phone);
        // What was never shown as theirs, nobody can speak of to them.
        let shown = |b: &&Booking| known(b.id) && world.served.was_of(b.id, phone);
        for booking in journal.of_visit(visit).filter(shown) {
            let all = if made_anew.contains(&booking.id) {
                BTreeSet::from([is.get(&booking.id).cloned()])
            } else {
                self.belief(world, booking.id, phone)
            };
            believed.push((booking.id, all));
        }
        // What was first seen when it was over is nobody's message ever after, and nobody can write
        // to a number that was never shown.
        let hopeless = |b: &Booking| {
            let served = &world.served;
            !served.was_ahead(b.id) || !served.was_of(b.id, phone)
        };
        if journal.of_visit(visit).all(hopeless) {
            return Ok(());
        }
        let starts = believed
            .iter()
            .flat_map(|(_, all)| all)
            .flatten()
            .chain(is.values());
        // What has begun, or was to have begun, is told to nobody.
        let starts = starts.map(|(start, ..)| *start);
        let mut starts = starts.chain(journal.of_visit(visit).map(|b| b.now().start));
        if starts.any(|start| to_utc(start) <= now) {
            return Ok(());
        }
        // Of what was never spoken of nobody is to blame for what people believe.
        let silent = |id: i64| !self.beliefs.contains_key(&(id, phone.to_owned()));
        // Of what was never shown nobody can say that it is off, once it begins where it was shown.
        let over = |id: i64, all: &BTreeSet<Option<Item>>| {
            let unseen = |item: &Item| !world.served.was_shown(id, item);
            let nothing_shown = !is.contains_key(&id) && all.iter().flatten().all(unseen);
            silent(id) && (nothing_shown || world.served.was_off_at_first(id))
        };
        let right = |(id, all): &(i64, BTreeSet<Option<Item>>)| {
            let same = all.contains(&is.get(id).cloned()) && (all.len() == 1 || silent(*id));
            same || over(*id, all)
        };
        if believed.iter().all(right) {
            return Ok(());
        }
        let attempts = self.about(world, world.sent.len(), visit, phone);
        let untold = attempts.is_empty();
        if untold
            && believed
                .iter()
                .all(|(id, all)| all.contains(&is.get(id).cloned()))
        {
            return Ok(());
        }
        if let Some(last) = attempts.last().filter(|s| s.fate != Fate::Accepted) {
            let leaves = leaves_of(last, journal, visit);
            let right = |(id, all): &(i64, BTreeSet<Option<Item>>)| {
                let certain = all.len() == 1 && all.contains(&is.get(id).cloned());
                certain || leaves.get(id) == is.get(id)
            };
            if believed.iter().all(right) {
                return Ok(());
            }
        }
        // What took its place has begun before anybody could be told.
        let replaced = |b: &Booking| {
            let begun = |m: &&Move| {
                to_utc(
                    journal
                        .bookings
                        .values()
                        .find(|n| n.visit == m.visit)
                        .unwrap()
                        .now()
                        .start,
                ) <= now
            };
            self.moves
                .iter()
                .filter(begun)
                .any(|m| m.to == phone && m.from == b.id)
        };
        if is.is_empty() && journal.of_visit(visit).all(replaced) {
            return Ok(());
        }
        // A corrected number: who had it by mistake is told so only if that was lately.
        let passed_on = |b: &Booking| {
            let mut phones = b.history.iter().map(|v| v.state.phone.as_str());
            phones.any(|p| p == phone) && phones.any(|p| p != phone)
        };
        let corrected = journal.of_visit(visit).any(passed_on);
        if corrected && is.is_empty() {
            return Ok(());
        }
        Err(format!(
            "{phone} believes {believed:?}\n  but there is {is:?}"
        ))
    }
}

/// Nobody hears of a state that was over before the one they heard of last had begun.
fn in_order(journal: &Journal, sent: &Sent, earlier: &[&Sent]) -> Result<(), String> {
    if sent.said.is_farewell() {
        return Ok(());
    }
    for (id, item) in &sent.said.items {
        let told = |s: &&&Sent| s.fate == Fate::Accepted && !s.said.is_farewell();
        let before = earlier
            .iter()
            .rfind(|s| told(s) && s.said.items.contains_key(id));
        let Some(had) = before
            .and_then(|s| s.said.items.get(id))
            .filter(|had| *had != item)
        else {
            continue;
        };
        let history = &journal.bookings[id].history;
        let held = |v: &Version, what: &Item| v.at <= sent.at && v.state.item() == *what;
        let began = history.iter().find(|v| held(v, had)).map(|v| v.at);
        let is_last = |v: &Version| {
            let last = history.iter().rfind(|v| v.at <= sent.at);
            last.is_some_and(|last| last.at == v.at)
        };
        let last = history.iter().rposition(|v| held(v, item));
        let ended = last.and_then(|i| {
            let next = history.get(i + 1).filter(|_| !is_last(&history[i]));
            next.map(|next| next.at)
        });
        if let (Some(began), Some(ended)) = (began, ended)
            && ended <= began
        {
            return Err(format!(
                "told a state of {id} that was over before the one told before"
            ));
        }
    }
    Ok(())
}

/// A state without a number is that of the number which its client has in the same visit.
fn may_be_of_client(journal: &Journal, visit: i64, state: &State, phone: &str) -> Option<Item> {
    let has = |v: &Version| v.state.client == state.client && v.state.phone == phone;
    let mut visit = journal.of_visit(visit);
    let theirs = state.phone.is_empty() && visit.any(|b| b.history.iter().any(has));
    (state.alive && theirs).then(|| state.item())
}

/// Whether this was ever off, or not this person's.
fn was_off(booking: &Booking, phone: &str, at: DateTime<Utc>) -> bool {
    let states = booking.between(DateTime::UNIX_EPOCH, at);
    states
        .into_iter()
        .flatten()
        .any(|s| s.item_of(phone).is_none())
}

/// The records of a visit that a message leaves its reader with.
fn leaves_of(sent: &Sent, journal: &Journal, visit: i64) -> BTreeMap<i64, Item> {
    let mut leaves = sent.said.leaves();
    leaves.retain(|id, _| journal.bookings[id].visit == visit);
    leaves
}

/// No message while the visit still changes before our eyes, until `max_delay` is over.
fn not_early(world: &Inner, visit: i64, sent: &Sent, earlier: &[&Sent]) -> Result<(), String> {
    let since = earlier.last().map_or(DateTime::UNIX_EPOCH, |s| s.at);
    let seen: Vec<_> = world
        .served
        .changes
        .iter()
        .filter(|c| c.visit == visit && c.at <= sent.at && c.phones.contains(&sent.to))
        .collect();
    let first = seen.iter().find(|c| c.at > since);
    let (Some(first), Some(last)) = (first, seen.iter().rfind(|c| c.surely)) else {
        return Ok(());
    };
    let quiet = sent.at - last.at;
    if quiet < NOTIFICATION_DELAY && sent.at - first.at < MAX_DELAY {
        let quiet = quiet.num_seconds();
        return Err(format!("told {quiet} s after a change was seen"));
    }
    Ok(())
}

fn is_about(sent: &Sent, journal: &Journal, visit: i64) -> bool {
    sent.said
        .items
        .keys()
        .any(|id| journal.bookings[id].visit == visit)
}

/// What a person has in a visit at a moment.
fn actual(journal: &Journal, visit: i64, phone: &str, at: DateTime<Utc>) -> BTreeMap<i64, Item> {
    let records = journal.of_visit(visit);
    records
        .filter_map(|b| Some((b.id, b.at(at)?.item_of(phone)?)))
        .collect()
}
