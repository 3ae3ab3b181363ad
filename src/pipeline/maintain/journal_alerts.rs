//! Alerts of journals that cannot be read: one for each cause and chat, however many companies it
//! strikes, and one word when all of them are seen again.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Chat, Watch};
use crate::domain::message::owner::{Blind, Waited, alert_company_seen, alert_company_unseen};
use crate::pipeline::Company;
use crate::pipeline::poll::delta;
use crate::store::companies::{self, CompanyRow};
use crate::store::{self, At, alerts};

/// The key was refused: it serves every company, those too that have not been asked for since.
const KEY: &str = "key";
/// The status that says so.
const KEY_REFUSED: u16 = 401;
/// A refusal of one company may be one of all: the others are asked for first, at most so long.
const GATHER: TimeDelta = TimeDelta::seconds(60);
/// So many companies are named; of the rest their number is.
const MOST_NAMED: usize = 10;

/// One company and how its reading goes.
struct Seen {
    company: Arc<Company>,
    row: CompanyRow,
}

impl Seen {
    fn id(&self) -> i64 {
        self.company.settings.id
    }

    fn cause(&self) -> String {
        format!("company:{}", self.id())
    }

    /// Nobody knows yet whether it can still be read.
    fn is_unread_since(&self, at: DateTime<Utc>) -> bool {
        self.row.failing_since.is_none() && self.row.last_poll_at.is_none_or(|read| read < at)
    }

    fn is_refused_the_key(&self) -> bool {
        self.row.failing_since.is_some() && self.row.denied == Some(KEY_REFUSED)
    }
}

/// Some companies, as one chat is told of them.
type Struck<'a> = Vec<&'a Seen>;

impl Watch<'_> {
    /// The journals of all companies.
    pub(super) fn journals(&self) -> store::Result<u32> {
        let mut rows = companies::all(self.conn)?;
        let mut all = Vec::new();
        for (id, company) in &*self.desk.companies {
            all.push(Seen {
                company: Arc::clone(company),
                row: match rows.remove(id) {
                    Some(row) => row,
                    None => companies::ensure(self.conn, *id)?,
                },
            });
        }
        let mut raised = self.key(&all)?;
        raised += self.unseen_journals(&all)?;
        raised += self.seen_again(&all)?;
        Ok(raised)
    }

    /// The key of all companies, at once.
    fn key(&self, all: &[Seen]) -> store::Result<u32> {
        let refused = all.iter().filter(|s| s.is_refused_the_key());
        let since = refused.filter_map(|s| s.row.failing_since).min();
        let Some(since) = since else {
            let Some(since) = alerts::close(self.conn, KEY)? else {
                return Ok(0);
            };
            let back = all.iter().filter(|s| s.row.failing_since.is_none());
            return self.tell_seen(back.collect(), since);
        };
        if !alerts::open(self.conn, KEY, since, self.now)? {
            return Ok(0);
        }
        let struck = all
            .iter()
            .filter(|s| s.is_refused_the_key() || s.is_unread_since(since));
        self.tell_unseen(struck.collect(), since, Blind::Key)
    }

    /// Every other trouble: at once when a person has to act, else after a while.
    fn unseen_journals(&self, all: &[Seen]) -> store::Result<u32> {
        let mut raised = 0;
        let mut news: BTreeMap<Option<u16>, Struck<'_>> = BTreeMap::new();
        for seen in all {
            let is_new = seen.row.failing_since.is_some()
                && !seen.is_refused_the_key()
                && alerts::open_since(self.conn, &seen.cause())?.is_none();
            if is_new {
                news.entry(seen.row.denied).or_default().push(seen);
            }
        }
        for (denied, struck) in news {
            let due = |s: &&&Seen| match s.row.failing_since {
                Some(since) if denied.is_some() => {
                    let others_are_read = !all.iter().any(|o| o.is_unread_since(since));
                    others_are_read || self.now - since >= GATHER
                }
                Some(since) => self.now - since >= delta(self.settings.after),
                None => false,
            };
            let Some(first) = struck.iter().find(due) else {
                continue;
            };
            let since = first.row.failing_since.unwrap_or(self.now);
            let words = first.row.last_error.clone().unwrap_or_default();
            let why = denied
                .and_then(Blind::from_status)
                .unwrap_or(Blind::Other(&words));
            // Whatever fails in the same way by now is told of together, or one outage of the API
            // would be as many messages as there are companies.
            for seen in &struck {
                let since = seen.row.failing_since.unwrap_or(since);
                alerts::open(self.conn, &seen.cause(), since, self.now)?;
            }
            raised += self.tell_unseen(struck, since, why)?;
        }
        Ok(raised)
    }

    /// One word for all that were told of together, when the last of them is seen again, or when the
    /// others take too long.
    fn seen_again(&self, all: &[Seen]) -> store::Result<u32> {
        let told = alerts::all(self.conn, "company:")?;
        let told_of = |s: &Seen| told.iter().find(|alert| alert.cause == s.cause());
        let mut failing: Vec<String> = Vec::new();
        for seen in all {
            let Some(alert) = told_of(seen) else { continue };
            let together = At(alert.told_at).text();
            if seen.row.failing_since.is_some() {
                failing.push(together);
                continue;
            }
            alerts::close(self.conn, &seen.cause())?;
            let cause = format!("seen:{together}:{}", seen.id());
            alerts::open(self.conn, &cause, alert.since, self.now)?;
        }
        let mut back: BTreeMap<String, (DateTime<Utc>, DateTime<Utc>, Struck<'_>)> =
            BTreeMap::new();
        for alert in alerts::all(self.conn, "seen:")? {
            let Some((together, id)) = alert
                .cause
                .strip_prefix("seen:")
                .and_then(|rest| rest.rsplit_once(':'))
            else {
                continue;
            };
            let seen = all.iter().find(|s| s.id().to_string() == id);
            let Some(seen) = seen else {
                alerts::close(self.conn, &alert.cause)?;
                continue;
            };
            let (since, at, struck) =
                back.entry(together.to_owned())
                    .or_insert((alert.since, alert.told_at, Vec::new()));
            (*since, *at) = ((*since).min(alert.since), (*at).min(alert.told_at));
            struck.push(seen);
        }
        let mut raised = 0;
        for (together, (since, at, struck)) in back {
            let others_fail = failing.contains(&together);
            if others_fail && self.now - at < delta(self.settings.after) {
                continue;
            }
            alerts::close_all(self.conn, &format!("seen:{together}:"))?;
            raised += self.tell_seen(struck, since)?;
        }
        Ok(raised)
    }

    fn tell_unseen(
        &self,
        struck: Struck<'_>,
        since: DateTime<Utc>,
        why: Blind<'_>,
    ) -> store::Result<u32> {
        let mut raised = 0;
        for (chat, struck) in self.by_chat(struck) {
            let Some(first) = struck.first() else {
                continue;
            };
            let (voice, _) = self.voice(&first.company, &first.row, &chat)?;
            let at = self.local(&first.company, &first.row, since).time();
            let text = alert_company_unseen(voice, &named(&struck), at, why);
            self.write(&first.company, &chat, &text, &[])?;
            raised += 1;
        }
        Ok(raised)
    }

    fn tell_seen(&self, struck: Struck<'_>, since: DateTime<Utc>) -> store::Result<u32> {
        let gap = (self.now - since).num_seconds();
        let mut raised = 0;
        for (chat, struck) in self.by_chat(struck) {
            let Some(first) = struck.first() else {
                continue;
            };
            let mut waited = Waited::default();
            for seen in &struck {
                waited.sending += self.waited(Some(seen.id()))?.sending;
            }
            let (voice, _) = self.voice(&first.company, &first.row, &chat)?;
            let text = alert_company_seen(voice, &named(&struck), gap, waited);
            self.write(&first.company, &chat, &text, &[])?;
            raised += 1;
        }
        Ok(raised)
    }

    /// Who hears of which of these.
    fn by_chat<'s>(&self, struck: Struck<'s>) -> BTreeMap<Chat, Struck<'s>> {
        let mut chats: BTreeMap<Chat, Struck<'s>> = BTreeMap::new();
        for seen in struck {
            for chat in self.chats(&seen.company) {
                chats.entry(chat).or_default().push(seen);
            }
        }
        chats
    }
}

/// `Малаховка, Бутово`, and of many how many more.
fn named(struck: &[&Seen]) -> String {
    let titles = struck.iter().take(MOST_NAMED);
    let titles: Vec<String> = titles.map(|s| s.company.title(&s.row)).collect();
    match struck.len().saturating_sub(MOST_NAMED) {
        0 => titles.join(", "),
        more => format!("{} +{more}", titles.join(", ")),
    }
}
