//! STOP and START: heeded at once, confirmed once, remembered per phone and the companies of the
//! channel they were written in.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::receive::Written;
use super::{ChannelEnd, Company, Desk, words};
use crate::domain::message::Told;
use crate::domain::phone::Phone;
use crate::domain::wish::Wish;
use crate::domain::zone::Zone;
use crate::ports::Addressing;
use crate::store::outbox::{self, New};
use crate::store::{self, companies, optouts};

impl Desk {
    /// Does what a client asked for, and says so if it was not so already. Returns whether it was
    /// news.
    pub(super) fn heed(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        written: &Written,
        wish: Wish,
        now: DateTime<Utc>,
    ) -> store::Result<bool> {
        let served: Vec<&Company> = self.served_by(&end.name).collect();
        let ids: Vec<i64> = served.iter().map(|c| c.settings.id).collect();
        let channels = served.iter().flat_map(|c| c.settings.channels.clone());
        let channels: Vec<String> = channels.collect();
        let phone = written.phone.as_ref().map_or("", |p| p.e164());
        let (since, told) = match wish {
            Wish::Stop => (Some(now), Told::Stopped),
            Wish::Start => (None, Told::Started),
        };
        let mut is_new = optouts::mark(conn, &end.name, &written.chat_id, phone, &channels, since)?;
        if !phone.is_empty() {
            is_new |= match wish {
                Wish::Stop => optouts::stop(conn, phone, &ids, now)?,
                Wish::Start => optouts::start(conn, phone, &ids)?,
            };
        }
        let Some(company) = served.first().filter(|_| is_new) else {
            return Ok(false);
        };
        let row = companies::ensure(conn, company.settings.id)?;
        let place = words::Place {
            company,
            row: &row,
            zone: company.zone(&row).unwrap_or(Zone::UTC),
            now,
        };
        outbox::add(
            conn,
            &New {
                company: company.settings.id,
                recipient: &address(end, &written.chat_id, written.phone.as_ref()),
                channel: &end.name,
                message: &words::said(&place, end, &told),
                ..New::note("reply", now)
            },
            now,
        )?;
        Ok(true)
    }

    /// A chat that asked for silence before anybody knew whose it is is now known to be this phone's.
    pub(super) fn carry_silence(
        &self,
        conn: &Connection,
        end: &ChannelEnd,
        chat_id: &str,
        phone: &Phone,
        now: DateTime<Utc>,
    ) -> store::Result<()> {
        if optouts::is_chat_out(conn, &end.name, chat_id)? {
            let ids = self.served_by(&end.name).map(|c| c.settings.id);
            let ids: Vec<i64> = ids.collect();
            optouts::stop(conn, phone.e164(), &ids, now)?;
        }
        Ok(())
    }

    /// At a start: a company that is new takes over the silence that was asked for on its channels. Where
    /// another company of the channel may write to that person, the STOP was said elsewhere.
    pub(super) fn bind_newcomers(&self, conn: &Connection) -> store::Result<()> {
        for (id, company) in self.companies.iter() {
            let is_new = |id| -> store::Result<bool> {
                let row = companies::get(conn, id)?;
                Ok(row.is_none_or(|row| row.baseline_at.is_none()))
            };
            if !is_new(*id)? {
                continue;
            }
            for channel in &company.settings.channels {
                let mut others = Vec::new();
                for other in self.served_by(channel).map(|c| c.settings.id) {
                    if !is_new(other)? {
                        others.push(other);
                    }
                }
                optouts::bind_newcomer(conn, *id, channel, &others)?;
            }
        }
        Ok(())
    }

    /// The companies that write to clients over this channel.
    fn served_by<'a>(&'a self, channel: &'a str) -> impl Iterator<Item = &'a Company> {
        let all = self.companies.values().map(|c| c.as_ref());
        all.filter(move |c| c.writes_over(channel))
    }
}

/// How a channel addresses somebody who wrote in this chat.
pub(super) fn address(end: &ChannelEnd, chat_id: &str, phone: Option<&Phone>) -> String {
    match (end.channel.addressing(), phone) {
        (Addressing::Phone, Some(phone)) => phone.e164().to_owned(),
        _ => chat_id.to_owned(),
    }
}
