//! The HTTP side of the simulated salon.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, RETRY_AFTER};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::journal::{Company, Filter};
use super::writing;
use super::{Fault, PARTNER_TOKEN, Request, Route, Shared, USER_TOKEN};
use crate::domain::record::instant;

/// The largest page the API has been seen to serve.
const LARGEST_PAGE: usize = 300;
const PREFIX: &str = "/api/v1";

/// Who may ask.
pub(super) struct Access {
    users: BTreeSet<String>,
    logins: BTreeMap<String, (String, bool)>,
    issued: u32,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            users: BTreeSet::from([USER_TOKEN.to_owned()]),
            logins: BTreeMap::new(),
            issued: 0,
        }
    }
}

impl Access {
    pub(super) fn allow_login(&mut self, login: &str, password: &str, second_factor: bool) {
        self.logins
            .insert(login.to_owned(), (password.to_owned(), second_factor));
    }

    pub(super) fn revoke(&mut self) {
        self.users.clear();
    }
}

type Parameters = HashMap<String, String>;

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let router = Router::new().fallback(answer).with_state(shared);
    // The listener is ours and bound: there is nothing to report and nobody to report it to.
    drop(axum::serve(listener, router).await);
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().strip_prefix(PREFIX).unwrap_or(uri.path());
    let (route, ids) = route(&method, path);
    let whole = uri.to_string();
    let (fault, now) = {
        let mut state = shared.state();
        let query = uri.query().map(|query| format!("?{query}"));
        state.requests.push(Request {
            method: method.to_string(),
            path: format!("{path}{}", query.unwrap_or_default()),
            route,
            at: Instant::now().into_std(),
        });
        let fault = route.and_then(|route| state.faults.take(route));
        (fault, shared.clock.now() + state.skew)
    };
    let asked = Asked {
        ids: &ids,
        uri: &whole,
        last: path.rsplit('/').next().unwrap_or_default(),
        parameters: &parameters,
        headers: &headers,
        body: &body,
        now,
    };
    let reply = match (route, fault) {
        (None, _) => Reply::refused(404, "Не найдено"),
        (Some(_), Some(Fault::Hang)) => std::future::pending().await,
        (Some(_), Some(Fault::Disconnect)) => return broken_off(),
        (Some(route), Some(Fault::AnswerLost)) => {
            drop(right(&shared, route, asked, None));
            return broken_off();
        }
        (Some(route), Some(Fault::Truncated)) => right(&shared, route, asked, None).halved(),
        (
            Some(route),
            Some(
                bend @ (Fault::RepeatPage
                | Fault::EndlessPages
                | Fault::SmallPages(_)
                | Fault::Drift
                | Fault::Miscounted(_)
                | Fault::NullRow),
            ),
        ) => right(&shared, route, asked, Some(bend)),
        (Some(_), Some(fault)) => wrong(fault),
        (Some(route), None) => right(&shared, route, asked, None),
    };
    let mut response = reply.into_response();
    if let Ok(date) = httpdate::fmt_http_date(SystemTime::from(now)).parse() {
        response.headers_mut().insert(DATE, date);
    }
    response
}

fn route(method: &Method, path: &str) -> (Option<Route>, Vec<i64>) {
    let mut segments = path.trim_matches('/').split('/');
    let first = segments.next().unwrap_or_default();
    let ids: Vec<i64> = segments.map_while(|id| id.parse().ok()).collect();
    let route = match (method.as_str(), first, ids.len()) {
        ("GET", "records", 1) => Some(Route::Records),
        ("GET", "record", 2) => Some(Route::Record),
        ("GET", "company", 1) => Some(Route::Company),
        ("GET", "companies", 0) => Some(Route::Companies),
        ("GET", "book_dates", 1) => Some(Route::BookDates),
        ("GET", "book_services", 1) => Some(Route::BookServices),
        ("GET", "book_staff", 1) => Some(Route::BookStaff),
        // The day behind the two is no number.
        ("GET", "book_times", 2) => Some(Route::BookTimes),
        ("POST", "auth", 0) => Some(Route::Auth),
        ("POST", "records", 1) => Some(Route::Make),
        ("PUT", "record", 2) => Some(Route::Change),
        ("DELETE", "record", 2) => Some(Route::Cancel),
        ("PUT", "visits", 2) => Some(Route::Attend),
        _ => None,
    };
    (route, ids)
}

/// A request, as far as the right answer depends on it.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    ids: &'a [i64],
    /// Path and query.
    uri: &'a str,
    /// The last part of the path.
    last: &'a str,
    parameters: &'a Parameters,
    headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// Server time.
    pub(super) now: DateTime<Utc>,
}

/// The answer of a healthy API, or of one that gets its listings wrong.
fn right(shared: &Shared, route: Route, asked: Asked<'_>, bend: Option<Fault>) -> Reply {
    let mut state = shared.state();
    let given = asked
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let (partner, user) = match given
        .strip_prefix("Bearer ")
        .unwrap_or("")
        .split_once(", User ")
    {
        Some((partner, user)) => (partner, Some(user)),
        None => (given.strip_prefix("Bearer ").unwrap_or(""), None),
    };
    if partner != PARTNER_TOKEN {
        return Reply::stranger("Не указан идентификатор партнера");
    }
    if route == Route::Auth {
        return sign_in(&mut state.access, asked.body);
    }
    if !user.is_some_and(|user| state.access.users.contains(user)) {
        return Reply::stranger("Необходима авторизация");
    }
    if route == Route::Companies {
        let mine = state.journal.open_to_the_user();
        let total = mine.len();
        return Reply::good(mine.into(), json!({ "total_count": total }));
    }
    let (company_id, record_id) = (asked.ids.first(), asked.ids.get(1));
    if route == Route::Attend {
        let company = record_id.and_then(|id| state.journal.company_of(*id));
        return match (company, record_id) {
            (Some(company), Some(id)) => writing::attend(&mut state.journal, company, *id, asked),
            _ => Reply::refused(404, "Не найдено"),
        };
    }
    let company = match company_id.and_then(|id| state.journal.find(*id)) {
        None => return Reply::refused(404, "Филиал не найден."),
        Some(company) if company.forbidden => {
            return Reply::refused(403, "Нет прав на управление филиалом");
        }
        Some(company) => company,
    };
    match (route, record_id) {
        (Route::Records, _) => records(company, asked, bend),
        (Route::Record, Some(id)) => match company.look(*id, asked.now) {
            Some(Ok(row)) => Reply::good(row, json!([])),
            Some(Err(())) => Reply::refused(403, "Недостаточно прав"),
            None => Reply::refused(404, "Не найдено"),
        },
        (Route::Company, _) => Reply::good(company.info.clone(), json!([])),
        (Route::BookDates, _) => book_dates(company, asked),
        (Route::BookServices, _) => Reply::good(company.form.services(asked.uri), json!([])),
        (Route::BookStaff, _) => Reply::good(company.form.masters(asked.uri), json!([])),
        (Route::BookTimes, staff) => book_times(company, staff.copied().unwrap_or(0), asked),
        (Route::Make, _) => {
            let company = asked.ids[0];
            writing::make(&mut state.journal, company, asked)
        }
        (Route::Change, Some(id)) => match company.look(*id, asked.now) {
            Some(Ok(_)) => {
                let company = asked.ids[0];
                writing::change(&mut state.journal, company, *id, asked)
            }
            Some(Err(())) => Reply::refused(403, "Недостаточно прав"),
            None => Reply::refused(404, "Не найдено"),
        },
        (Route::Cancel, Some(id)) => match company.look(*id, asked.now) {
            Some(Ok(row)) if row["deleted"] != json!(true) => {
                let company = asked.ids[0];
                writing::cancel(&mut state.journal, company, *id, asked)
            }
            Some(Err(())) => Reply::refused(403, "Недостаточно прав"),
            Some(Ok(_)) | None => Reply::refused(404, "Не найдено"),
        },
        (
            Route::Record
            | Route::Auth
            | Route::Change
            | Route::Cancel
            | Route::Attend
            | Route::Companies,
            _,
        ) => Reply::refused(404, "Не найдено"),
    }
}

/// Days with a free time, of one master or of any.
fn book_dates(company: &Company, asked: Asked<'_>) -> Reply {
    let staff = asked.parameters.get("staff_id");
    let staff = staff.and_then(|id| id.parse().ok()).unwrap_or(0);
    let days: BTreeSet<String> = company
        .free_times(staff)
        .map(|at| at.date().to_string())
        .collect();
    Reply::good(
        json!({ "booking_dates": days, "working_dates": days }),
        json!([]),
    )
}

/// The free times of one day.
fn book_times(company: &Company, staff: i64, asked: Asked<'_>) -> Reply {
    let times = company.free_times(staff);
    let times = times.filter(|at| at.date().to_string() == asked.last);
    let rows: Vec<Value> = times
        .map(|at| {
            let instant = instant(at, company.zone).with_timezone(&company.zone);
            json!({
                "time": at.format("%-H:%M").to_string(),
                "seance_length": 3600,
                "datetime": instant.to_rfc3339(),
            })
        })
        .collect();
    Reply::good(rows.into(), json!([]))
}

fn records(company: &Company, asked: Asked<'_>, bend: Option<Fault>) -> Reply {
    let parameters = asked.parameters;
    let Some(filter) = filter(parameters) else {
        return Reply::refused(400, "Недопустимое значение фильтра");
    };
    let number = |key: &str, otherwise: usize| {
        let given = parameters.get(key).and_then(|text| text.parse().ok());
        given.unwrap_or(otherwise).max(1)
    };
    let (mut page, mut count) = (number("page", 1), number("count", 25).min(LARGEST_PAGE));
    let found = company.list(&filter, asked.now);
    let mut total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let mut skipped = 0;
    match bend {
        Some(Fault::RepeatPage) => page = 1,
        Some(Fault::EndlessPages) => page = (page - 1) % found.len().div_ceil(count).max(1) + 1,
        Some(Fault::SmallPages(most)) => count = count.min(most).max(1),
        Some(Fault::Drift) => skipped = page - 1,
        Some(Fault::Miscounted(by)) => total = (total + by).max(0),
        _ => {}
    }
    let mut rows: Vec<Value> = found
        .into_iter()
        .skip((page - 1).saturating_mul(count) + skipped)
        .take(count)
        .collect();
    if let (Some(Fault::NullRow), Some(first)) = (&bend, rows.first_mut()) {
        *first = Value::Null;
    }
    Reply::good(rows.into(), json!({ "page": page, "total_count": total }))
}

/// `None` when a filter cannot be read, which the API answers with 400.
fn filter(parameters: &Parameters) -> Option<Filter> {
    let day = |key: &str| match parameters.get(key) {
        None => Some(None),
        Some(text) => text.parse::<NaiveDate>().ok().map(Some),
    };
    let changed_after = match parameters.get("changed_after") {
        None => None,
        Some(text) => {
            let bare_day = || Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN));
            let moment = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").ok();
            Some(moment.or_else(bare_day)?)
        }
    };
    Some(Filter {
        start: day("start_date")?,
        end: day("end_date")?,
        changed_after,
        with_deleted: parameters
            .get("with_deleted")
            .is_some_and(|given| given == "1" || given == "true"),
    })
}

fn sign_in(access: &mut Access, body: &[u8]) -> Reply {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let known = asked["login"]
        .as_str()
        .and_then(|login| access.logins.get(login));
    match known {
        Some((password, second_factor)) if asked["password"] == json!(password) => {
            if *second_factor {
                let uuid = "00000000-0000-4000-8000-000000000001";
                return Reply::good(json!({ "uuid": uuid }), json!([]));
            }
            access.issued += 1;
            let token = format!("demo-user-token-{}", access.issued);
            access.users.insert(token.clone());
            let data =
                json!({ "id": 12_100_001, "user_token": token, "name": "", "is_approved": true });
            Reply {
                status: 201,
                ..Reply::good(data, json!([]))
            }
        }
        Some(_) | None => Reply::stranger("Не верный логин или пароль"),
    }
}

/// The answer of an API out of order.
fn wrong(fault: Fault) -> Reply {
    match fault {
        Fault::Status(status, body) => Reply::plain(status, body),
        Fault::Empty200 => Reply::good(json!([]), json!({ "page": 1, "total_count": 0 })),
        Fault::Html => Reply::plain(200, "<html><body>502 Bad Gateway</body></html>".to_owned()),
        Fault::SuccessFalse(message) => Reply::json(
            200,
            &json!({ "success": false, "data": null, "meta": { "message": message } }),
        ),
        Fault::TooManyRequests { seconds } => Reply::refused(429, &Fault::limit_message(seconds)),
        Fault::RetryAfter { seconds } => Reply {
            retry_after: Some(seconds),
            ..Reply::plain(429, String::new())
        },
        Fault::Truncated
        | Fault::RepeatPage
        | Fault::EndlessPages
        | Fault::SmallPages(_)
        | Fault::Drift
        | Fault::Miscounted(_)
        | Fault::NullRow
        | Fault::Disconnect
        | Fault::AnswerLost
        | Fault::Hang => {
            unreachable!("these bend or withhold the right answer")
        }
    }
}

/// Headers that promise a body, and no body: the server hangs up.
fn broken_off() -> Response {
    let nothing = futures_util::stream::once(async {
        Err::<Bytes, _>(std::io::Error::other("the connection is broken on purpose"))
    });
    let mut response = Response::new(Body::from_stream(nothing));
    response.headers_mut().insert(CONTENT_LENGTH, 1000.into());
    response
}

pub(super) struct Reply {
    status: u16,
    content_type: &'static str,
    retry_after: Option<u64>,
    body: String,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json; charset=utf-8",
            retry_after: None,
            body: body.to_string(),
        }
    }

    pub(super) fn plain(status: u16, body: String) -> Self {
        Self {
            status,
            content_type: "text/html; charset=utf-8",
            retry_after: None,
            body,
        }
    }

    pub(super) fn good(data: Value, meta: Value) -> Self {
        Self::json(200, &json!({ "success": true, "data": data, "meta": meta }))
    }

    /// The same, with the status of what was written.
    pub(super) fn created(self) -> Self {
        Self {
            status: 201,
            ..self
        }
    }

    /// Error shape A.
    pub(super) fn refused(status: u16, message: &str) -> Self {
        let body = json!({ "success": false, "data": null, "meta": { "message": message } });
        Self::json(status, &body)
    }

    /// Error shape B.
    fn stranger(message: &str) -> Self {
        let body = json!({
            "errors": { "code": 401, "message": message },
            "meta": { "message": message },
        });
        Self::json(401, &body)
    }

    /// Cut off in the middle, on a character's border.
    fn halved(mut self) -> Self {
        let half = self.body.floor_char_boundary(self.body.len() / 2);
        self.body.truncate(half);
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            axum::http::HeaderValue::from_static(self.content_type),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
