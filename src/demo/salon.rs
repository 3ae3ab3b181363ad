//! A salon that exists only in memory and speaks the records API over HTTP.
//!
//! What it serves has the shapes of the real API, page after page; what the salon's people do is a
//! verb here ([`Salon::book`], [`Salon::cancel`] …) that stamps `last_change_date` by the given
//! clock, as the API does. It can also be ill in every way the API has been seen to be ([`Fault`]).
//! Verbs panic on a record or company that does not exist: a script that names one is wrong.

mod draft;
mod fault;
mod form;
mod journal;
mod server;
mod writing;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use self::draft::{BookingDraft, DraftService};
use self::fault::Faults;
pub use self::fault::{Fault, Route};
use self::journal::Journal;
use self::server::Access;
use crate::domain::zone::Zone;
use crate::http_client::ClientSettings;
use crate::ports::Clock;
use crate::yclients;

/// The partner's token that the salon takes.
pub const PARTNER_TOKEN: &str = "demo-partner-token";
/// The user's token that the salon takes until [`Salon::revoke_user_tokens`].
pub const USER_TOKEN: &str = "demo-user-token";

/// A running salon. Clones are the same salon; it closes when the last of them is dropped.
#[derive(Clone)]
pub struct Salon(Arc<Running>);

struct Running {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Shared {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    journal: Journal,
    access: Access,
    faults: Faults,
    requests: Vec<Request>,
    /// What the server's clock is ahead of ours.
    skew: TimeDelta,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`.
    pub method: String,
    /// Path and query below the base address: `/records/111?page=1&count=200`.
    pub path: String,
    /// Which part of the API it went to, where it is one.
    pub route: Option<Route>,
    /// The real time of its arrival.
    pub at: Instant,
}

impl Salon {
    /// Opens a salon without companies on a free port of the loopback.
    pub async fn start(clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            clock,
            state: Mutex::new(State::default()),
        });
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self(Arc::new(Running {
            shared,
            address,
            server,
        })))
    }

    /// The base address of its API, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/api/v1", self.0.address)
    }

    /// Settings that reach it, with caps that loopback needs none of.
    #[must_use]
    pub fn settings(&self) -> yclients::Settings {
        yclients::Settings {
            base_url: self.base_url(),
            partner_token: SecretString::from(PARTNER_TOKEN),
            user: yclients::User::Token(SecretString::from(USER_TOKEN)),
            accept: "application/vnd.yclients.v2+json".to_owned(),
            requests_per_second: 1000,
            requests_per_minute: 60_000,
            page_size: 200,
            own_users: std::collections::BTreeMap::new(),
            client: ClientSettings {
                timeout: Duration::from_secs(5),
                proxy: None,
                ca_file: None,
            },
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State, DateTime<Utc>) -> T) -> T {
        let now = self.0.shared.clock.now();
        let mut state = self.0.shared.state();
        let now = now + state.skew;
        act(&mut state, now)
    }

    /// A company opens its journal.
    pub fn add_company(&self, id: i64, title: &str, address: &str, zone: Zone) {
        self.with(|state, _| state.journal.add_company(id, title, address, zone));
    }

    /// Changes the company's own data as `GET /company` shows them.
    pub fn edit_company(&self, id: i64, change: impl FnOnce(&mut Value)) {
        self.with(|state, _| change(&mut state.journal.company(id).info));
    }

    /// Writes a booking into the journal; its record's id.
    pub fn book(&self, draft: BookingDraft) -> i64 {
        self.with(|state, now| state.journal.book(draft, now))
    }

    /// Moves a booking to another wall-clock time.
    pub fn reschedule(&self, company: i64, record: i64, start: NaiveDateTime) {
        self.with(|state, now| state.journal.reschedule(company, record, start, now));
    }

    /// Gives a booking to another master.
    pub fn change_staff(&self, company: i64, record: i64, staff: i64, name: &str) {
        self.edit(company, record, |row| draft::set_staff(row, staff, name));
    }

    /// Puts other services into a booking.
    pub fn change_services(&self, company: i64, record: i64, services: &[DraftService]) {
        self.edit(company, record, |row| draft::set_services(row, services));
    }

    /// Any change of the row as it is served. `last_change_date` is stamped first, so that it can
    /// be changed too.
    pub fn edit(&self, company: i64, record: i64, change: impl FnOnce(&mut Value)) {
        self.with(|state, now| state.journal.edit(company, record, now, change));
    }

    /// Takes a booking off: `deleted` becomes true.
    pub fn cancel(&self, company: i64, record: i64) {
        self.edit(company, record, |row| row["deleted"] = true.into());
    }

    /// Brings a cancelled booking back.
    pub fn restore(&self, company: i64, record: i64) {
        self.edit(company, record, |row| row["deleted"] = false.into());
    }

    /// Sets `attendance`: 2 confirmed, 1 came, 0 expected, -1 did not come.
    pub fn set_attendance(&self, company: i64, record: i64, attendance: i64) {
        self.edit(company, record, |row| {
            row["attendance"] = attendance.into();
            row["visit_attendance"] = attendance.into();
        });
    }

    /// The row vanishes without a trace: no deleted row, `GET /record` answers 404.
    pub fn erase(&self, company: i64, record: i64) {
        self.with(|state, _| state.journal.erase(company, record));
    }

    /// As though the booking had been made, and last changed, at that moment.
    pub fn backdate(&self, company: i64, record: i64, made_at: DateTime<Utc>) {
        self.with(|state, _| state.journal.backdate(company, record, made_at));
    }

    /// The row as it is served, if there is one.
    #[must_use]
    pub fn row(&self, company: i64, record: i64) -> Option<Value> {
        self.with(|state, _| state.journal.row(company, record).cloned())
    }

    /// These times can be booked with a master, through the widget.
    pub fn offer(&self, company: i64, staff: i64, times: &[NaiveDateTime]) {
        let times = times.iter().map(|at| (*at, staff));
        self.with(|state, _| state.journal.company(company).free.extend(times));
    }

    /// A service stands in the booking form: its id, title, price and length in seconds.
    pub fn sell(&self, company: i64, service: &DraftService, length: i64) {
        self.with(|state, _| state.journal.company(company).form.sell(service, length));
    }

    /// A master can be booked for these services.
    pub fn employ(&self, company: i64, staff: i64, name: &str, services: &[i64]) {
        self.with(|state, _| {
            let company = state.journal.company(company);
            company.form.employ(staff, name, services);
        });
    }

    /// The user loses sight of a master: rows vanish from listings, `GET /record` answers 403.
    pub fn hide_staff(&self, company: i64, staff: i64) {
        self.with(|state, _| state.journal.company(company).hidden_staff.insert(staff));
    }

    /// The user sees the master again.
    pub fn show_staff(&self, company: i64, staff: i64) {
        self.with(|state, _| state.journal.company(company).hidden_staff.remove(&staff));
    }

    /// The user loses sight of the journal from this day on: standing bookings vanish from listings,
    /// `GET /record` answers 404. `None` shows them again.
    pub fn hide_from(&self, company: i64, day: Option<NaiveDate>) {
        self.with(|state, _| state.journal.company(company).hidden_from = day);
    }

    /// The user loses sight of phones: they are served empty.
    pub fn hide_phones(&self, company: i64) {
        self.with(|state, _| state.journal.company(company).phones_hidden = true);
    }

    /// The user sees phones again.
    pub fn show_phones(&self, company: i64) {
        self.with(|state, _| state.journal.company(company).phones_hidden = false);
    }

    /// The zone in which the API reads a naive `changed_after`, which nobody documents; until told
    /// otherwise it is the company's own.
    pub fn read_cursors_in(&self, company: i64, zone: Zone) {
        self.with(|state, _| state.journal.company(company).cursor_zone = Some(zone));
    }

    /// The server's clock, its stamps and its `Date` included, goes wrong by so much.
    pub fn skew_clock(&self, ahead: TimeDelta) {
        self.with(|state, _| state.skew = ahead);
    }

    /// What is written from now on becomes visible so much later, as on a replica that lags.
    pub fn lag(&self, company: i64, lag: TimeDelta) {
        self.with(|state, _| state.journal.company(company).lag = lag);
    }

    /// The user has no rights in this company: 403 everywhere in it.
    pub fn forbid(&self, company: i64, forbidden: bool) {
        self.with(|state, _| state.journal.company(company).forbidden = forbidden);
    }

    /// An account that may sign in at `/auth`, with or without a second factor.
    pub fn allow_login(&self, login: &str, password: &str, second_factor: bool) {
        self.with(|state, _| state.access.allow_login(login, password, second_factor));
    }

    /// The password was changed: no user's token is taken until somebody signs in.
    pub fn revoke_user_tokens(&self) {
        self.with(|state, _| state.access.revoke());
    }

    /// The next `times` answers of this kind go wrong.
    pub fn fail_next(&self, route: Route, times: usize, fault: Fault) {
        self.with(|state, _| state.faults.queue(route, times, fault));
    }

    /// Every answer of this kind goes wrong until told otherwise.
    pub fn set_fault(&self, route: Route, fault: Option<Fault>) {
        self.with(|state, _| state.faults.set(route, fault));
    }

    /// Everything asked so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.with(|state, _| state.requests.clone())
    }

    /// How many requests of one kind came so far.
    #[must_use]
    pub fn asked(&self, route: Route) -> usize {
        self.with(|state, _| {
            let of_kind = |request: &&Request| request.route == Some(route);
            state.requests.iter().filter(of_kind).count()
        })
    }
}
