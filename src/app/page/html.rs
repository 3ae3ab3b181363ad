//! The page as HTML. Everything on it is data and escaped; its only style is named by a number that
//! nobody can guess, and nothing else is let in.

use std::sync::OnceLock;

use axum::body::Body;
use hyper::{Response, StatusCode, header};
use minijinja::value::Serde;
use minijinja::{Environment, Value, context};

use super::picture::Picture;
use super::{plain, respond};

/// The ending makes the engine escape.
const NAME: &str = "page.html";
const SOURCE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

fn engine() -> &'static Environment<'static> {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut engine = Environment::new();
        // A source of our own, which a test renders: without it no page is answered at all.
        if let Err(error) = engine.add_template(NAME, SOURCE) {
            tracing::error!(%error, "the status page's template is broken");
        }
        engine
    })
}

pub(super) fn page(picture: &Picture) -> Response<Body> {
    let nonce = format!("{:032x}", rand::random::<u128>());
    let rendered = engine().get_template(NAME).and_then(|template| {
        template.render(
            context! { nonce => nonce.as_str(), style => STYLE, page => Value::from(Serde(picture)) },
        )
    });
    match rendered {
        Ok(body) => sealed(
            respond(StatusCode::OK, "text/html; charset=utf-8", body),
            &nonce,
        ),
        Err(error) => {
            tracing::error!(%error, "the status page could not be written");
            plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the page is broken: see the log\n",
            )
        }
    }
}

/// Only this style, and nothing of anywhere else.
fn sealed(mut response: Response<Body>, nonce: &str) -> Response<Body> {
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = header::HeaderValue::from_str(&policy) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
