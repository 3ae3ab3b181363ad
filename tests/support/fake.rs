//! What the fakes of messengers share: sent messages, scripted answers, the log, waiting.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::Notify;

/// No test waits longer for what must come.
const GUARD: Duration = Duration::from_secs(30);

/// A message that the fake accepted.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The chat, as the service names it.
    pub chat: String,
    /// The text as it was sent.
    pub text: String,
    /// The id the service gave it.
    pub id: String,
    /// When it came.
    pub at: Instant,
    /// When it came, as the service's own lists say it: Unix seconds.
    pub stamp: i64,
}

/// A request as it came, accepted or not.
#[derive(Clone, Debug)]
pub struct Request {
    /// The HTTP method.
    pub http: String,
    /// The API's method (`sendMessage`).
    pub method: String,
    /// The query, empty without one.
    pub query: String,
    /// The body as text.
    pub body: String,
    /// When it came.
    pub at: Instant,
}

/// What happens to the next send in place of the usual.
#[derive(Clone, Debug)]
pub enum Answer {
    /// This answer; the message is not taken.
    Http {
        /// The status.
        status: u16,
        /// Headers by name.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// The request is read, then the connection is dropped; `taken` says whether the message went
    /// out all the same.
    Drop {
        /// The message counts as sent.
        taken: bool,
    },
    /// The request is read and never answered; `taken` as above.
    Hang {
        /// The message counts as sent.
        taken: bool,
    },
}

impl Answer {
    /// An answer without headers.
    pub fn http(status: u16, body: &str) -> Self {
        Self::Http {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }

    /// The same with a header.
    pub fn with_header(self, name: &str, value: &str) -> Self {
        match self {
            Self::Http {
                status,
                mut headers,
                body,
            } => {
                headers.push((name.to_owned(), value.to_owned()));
                Self::Http {
                    status,
                    headers,
                    body,
                }
            }
            other => other,
        }
    }
}

/// The part of every fake.
#[derive(Default)]
pub struct Desk {
    sent: Mutex<Vec<Sent>>,
    requests: Mutex<Vec<Request>>,
    script: Mutex<VecDeque<Answer>>,
    held: Mutex<Option<Arc<Notify>>>,
    clock: Mutex<Option<Hands>>,
    slowness: Mutex<Option<Slowness>>,
    changed: Notify,
}

/// What a service's own clock shows.
type Hands = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

/// How long a service may take before it takes a message, and again before it answers: drawn anew
/// each time.
type Slowness = Box<dyn FnMut() -> Duration + Send>;

impl Desk {
    /// From now on each send takes its time, before the message is taken and after.
    pub fn dawdle(&self, span: impl FnMut() -> Duration + Send + 'static) {
        *lock(&self.slowness) = Some(Box::new(span));
    }

    /// Takes its time, where it was told to. A caller that hangs up meanwhile ends the send there.
    pub async fn takes_time(&self) {
        let span = lock(&self.slowness).as_mut().map(|span| span());
        if let Some(span) = span {
            tokio::time::sleep(span).await;
        }
    }

    /// Notes a request.
    pub fn log(&self, http: &Method, method: &str, query: &str, body: &Bytes) {
        lock(&self.requests).push(Request {
            http: http.to_string(),
            method: method.to_owned(),
            query: query.to_owned(),
            body: String::from_utf8_lossy(body).into_owned(),
            at: Instant::now(),
        });
        self.changed.notify_waiters();
    }

    /// The service's lists go by this clock from now on.
    pub fn use_clock(&self, hands: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) {
        *lock(&self.clock) = Some(Arc::new(hands));
    }

    fn stamp(&self) -> i64 {
        let hands = lock(&self.clock).clone();
        hands.map_or_else(Utc::now, |hands| hands()).timestamp()
    }

    /// Takes a message; its id is `prefix` and a number.
    pub fn take(&self, chat: &str, text: &str, prefix: &str) -> String {
        let stamp = self.stamp();
        let id = {
            let mut sent = lock(&self.sent);
            let id = format!("{prefix}{}", sent.len() + 1);
            sent.push(Sent {
                chat: chat.to_owned(),
                text: text.to_owned(),
                id: id.clone(),
                at: Instant::now(),
                stamp,
            });
            id
        };
        self.changed.notify_waiters();
        id
    }

    /// The next send is read and answered only when the returned bell rings.
    pub fn hold_next(&self) -> Arc<Notify> {
        let bell = Arc::new(Notify::new());
        *lock(&self.held) = Some(Arc::clone(&bell));
        bell
    }

    /// Waits for the bell of a held send.
    pub async fn held(&self) {
        let bell = lock(&self.held).take();
        if let Some(bell) = bell {
            bell.notified().await;
        }
    }

    /// The scripted answer to the next send.
    pub fn scripted(&self) -> Option<Answer> {
        lock(&self.script).pop_front()
    }

    /// Scripts the answer to the next send that has none yet.
    pub fn answer_next(&self, answer: Answer) {
        lock(&self.script).push_back(answer);
    }

    /// Everything accepted so far.
    pub fn sent(&self) -> Vec<Sent> {
        lock(&self.sent).clone()
    }

    /// What was accepted last.
    pub fn last_sent(&self) -> Sent {
        lock(&self.sent).last().unwrap().clone()
    }

    /// As if nothing had been sent yet.
    pub fn forget_sent(&self) {
        lock(&self.sent).clear();
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.requests).clone()
    }

    /// How many requests this API method got.
    pub fn count(&self, method: &str) -> usize {
        lock(&self.requests)
            .iter()
            .filter(|r| r.method == method)
            .count()
    }

    /// Wakes whoever waits for a state of the fake.
    pub fn poke(&self) {
        self.changed.notify_waiters();
    }

    /// Waits until at least `n` messages were accepted.
    pub async fn wait_for(&self, n: usize) -> Vec<Sent> {
        self.wait_until(&format!("{n} messages"), || {
            let sent = self.sent();
            (sent.len() >= n).then_some(sent)
        })
        .await
    }

    /// Waits until the API method got at least `n` requests.
    pub async fn wait_for_requests(&self, method: &str, n: usize) {
        self.wait_until(&format!("{n} × {method}"), || {
            (self.count(method) >= n).then_some(())
        })
        .await;
    }

    /// Waits until `look` finds something.
    pub async fn wait_until<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let wait = async {
            loop {
                // Registered before looking, or a change in between would be missed.
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if let Some(found) = look() {
                    return found;
                }
                changed.await;
            }
        };
        match tokio::time::timeout(GUARD, wait).await {
            Ok(found) => found,
            Err(_) => panic!(
                "waited 30 s for {what}; sent {:?}, requests {:?}",
                self.sent(),
                self.requests()
            ),
        }
    }
}

/// A JSON answer.
pub fn json(status: u16, body: &Value) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

/// Plays a scripted answer; `take` is called when the message counts as sent.
pub async fn play(answer: Answer, take: impl FnOnce()) -> Response<Body> {
    match answer {
        Answer::Http {
            status,
            headers,
            body,
        } => {
            let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).unwrap()
        }
        Answer::Drop { taken } => {
            if taken {
                take();
            }
            // The server closes the connection when the body fails before its promised end; the
            // client has a status line and no readable body, or nothing at all.
            panic_free_abort()
        }
        Answer::Hang { taken } => {
            if taken {
                take();
            }
            std::future::pending::<Response<Body>>().await
        }
    }
}

/// A response whose body breaks off at once.
fn panic_free_abort() -> Response<Body> {
    let broken = futures_util::stream::once(async {
        Err::<Bytes, std::io::Error>(std::io::Error::other("connection dropped by the fake"))
    });
    Response::builder()
        .header("content-length", "1000")
        .body(Body::from_stream(broken))
        .unwrap()
}

/// A request as a fallback handler sees it.
pub struct Call {
    /// The HTTP method.
    pub http: Method,
    /// Path and query.
    pub uri: Uri,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// Serves `handler` for every path on a free port of loopback, for as long as the runtime lives.
pub async fn serve<S, F, R>(state: Arc<S>, handler: F) -> SocketAddr
where
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, Call) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response<Body>> + Send + 'static,
{
    let app = Router::new().fallback(
        move |http: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let call = Call {
                http,
                uri,
                headers,
                body,
            };
            let answer = handler(Arc::clone(&state), call);
            async move { Ok::<_, Infallible>(answer.await) }
        },
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}
