//! Transport: one request at a time through the limiter, one meaning for every answer.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{NaiveDate, NaiveDateTime};
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::debug;

use super::answer::Answer;
use super::limit::Limiter;
use super::session::{Session, Step};
use super::survey::Survey;
use super::{Settings, User};
use crate::domain::catalogue::{Master, Offer};
use crate::domain::record::Record;
use crate::http_client::{self, ClientError, failure, never_left};
use crate::meters::Meters;
use crate::ports::{
    ApiError, BookingApi, CompanyInfo, CompanyRef, Draft, Edit, Lookup, Page, Query, Standing,
    Urgency, Wanted, WriteError,
};

/// Enough to judge by: four hundred bookings with pages of their usual size.
const PAGES_OF_A_SURVEY: u32 = 2;

/// The records API at one address. Clones share the connections, the tokens and the pace, and
/// there must be no second client for the same address: the API counts requests per IP. Companies
/// that are read with the eyes of a user of their own have theirs in the second place.
#[derive(Clone)]
pub struct Client(Arc<Inner>, Arc<BTreeMap<i64, Arc<Inner>>>);

struct Inner {
    http: reqwest::Client,
    base_url: String,
    accept: HeaderValue,
    page_size: u32,
    /// A pause longer than a request's own time-out is not waited out.
    patience: Duration,
    session: Session,
    limiter: Arc<Limiter>,
    meters: Meters,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.0.base_url)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client for one address. The error is always the configuration's fault.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        let accept = HeaderValue::from_str(&settings.accept).map_err(|_| {
            ClientError::Setup("`accept` holds characters that no HTTP header can carry".into())
        })?;
        let http = http_client::client_for(&settings.base_url, &settings.client)?;
        let limiter = Limiter::new(settings.requests_per_second, settings.requests_per_minute);
        let (limiter, meters) = (Arc::new(limiter), Meters::default());
        let of = |user| -> Result<Arc<Inner>, ClientError> {
            Ok(Arc::new(Inner {
                http: http.clone(),
                base_url: settings.base_url.trim_end_matches('/').to_owned(),
                accept: accept.clone(),
                page_size: settings.page_size.max(1),
                patience: settings.client.timeout,
                session: Session::new(settings.partner_token.clone(), user)?,
                limiter: Arc::clone(&limiter),
                meters: meters.clone(),
            }))
        };
        let mut own = BTreeMap::new();
        for (company, token) in &settings.own_users {
            own.insert(*company, of(User::Token(token.clone()))?);
        }
        Ok(Self(of(settings.user.clone())?, Arc::new(own)))
    }

    /// With whose eyes this company is read.
    fn of(&self, company: i64) -> &Inner {
        self.1.get(&company).unwrap_or(&self.0)
    }

    /// What is counted of its requests.
    #[must_use]
    pub fn meters(&self) -> Meters {
        self.0.meters.clone()
    }
}

#[async_trait]
impl BookingApi for Client {
    async fn page(&self, company: &CompanyRef, query: &Query, page: u32) -> Result<Page, ApiError> {
        let mut asked = vec![
            ("page", page.to_string()),
            ("count", self.0.page_size.to_string()),
        ];
        match query {
            Query::ChangedSince(since) => {
                // Undocumented in which zone a naive time is read; the salon's own is what most send.
                let local = since.with_timezone(&company.zone);
                asked.push((
                    "changed_after",
                    local.format("%Y-%m-%dT%H:%M:%S").to_string(),
                ));
                asked.push(("with_deleted", "1".to_owned()));
            }
            Query::Starting(first, last) => {
                asked.push(("start_date", first.format("%Y-%m-%d").to_string()));
                asked.push(("end_date", last.format("%Y-%m-%d").to_string()));
            }
        }
        self.of(company.id)
            .get(
                &format!("/records/{}", company.id),
                &asked,
                &company.standing,
                |answer| answer.page(company, query),
            )
            .await
    }

    async fn record(&self, company: &CompanyRef, record_id: i64) -> Result<Lookup, ApiError> {
        self.of(company.id)
            .get(
                &format!("/record/{}/{record_id}", company.id),
                &[],
                &company.standing,
                |answer| answer.lookup(company, record_id),
            )
            .await
    }

    async fn company(&self, company_id: i64) -> Result<CompanyInfo, ApiError> {
        let forms = [("showBookforms", "1".to_owned())];
        // Nothing can be read before the zone is known.
        let standing = Standing::new(Urgency::Poll(None), Arc::default());
        let path = format!("/company/{company_id}");
        self.of(company_id)
            .get(&path, &forms, &standing, Answer::company)
            .await
    }

    async fn bookable_days(
        &self,
        company: &CompanyRef,
        wanted: &Wanted,
    ) -> Result<Vec<NaiveDate>, ApiError> {
        let mut asked = services(wanted);
        asked.extend(wanted.staff.map(|id| ("staff_id", id.to_string())));
        let path = format!("/book_dates/{}", company.id);
        let standing = &company.standing;
        self.of(company.id)
            .get(&path, &asked, standing, Answer::days)
            .await
    }

    async fn bookable_times(
        &self,
        company: &CompanyRef,
        wanted: &Wanted,
        day: NaiveDate,
    ) -> Result<Vec<NaiveDateTime>, ApiError> {
        // Master 0 is any.
        let staff = wanted.staff.unwrap_or(0);
        let path = format!(
            "/book_times/{}/{staff}/{}",
            company.id,
            day.format("%Y-%m-%d")
        );
        let asked = services(wanted);
        self.of(company.id)
            .get(&path, &asked, &company.standing, |answer| answer.times(day))
            .await
    }

    async fn offers(
        &self,
        company: &CompanyRef,
        staff: Option<i64>,
    ) -> Result<Vec<Offer>, ApiError> {
        let asked: Vec<_> = staff
            .map(|id| ("staff_id", id.to_string()))
            .into_iter()
            .collect();
        let path = format!("/book_services/{}", company.id);
        let standing = &company.standing;
        self.of(company.id)
            .get(&path, &asked, standing, Answer::offers)
            .await
    }

    async fn masters(&self, company: &CompanyRef, wanted: &[i64]) -> Result<Vec<Master>, ApiError> {
        let ids = wanted.iter();
        let mut asked: Vec<_> = ids.map(|id| ("service_ids[]", id.to_string())).collect();
        // Their next free moments are asked for by themselves.
        asked.push(("without_seances", "1".to_owned()));
        let path = format!("/book_staff/{}", company.id);
        let standing = &company.standing;
        self.of(company.id)
            .get(&path, &asked, standing, Answer::masters)
            .await
    }

    fn page_size(&self) -> u32 {
        self.0.page_size
    }

    async fn change(
        &self,
        company: &CompanyRef,
        seen: &Record,
        edit: &Edit,
    ) -> Result<(), WriteError> {
        let path = format!("/record/{}/{}", company.id, seen.id);
        let standing = &company.standing;
        let read = |answer: &Answer| answer.to_rewrite(company, seen);
        let found = self.of(company.id).get(&path, &[], standing, read).await;
        let body = match found.map_err(WriteError::NotDone)? {
            Some(row) => row.whole(edit),
            None => return Err(WriteError::Overtaken),
        };
        let written = self
            .0
            .write(Method::PUT, &path, Some(&body), standing, Answer::written)
            .await;
        // A booking that is paid, or whose window is over, is not rewritten; whether its client comes
        // may be noted all the same.
        match (written, &edit.attendance) {
            (Err(WriteError::Refused { .. }), Some(attendance))
                if edit.start.is_none() && edit.staff.is_none() && seen.visit_id != 0 =>
            {
                let path = format!("/visits/{}/{}", seen.visit_id, seen.id);
                let body = json!({
                    "attendance": attendance.number(),
                    "comment": body["comment"],
                });
                self.of(company.id)
                    .write(Method::PUT, &path, Some(&body), standing, Answer::written)
                    .await
            }
            (written, _) => written,
        }
    }

    async fn make(&self, company: &CompanyRef, draft: &Draft) -> Result<i64, WriteError> {
        let path = format!("/records/{}", company.id);
        let body = new_record(draft);
        let read = |answer: &Answer| answer.new_id();
        self.of(company.id)
            .write(Method::POST, &path, Some(&body), &company.standing, read)
            .await
    }

    async fn made(
        &self,
        company: &CompanyRef,
        day: NaiveDate,
        api_id: &str,
    ) -> Result<Option<Box<Record>>, ApiError> {
        let path = format!("/records/{}", company.id);
        let day = day.format("%Y-%m-%d").to_string();
        for page in 1..=MOST_PAGES {
            let asked = [
                ("page", page.to_string()),
                ("count", self.0.page_size.to_string()),
                ("start_date", day.clone()),
                ("end_date", day.clone()),
                ("with_deleted", "1".to_owned()),
            ];
            let read = |answer: &Answer| answer.made(company, api_id);
            let (found, rows) = self
                .of(company.id)
                .get(&path, &asked, &company.standing, read)
                .await?;
            if found.is_some() || rows < self.0.page_size as usize {
                return Ok(found);
            }
        }
        Err(ApiError::Unreadable("a day without end".to_owned()))
    }

    async fn cancel(&self, company: &CompanyRef, record_id: i64) -> Result<(), WriteError> {
        let path = format!("/record/{}/{record_id}", company.id);
        self.of(company.id)
            .write(
                Method::DELETE,
                &path,
                None,
                &company.standing,
                Answer::written,
            )
            .await
    }
}

fn services(wanted: &Wanted) -> Vec<(&'static str, String)> {
    let ids = wanted.services.iter();
    ids.map(|id| ("service_ids[]", id.to_string())).collect()
}

/// More pages of one day are no day.
const MOST_PAGES: u32 = 20;

/// The body of a booking that is made.
fn new_record(draft: &Draft) -> Value {
    let services = draft.services.iter().map(|(id, price)| {
        let mut line = json!({ "id": id, "amount": 1 });
        if let Some(price) = price {
            #[expect(
                clippy::cast_precision_loss,
                reason = "prices are far below 2^53 hundredths"
            )]
            let units = price.0 as f64 / 100.0;
            line["first_cost"] = units.into();
            line["cost"] = units.into();
            line["discount"] = 0.into();
        }
        line
    });
    json!({
        "staff_id": draft.staff,
        "services": services.collect::<Value>(),
        "client": { "phone": draft.phone.digits(), "name": draft.name },
        // The wall clock, not the moment: its offset is wrong where clocks change.
        "datetime": draft.start.format("%Y-%m-%d %H:%M:%S").to_string(),
        "seance_length": draft.length,
        "save_if_busy": false,
        // The client hears of it from us.
        "send_sms": false,
        "comment": "",
        "attendance": 0,
        "api_id": draft.api_id,
    })
}

/// Asked once, for a person who sets the program up or looks after it; never by the daemon.
impl Client {
    /// The user's token: the one given, or the one that login and password are exchanged for.
    pub async fn user_token(&self) -> Result<SecretString, ApiError> {
        self.0.header(None).await?;
        let missing = || ApiError::Unreadable("no token".into());
        self.0.session.token().ok_or_else(missing)
    }

    /// The companies (branches) that the user may work in, by their ids.
    pub async fn branches(&self) -> Result<Vec<(i64, CompanyInfo)>, ApiError> {
        let mine = [("my", "1".to_owned()), ("showBookforms", "1".to_owned())];
        let standing = Standing::first();
        self.0
            .get("/companies", &mine, &standing, Answer::companies)
            .await
    }

    /// What the user sees of the bookings of these days, of two pages of them at most.
    pub async fn survey(
        &self,
        company: &CompanyRef,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Survey, ApiError> {
        let mut survey = Survey::default();
        let query = Query::Starting(from, to);
        for page in 1..=PAGES_OF_A_SURVEY {
            let asked = [
                ("page", page.to_string()),
                ("count", self.0.page_size.to_string()),
                ("start_date", from.format("%Y-%m-%d").to_string()),
                ("end_date", to.format("%Y-%m-%d").to_string()),
            ];
            let (page, notices) = self
                .of(company.id)
                .get(
                    &format!("/records/{}", company.id),
                    &asked,
                    &company.standing,
                    |answer| answer.surveyed(company, &query),
                )
                .await?;
            let is_last = page.rows.is_empty();
            survey.add(page, notices);
            if is_last || survey.total.is_some_and(|total| survey.rows >= total) {
                break;
            }
        }
        Ok(survey)
    }
}

impl Inner {
    /// One GET, read by `read`. A refused token is replaced and the request repeated, once.
    async fn get<T>(
        &self,
        path: &str,
        query: &[(&str, String)],
        standing: &Standing,
        read: impl Fn(&Answer) -> Result<T, ApiError> + Send,
    ) -> Result<T, ApiError> {
        let header = self.header(None).await?;
        let mut answer = self.ask(path, query, standing, header.clone()).await?;
        if answer.status == 401 && self.session.can_sign_in() {
            let renewed = self.header(Some(&header)).await?;
            answer = self.ask(path, query, standing, renewed).await?;
        }
        self.settle(read(&answer))
    }

    /// One request that changes the journal, sent once; a refused token is replaced first.
    async fn write<T>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        standing: &Standing,
        read: impl Fn(&Answer) -> Result<T, WriteError> + Send,
    ) -> Result<T, WriteError> {
        let mut header = self.header(None).await.map_err(WriteError::NotDone)?;
        for is_last in [false, true] {
            let mut request = self
                .http
                .request(method.clone(), format!("{}{path}", self.base_url))
                .header(CONTENT_TYPE, "application/json")
                .header(AUTHORIZATION, header.clone());
            if let Some(body) = body {
                request = request.body(body.to_string());
            }
            let answer = match self.send(request, path, standing).await {
                Ok(answer) => answer,
                Err(Failure::Lost(why)) => return Err(WriteError::Unknown(why)),
                Err(failure) => return Err(WriteError::NotDone(failure.into())),
            };
            if answer.status == 401 && !is_last && self.session.can_sign_in() {
                let renewed = self.header(Some(&header)).await;
                header = renewed.map_err(WriteError::NotDone)?;
                continue;
            }
            let written = read(&answer);
            if let Err(WriteError::NotDone(ApiError::Throttled { pause })) = &written {
                self.limiter.pause(*pause);
            }
            return written.map_err(|error| match error {
                WriteError::NotDone(why) => WriteError::NotDone(self.session.redacted(why)),
                WriteError::Refused { status, message } => {
                    match self.session.redacted(ApiError::Denied { status, message }) {
                        ApiError::Denied { status, message } => {
                            WriteError::Refused { status, message }
                        }
                        other => WriteError::NotDone(other),
                    }
                }
                other => other,
            });
        }
        Err(WriteError::Unknown("no answer".to_owned()))
    }

    async fn ask(
        &self,
        path: &str,
        query: &[(&str, String)],
        standing: &Standing,
        header: HeaderValue,
    ) -> Result<Answer, ApiError> {
        let request = self
            .http
            .get(format!("{}{path}", self.base_url))
            .query(query)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, header);
        let answer = self.send(request, path, standing).await;
        answer.map_err(ApiError::from)
    }

    /// The header of the present token, fetching one where there is none (or a stale one).
    async fn header(&self, stale: Option<&HeaderValue>) -> Result<HeaderValue, ApiError> {
        if let Step::Use(header) = self.session.step(stale) {
            return Ok(header);
        }
        // Behind the lock: while somebody signs in, the session looks like one refused too early.
        let _alone = self.session.signing_in.lock().await;
        match self.session.step(stale) {
            Step::Use(header) => Ok(header),
            Step::Refused(error) => Err(error),
            Step::SignIn => self.sign_in().await,
        }
    }

    async fn sign_in(&self) -> Result<HeaderValue, ApiError> {
        let Some((header, body)) = self.session.credentials() else {
            return Err(ApiError::Unavailable(
                "no credentials to sign in with".into(),
            ));
        };
        let request = self
            .http
            .post(format!("{}/auth", self.base_url))
            .header(AUTHORIZATION, header)
            .json(&body);
        self.session.asking();
        let outcome = match self.send(request, "/auth", &Standing::first()).await {
            Ok(answer) => self.settle(answer.token()),
            // Nothing was asked, so nothing has to wait five minutes.
            Err(failure @ (Failure::Paused(_) | Failure::NeverLeft(_))) => {
                self.session.never_asked();
                return Err(failure.into());
            }
            Err(failure @ Failure::Lost(_)) => Err(failure.into()),
        };
        self.session.signed_in(outcome)
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        path: &str,
        standing: &Standing,
    ) -> Result<Answer, Failure> {
        self.limiter
            .turn(standing, self.patience)
            .await
            .map_err(Failure::Paused)?;
        let began = Instant::now();
        let response = request.header(ACCEPT, self.accept.clone()).send().await;
        let answered = response.as_ref().ok();
        self.meters
            .requested(answered.map(|response| response.status().as_u16()));
        let response = response?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?;
        debug!(
            path,
            status,
            bytes = body.len(),
            duration_ms = began.elapsed().as_millis(),
            "records API answered"
        );
        Ok(Answer::new(status, &headers, body.into()))
    }

    /// The last word on an answer: a 429 stops everyone, and no error leaves with a secret in it.
    fn settle<T>(&self, result: Result<T, ApiError>) -> Result<T, ApiError> {
        if let Err(ApiError::Throttled { pause }) = &result {
            self.limiter.pause(*pause);
        }
        result.map_err(|error| self.session.redacted(error))
    }
}

/// Why there is no answer at all.
enum Failure {
    /// A told pause is on and lasts this much longer.
    Paused(Duration),
    /// No connection was made.
    NeverLeft(String),
    /// It left, and nothing whole came back.
    Lost(String),
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        if never_left(&error) {
            Self::NeverLeft(failure(error))
        } else {
            Self::Lost(failure(error))
        }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Paused(pause) => Self::Throttled { pause },
            Failure::NeverLeft(why) | Failure::Lost(why) => Self::Unavailable(why),
        }
    }
}
