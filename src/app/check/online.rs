//! What only the services can tell: what the robot's user sees, whether each channel works, and the
//! machine under it all. Sends nothing.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use super::advice;
use super::findings::{Findings, Sign};
use super::unit::{self, Unit};
use crate::app::agent::Models;
use crate::app::progress::Progress;
use crate::app::text::Say;
use crate::app::{Failure, api, channel_ends, stdout_sink, templates};
use crate::config::{Company, Config, Language};
use crate::domain::policy::Kind;
use crate::domain::zone::Zone;
use crate::ports::{ApiError, BookingApi as _, CompanyRef, Standing};
use crate::store::Room;
use crate::yclients::{Client, Survey};

/// Local clocks further off than this make messages early or late.
const SKEW: i64 = 120;
/// Bookings of these days are looked at: some are certainly there, and old ones may be hidden.
const BACK: TimeDelta = TimeDelta::days(14);
const AHEAD: TimeDelta = TimeDelta::days(30);
/// So few bookings may lack phones by chance.
const FEW: usize = 5;

pub(super) async fn ask(config: &Config, words: Say, found: &mut Findings) -> Result<(), Failure> {
    let api = api(config)?;
    let mut skews: Vec<i64> = Vec::new();
    for company in &config.companies {
        let asked = words.of("Спрашиваю YClients", "Asking YClients");
        let _shown = Progress::of(format!("{asked}: {}", company.id));
        match look_at(&api, company).await {
            Ok(seen) => {
                skews.extend(seen.skew());
                seen.tell(company, words, found);
            }
            Err(error) => found.problem(
                format!(
                    "companies.id = {}: {}",
                    company.id,
                    words.spoken(&error.to_string())
                ),
                advice::of_company(words, &error),
            ),
        }
    }
    // One clock, however many companies: the smallest difference has the least waiting in it.
    if let Some(skew) = skews.into_iter().min_by_key(|skew| skew.abs()) {
        clock(skew, words, found);
    }
    models(config, words, found).await?;
    channels(config, words, found).await?;
    machine(config, words, found);
    Ok(())
}

/// A company as the robot's user sees it.
pub(in crate::app) struct Seen {
    pub(in crate::app) title: String,
    pub(in crate::app) address: String,
    pub(in crate::app) zone: Zone,
    pub(in crate::app) survey: Survey,
    /// Why the company's own data could not be had; none of it is needed where a zone is written.
    refused: Option<ApiError>,
    asked_at: DateTime<Utc>,
}

/// Asks for the company's data and looks at its bookings.
pub(in crate::app) async fn look_at(api: &Client, company: &Company) -> Result<Seen, ApiError> {
    let (info, refused) = match (api.company(company.id).await, company.timezone) {
        (Ok(info), _) => (info, None),
        // The journal can be read without it.
        (Err(error @ ApiError::Denied { .. }), Some(_)) => (Default::default(), Some(error)),
        (Err(error), _) => return Err(error),
    };
    let zone = company.timezone.or(info.zone).ok_or_else(|| {
        ApiError::Unreadable("the company names no time zone: set `timezone` under it".into())
    })?;
    let reference = CompanyRef {
        id: company.id,
        zone,
        country: company.country.clone(),
        standing: Standing::first(),
    };
    let asked_at = Utc::now();
    let survey = survey(api, &reference).await?;
    let or = |own: &Option<String>, theirs: String| own.clone().unwrap_or(theirs);
    Ok(Seen {
        title: or(&company.title, info.title),
        address: or(&company.address, info.address),
        zone,
        survey,
        refused,
        asked_at,
    })
}

impl Seen {
    /// By how many seconds our clock is ahead of the API's.
    fn skew(&self) -> Option<i64> {
        let date = self.survey.server_date?;
        Some((self.asked_at - date).num_seconds())
    }

    fn tell(&self, company: &Company, words: Say, found: &mut Findings) {
        let id = company.id;
        let address = match self.address.as_str() {
            "" => String::new(),
            address => format!(", {address}"),
        };
        found.good(format!(
            "YClients: {} ({id}), {}{address}",
            self.title,
            self.zone.name()
        ));
        if let Some(error) = &self.refused {
            found.remark(
                format!(
                    "companies.id = {id}: /company: {}",
                    words.spoken(&error.to_string())
                ),
                words.of(
                    "Без этого нет названия и адреса: напишите title, address и phone филиала сами.",
                    "Without it there is no title and no address: write the company's title, address and phone.",
                ),
            );
        }
        self.tell_phones(words, found);
        self.tell_notices(company, words, found);
    }

    fn tell_phones(&self, words: Say, found: &mut Findings) {
        let (title, seen) = (&self.title, &self.survey);
        let of = seen.bookings;
        let what = phones(words, title, seen);
        if of == 0 {
            found.note(what);
            return;
        }
        match (seen.hides_phones(), of) {
            (false, _) => found.good(what),
            // Two walk-ins without a number prove nothing yet.
            (true, 0..FEW) => found.remark(what, tick_the_box(words)),
            (true, _) => found.problem(what, tick_the_box(words)),
        }
    }

    /// The client who is told twice trusts neither.
    fn tell_notices(&self, company: &Company, words: Say, found: &mut Findings) {
        let (title, sends, of) = (&self.title, self.survey.notices, self.survey.bookings);
        let now = sends.sms_now.max(sends.email_now);
        if now > 0 && company.rules.kinds.contains(&Kind::Created) {
            let what = notices(words, title, &self.survey);
            found.remark(what, switch_theirs_off(words));
        }
        if sends.sms_before > 0 {
            found.note(match words.0 {
                Language::Ru => format!("{title}: YClients сам напоминает по SMS: {} из {of}. Наше напоминание было бы вторым", sends.sms_before),
                Language::En => format!("{title}: YClients reminds by SMS itself: {} of {of}. A reminder of ours would be the second", sends.sms_before),
            });
        }
    }
}

/// Looks at some weeks of the journal.
pub(in crate::app) async fn survey(api: &Client, company: &CompanyRef) -> Result<Survey, ApiError> {
    let today = Utc::now().with_timezone(&company.zone).date_naive();
    api.survey(company, today - BACK, today + AHEAD).await
}

/// In how many bookings phones are visible.
pub(in crate::app) fn phones(words: Say, title: &str, seen: &Survey) -> String {
    let (shown, of, masters) = (seen.with_phone, seen.bookings, seen.masters.len());
    match (of, words.0) {
        (0, Language::Ru) => {
            format!("{title}: ближайших записей с клиентами не видно, проверить права не на чем")
        }
        (0, Language::En) => {
            format!("{title}: no bookings with clients around today to judge the rights by")
        }
        (_, Language::Ru) => {
            format!("{title}: телефоны видны в {shown} из {of} записей, мастеров: {masters}")
        }
        (_, Language::En) => {
            format!("{title}: phones visible in {shown} of {of} bookings, masters: {masters}")
        }
    }
}

/// What YClients itself tells of new bookings.
pub(in crate::app) fn notices(words: Say, title: &str, seen: &Survey) -> String {
    let (sms, email, of) = (seen.notices.sms_now, seen.notices.email_now, seen.bookings);
    match words.0 {
        Language::Ru => format!(
            "{title}: YClients и сам сообщает о записи, SMS: {sms}, письмо: {email} из {of}"
        ),
        Language::En => {
            format!("{title}: YClients tells of bookings, too, SMS: {sms}, e-mail: {email} of {of}")
        }
    }
}

/// Where phones are shown or hidden.
pub(in crate::app) fn tick_the_box(words: Say) -> &'static str {
    words.of(
        "Поставьте галочку: YClients → Настройки → Пользователи → пользователь робота → «Журнал записи» → «Видеть телефоны клиентов», и то же в «Клиентской базе». Без телефонов писать некому.",
        "Tick the box: YClients → Settings → Users → the robot's user → Appointment calendar → see clients' phones, and the same under Client base. Without phones there is nobody to write to.",
    )
}

/// Where YClients' own notifications are switched off.
pub(in crate::app) fn switch_theirs_off(words: Say) -> &'static str {
    words.of(
        "Клиент узнает дважды. Выключите одно: YClients → Настройки → Уведомления, или здесь notify = { created = false }.",
        "Clients hear of it twice. Switch one off: YClients → Settings → Notifications, or here notify = { created = false }.",
    )
}

fn clock(skew: i64, words: Say, found: &mut Findings) {
    if skew.abs() <= SKEW {
        found.good(words.of("часы идут верно", "the clock is right"));
        return;
    }
    let what = match words.0 {
        Language::Ru => format!("часы этой машины расходятся с YClients на {skew} с"),
        Language::En => format!("this machine's clock differs from YClients by {skew} s"),
    };
    found.remark(
        what,
        words.of(
            "Включите сверку времени: timedatectl set-ntp true",
            "Let it be set by the network: timedatectl set-ntp true",
        ),
    );
}

/// Whether the agents' models take the key and are there. Nobody's words are sent.
async fn models(config: &Config, words: Say, found: &mut Findings) -> Result<(), Failure> {
    let mut models = Models::default();
    for company in config.companies.iter().filter(|c| c.agent.enabled) {
        models.of(company)?;
    }
    for model in models.all() {
        let name = words.of("модель агента", "the agent's model");
        match model.probe().await {
            Ok(()) => found.good(format!("{name} {}", model.name())),
            Err(error) => found.problem(
                format!("agent: {}", words.spoken(&error.to_string())),
                words.of(
                    "Проверьте ключ, scope, имя модели и ca_file в [agent]; до тех пор разговоры достаются людям.",
                    "Check the key, the scope, the model's name and ca_file in [agent]; until then people get the conversations.",
                ),
            ),
        }
    }
    Ok(())
}

async fn channels(config: &Config, words: Say, found: &mut Findings) -> Result<(), Failure> {
    let ends = channel_ends(config, &stdout_sink())?;
    for (end, settings) in ends.iter().zip(&config.channels) {
        let name = &end.name;
        let asked = words.of("Спрашиваю канал", "Asking channel");
        let _shown = Progress::of(format!("{asked} {name}"));
        if let Err(why) = end.channel.probe().await {
            let what = format!("channels.{name}: {}", words.spoken(&why));
            match is_used(config, name) {
                true => found.problem(what, advice::of_channel(words, &settings.kind, &why)),
                // Nobody is written to over it, so nobody misses a message.
                false => found.remark(
                    what,
                    words.of(
                        "Этим каналом не пользуется ни один филиал: уберите его или назовите в channels либо owner.",
                        "No company uses this channel: remove it, or name it in channels or owner.",
                    ),
                ),
            }
            continue;
        }
        let who = end.channel.introduce().await;
        let who = who.map_or_else(String::new, |who| format!(", {who}"));
        found.good(format!(
            "{} {name} ({}{who})",
            words.of("канал", "channel"),
            end.kind
        ));
        for remark in end.channel.inspect().await {
            let action = advice::of_remark(words, &remark);
            found.remark(
                format!("channels.{name}: {}", words.spoken(&remark)),
                action,
            );
        }
        match end.channel.template_gaps().await {
            Ok(gaps) => {
                for gap in &gaps {
                    found.said(Sign::Remark, templates::gap(words, name, gap));
                }
            }
            Err(why) => found.remark(
                format!(
                    "channels.{name}: {}: {}",
                    words.of("шаблоны не прочитаны", "the templates could not be read"),
                    words.spoken(&why)
                ),
                words.of(
                    "Чтобы увидеть, одобрены ли они, впишите waba_id и дайте токену право whatsapp_business_management.",
                    "To see whether they are approved write waba_id, and give the token whatsapp_business_management.",
                ),
            ),
        }
    }
    Ok(())
}

/// Whether a company writes over this channel, to clients or to an owner.
fn is_used(config: &Config, name: &str) -> bool {
    config.companies.iter().any(|c| {
        c.channels.iter().any(|channel| channel == name)
            || c.owners.iter().any(|owner| owner.channel == name)
    })
}

/// The disk and what starts the program.
fn machine(config: &Config, words: Say, found: &mut Findings) {
    if let Ok(free) = Room::beside(&config.database.path).free() {
        let room = words.room(free);
        match free.is_little() {
            false => found.good(room),
            true => found.remark(
                room,
                words.of(
                    "Освободите место: что нельзя записать, то не отправляется.",
                    "Make room: what cannot be written down is not sent.",
                ),
            ),
        }
    }
    match unit::find(Path::new("/")) {
        None => {}
        Some(Unit::Enabled(name)) => found.good(format!(
            "{} {name}",
            words.of("запускается сама:", "started by itself:")
        )),
        Some(Unit::Installed(name)) => found.remark(
            match words.0 {
                Language::Ru => format!("служба {name} есть, но после перезагрузки не запустится"),
                Language::En => format!("the unit {name} is there, but not started after a reboot"),
            },
            &format!("sudo systemctl enable --now {name}"),
        ),
        Some(Unit::Missing) => found.note(words.of(
            "службы systemd нет: после перезагрузки программа сама не запустится",
            "there is no systemd unit: nothing starts the program after a reboot",
        )),
    }
}
