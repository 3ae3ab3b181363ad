//! `[http] listen`: `/healthz`, `/metrics` and one page for people. It shows, and changes nothing.
//!
//! It stands beside the work and never in its way: each look has a connection of its own to the
//! database, at most a few are answered at once, and whoever is slow to ask is hung up on. A port
//! that is taken is said and tried again; messages go on meanwhile.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use chrono::{DateTime, Utc};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::daemon::Pulse;
use crate::meters::{self, Meters};
use crate::ports::{Clock, SystemClock};
use crate::store::{self, StoreError};

mod chart;
mod door;
mod figures;
mod html;
mod picture;

/// So many are answered at once; others wait, and cost the work no file handles.
const MOST_AT_ONCE: usize = 16;
/// A request has to be there within this.
const TO_ASK: Duration = Duration::from_secs(5);
/// And its answer taken within this.
const TO_TAKE: Duration = Duration::from_secs(30);
/// A port that is taken is tried again after this.
const AGAIN: Duration = Duration::from_secs(10);
/// Answers under way have this long when the program ends.
const TO_CLOSE: Duration = Duration::from_secs(1);

/// What is shown.
#[derive(Clone)]
pub struct Shown {
    config: Arc<Config>,
    meters: Meters,
    /// `None`: there is nothing to be done, so nothing can stand still.
    pulse: Option<Arc<Pulse>>,
    clock: Arc<dyn Clock>,
}

impl Shown {
    /// A program at work.
    #[must_use]
    pub fn working(config: &Config, meters: Meters, pulse: &Arc<Pulse>) -> Self {
        Self {
            meters,
            pulse: Some(Arc::clone(pulse)),
            ..Self::idle(config)
        }
    }

    /// A program that is switched off.
    #[must_use]
    pub fn idle(config: &Config) -> Self {
        Self {
            config: Arc::new(config.clone()),
            meters: Meters::default(),
            pulse: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// The same by another clock.
    #[must_use]
    pub fn by_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

/// A page that is being served, or waits for its port.
pub(super) struct Open {
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Open {
    /// Answers what is under way and leaves the port.
    pub(super) async fn close(self) {
        self.stop.cancel();
        if let Some(task) = self.task {
            drop(tokio::time::timeout(TO_CLOSE * 2, task).await);
        }
    }
}

/// Opens the page, where the configuration asks for one.
pub(super) fn open(shown: Shown, stop: CancellationToken) -> Open {
    let stopped = stop.clone();
    let listen = shown.config.http.listen;
    let task = listen.map(|address| tokio::spawn(keep_open(address, shown, stopped)));
    Open { stop, task }
}

async fn keep_open(address: SocketAddr, shown: Shown, stop: CancellationToken) {
    let mut told = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                tracing::info!(%address, "status page open");
                return serve(listener, shown, stop).await;
            }
            Err(error) if !told => {
                told = true;
                tracing::error!(%address, %error, "the status page cannot be opened (http.listen); everything else works, and it is tried again");
            }
            Err(error) => tracing::debug!(%address, %error, "the status page is still closed"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// Answers whoever comes, until `stop` is cancelled.
pub async fn serve(listener: TcpListener, shown: Shown, stop: CancellationToken) {
    let at_once = Arc::new(Semaphore::new(MOST_AT_ONCE));
    let mut guests = tokio::task::JoinSet::new();
    loop {
        let came = async {
            // The place first: who finds none waits in the kernel's queue, not in our file handles.
            let place = Arc::clone(&at_once).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            came = came => came,
            Some(_) = guests.join_next() => continue,
        };
        let (Ok(place), Ok((stream, _))) = (place, accepted) else {
            // Out of file handles: they come back, but not at once.
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        };
        let shown = shown.clone();
        guests.spawn(async move {
            let _place = place;
            // Who takes too long has gone, or means no good.
            drop(tokio::time::timeout(TO_TAKE, attend(stream, shown)).await);
        });
    }
    let under_way = async { while guests.join_next().await.is_some() {} };
    drop(tokio::time::timeout(TO_CLOSE, under_way).await);
}

/// One request, one answer.
async fn attend(stream: TcpStream, shown: Shown) {
    let service = service_fn(move |request: Request<Incoming>| {
        let shown = shown.clone();
        async move { Ok::<_, Infallible>(answer(&shown, &request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(TO_ASK)
        .keep_alive(false)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a request to the status page broke off");
    }
}

async fn answer(shown: &Shown, request: &Request<Incoming>) -> Response<Body> {
    let path = request.uri().path();
    if !["GET", "HEAD"].contains(&request.method().as_str()) {
        let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "only to be looked at\n");
        let allow = header::HeaderValue::from_static("GET, HEAD");
        refused.headers_mut().insert(header::ALLOW, allow);
        return refused;
    }
    if path == "/healthz" {
        return health(shown);
    }
    if let Some(refused) = door::refused(&shown.config.http, request.headers()) {
        return refused;
    }
    match path {
        "/" => people(shown).await,
        "/metrics" => machines(shown).await,
        _ => plain(StatusCode::NOT_FOUND, "nothing here\n"),
    }
}

fn health(shown: &Shown) -> Response<Body> {
    let (status, body) = match shown.pulse.as_ref().is_none_or(|pulse| pulse.is_alive()) {
        true => (StatusCode::OK, r#"{"status":"ok"}"#),
        false => (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"stuck"}"#),
    };
    respond(status, "application/json", body.to_owned())
}

async fn machines(shown: &Shown) -> Response<Body> {
    let (config, meters) = (Arc::clone(&shown.config), shown.meters.clone());
    let now = shown.clock.now();
    let read = look(shown, move |conn| {
        let mut registry = meters.registry();
        figures::register(&mut registry, conn, &config, now)?;
        Ok(meters::encoded(&registry))
    });
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match read.await {
        Ok(text) => respond(StatusCode::OK, kind, text),
        Err(error) => unreadable(&error),
    }
}

async fn people(shown: &Shown) -> Response<Body> {
    let (config, now) = (Arc::clone(&shown.config), shown.clock.now());
    let read = look(shown, move |conn| picture::look(conn, &config, now));
    match read.await {
        Ok(picture) => html::page(&picture),
        Err(error) => unreadable(&error),
    }
}

/// Reads the database on a connection of its own, away from the loops that work.
async fn look<T: Send + 'static>(
    shown: &Shown,
    read: impl FnOnce(&rusqlite::Connection) -> store::Result<T> + Send + 'static,
) -> store::Result<T> {
    let path = shown.config.database.path.clone();
    let looked = tokio::task::spawn_blocking(move || read(&store::open_reader(&path)?));
    looked
        .await
        .unwrap_or(Err(StoreError::BrokenOff("the look into the database")))
}

fn unreadable(error: &StoreError) -> Response<Body> {
    tracing::warn!(%error, "the status page could not be made");
    plain(
        StatusCode::SERVICE_UNAVAILABLE,
        "the database cannot be read: booking-monitor db check\n",
    )
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    respond(status, "text/plain; charset=utf-8", text.to_owned())
}

/// An answer that no browser keeps, guesses at, or shows inside another page.
fn respond(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ] {
        let value = header::HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// How long ago; nothing ago when it lies ahead.
fn age(at: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (now - at).to_std().unwrap_or_default()
}
