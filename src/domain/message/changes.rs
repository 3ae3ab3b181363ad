//! What became another in a visit, old and new. Each change stands with the record it is of: in a
//! visit of several, "moved" alone would leave the client to guess which.

use super::compose::Writer;
use super::facts::Facts;
use super::markup::{data, named};
use crate::domain::change::Field;
use crate::domain::record::{Record, ServiceLine};

impl Writer {
    /// What there is to say of a visit that became another.
    pub(super) fn update(
        &self,
        before: Option<&[&Record]>,
        now: &[&Record],
        fields: &[Field],
    ) -> Facts {
        let mut facts = self.visit(now);
        let Some(before) = before.filter(|b| !b.is_empty()) else {
            return facts;
        };
        let old = self.visit(before);
        let told = |f| fields.contains(&f);
        // A price that became zero is never told: there is no line to say it in.
        let price = told(Field::Price) && !facts.price.is_empty();
        facts.changed = [
            (told(Field::Start), "start"),
            (told(Field::Staff) && names_another(before, now), "staff"),
            (told(Field::Services), "services"),
            (told(Field::Duration), "duration"),
            (price, "price"),
        ]
        .into_iter()
        .filter_map(|(is_told, name)| is_told.then_some(name))
        .collect();
        if facts.changed.is_empty() {
            return facts;
        }
        self.name_the_old(&mut facts, &old, before, now);
        self.mark_items(&mut facts, before, now);
        facts.change_lines = self.lines(&facts, &old, before, now, false);
        facts.changes = self.lines(&facts, &old, before, now, true);
        facts
    }

    /// What was, where it is another now: of the first record that changed.
    fn name_the_old(&self, facts: &mut Facts, old: &Facts, before: &[&Record], now: &[&Record]) {
        let was = |told: &str, differs: fn(&Record, &Record) -> bool| {
            let told = facts.changed.contains(&told);
            let mut pairs = now
                .iter()
                .filter_map(|r| Some((counterpart(r, before, now)?, *r)));
            pairs
                .find(|(was, is)| told && differs(was, is))
                .map(|(was, _)| self.visit(&[was]))
        };
        let moved = was("start", |was, is| was.start_local != is.start_local);
        let passed_on = was("staff", |was, is| was.staff.name != is.staff.name);
        if let Some(was) = moved {
            facts.old_date = was.date;
            facts.old_time = was.time;
        }
        if let Some(was) = passed_on {
            facts.old_staff = was.staff;
        }
        if facts.changed.contains(&"services") && old.services != facts.services {
            facts.old_services.clone_from(&old.services);
        }
    }

    /// In a visit of several records each says for itself when and with whom it is now.
    fn mark_items(&self, facts: &mut Facts, before: &[&Record], now: &[&Record]) {
        for (item, record) in facts.items.iter_mut().zip(now) {
            let Some(was) = counterpart(record, before, now) else {
                continue;
            };
            if facts.changed.contains(&"start") && was.start_local != record.start_local {
                item.when = self.became(&self.moment(was), &self.moment(record));
            }
            let (old, new) = (self.room.masters(&[was]), self.room.masters(&[record]));
            if facts.changed.contains(&"staff") && old != new && !new.is_empty() {
                let label = if self.markup.strikes() || old.is_empty() {
                    self.say("Мастер: ", "With ")
                } else {
                    String::new()
                };
                item.who = label + &self.became(&old, &new);
            }
        }
    }

    /// A line for each thing that became another. The built-in text says when and with whom beside
    /// the records themselves where there are several; `whole` says it here, too.
    fn lines(
        &self,
        facts: &Facts,
        old: &Facts,
        before: &[&Record],
        now: &[&Record],
        whole: bool,
    ) -> String {
        let told = |name: &str| facts.changed.contains(&name);
        let alone = facts.changed.len() == 1;
        let mut lines = Vec::new();
        let mut line = |head: &str, text: &str| {
            if !text.is_empty() {
                lines.push(format!("{head} {text}"));
            }
        };
        if let ([item], [record]) = (facts.items.as_slice(), now) {
            let was = counterpart(record, before, now);
            if told("start") {
                let old = was.map_or_else(String::new, |w| self.moment(w));
                line("📅", &self.became(&old, &self.moment(record)));
            }
            if told("staff") {
                let old = was.map_or_else(String::new, |w| self.room.masters(&[w]));
                let bare = self.became(&old, &facts.staff);
                line("👤", if alone { &bare } else { &item.who });
            }
        } else if whole {
            for (item, record) in facts.items.iter().zip(now) {
                let Some(was) = counterpart(record, before, now) else {
                    continue;
                };
                let of = self.of(&item.services);
                if told("start") && was.start_local != record.start_local {
                    line("📅", &(of.clone() + &item.when));
                }
                let old = self.room.masters(&[was]);
                if told("staff") && old != item.staff {
                    line("👤", &(of + &self.became(&old, &item.staff)));
                }
            }
        }
        if told("services") {
            let (added, removed) = self.difference(before, now);
            for (head, ru, en, list) in [
                ("➕", "Добавили: ", "Added: ", added),
                ("➖", "Убрали: ", "Removed: ", removed),
            ] {
                if !list.is_empty() {
                    line(head, &(self.say(ru, en) + &data(&list)));
                }
            }
        }
        if told("duration") {
            line("🕒", &self.became(&old.duration, &facts.duration));
        }
        if told("price") {
            let text = self.became(&old.price, &facts.price) + &self.discount(&facts.discount);
            line("💰", &text);
        }
        lines.join("\n")
    }

    /// `Маникюр: `, before what became of it; a full stop where words with colons follow.
    fn of(&self, services: &str) -> String {
        match data(services) {
            none if none.is_empty() => none,
            services if self.markup.strikes() => services + ": ",
            services => services + ". ",
        }
    }

    /// Titles that came and titles that went, by id and quantity.
    fn difference(&self, before: &[&Record], now: &[&Record]) -> (String, String) {
        let lines = |records: &[&Record]| -> Vec<ServiceLine> {
            records.iter().flat_map(|r| r.services.clone()).collect()
        };
        let (before, now) = (lines(before), lines(now));
        let quantity = |lines: &[ServiceLine], id| -> i64 {
            lines.iter().filter(|s| s.id == id).map(|s| s.amount).sum()
        };
        let more = |here: &[ServiceLine], there: &[ServiceLine]| {
            let mut seen = Vec::new();
            self.room.listed(here.iter().filter_map(|s| {
                let first = !seen.contains(&s.id);
                seen.push(s.id);
                (first && quantity(here, s.id) > quantity(there, s.id))
                    .then(|| named(&s.title, self.room.title))
            }))
        };
        (more(&now, &before), more(&before, &now))
    }
}

/// What a record was: the one with its id, or the only one there was of the only one there is.
fn counterpart<'a>(record: &Record, before: &[&'a Record], now: &[&Record]) -> Option<&'a Record> {
    let same = before.iter().find(|b| b.id == record.id);
    let only = before
        .first()
        .filter(|_| before.len() == 1 && now.len() == 1);
    same.or(only).copied()
}

/// Whether somebody else can be named: to whom nobody was known before, or is known now, "another
/// master" would be no news but a riddle.
fn names_another(before: &[&Record], now: &[&Record]) -> bool {
    let pairs = now
        .iter()
        .filter_map(|r| Some((counterpart(r, before, now)?, *r)));
    let mut passed_on = pairs.filter(|(was, is)| was.staff != is.staff).peekable();
    passed_on.peek().is_none()
        || passed_on.any(|(was, is)| !was.staff.name.is_empty() && !is.staff.name.is_empty())
}
