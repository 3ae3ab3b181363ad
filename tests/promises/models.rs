//! The language models' adapters, against services that are strict about keys and shapes.

use std::sync::Arc;
use std::time::Duration;

use crate::support::fake::Desk;
use crate::support::model::{Act, FakeModel, KEY, MODEL, call, say};
use booking_monitor::http_client::ClientSettings;
use booking_monitor::models::{Key, Kind, Settings, build};
use booking_monitor::ports::{Ask, Call, Model, ModelError, Said, Thought, Tool};
use serde_json::json;

fn settings(kind: Kind, fake: &FakeModel) -> Settings {
    let path = match kind {
        Kind::GigaChat => "gigachat",
        Kind::OpenAi => "openai",
    };
    Settings {
        kind,
        base_url: format!("{}/{path}", fake.url),
        auth_url: format!("{}/oauth", fake.url),
        scope: "GIGACHAT_API_PERS".into(),
        key: Key {
            token: Some(KEY.into()),
            ..Key::default()
        },
        model: MODEL.into(),
        concurrency: 1,
        client: ClientSettings {
            timeout: Duration::from_secs(2),
            proxy: None,
            ca_file: None,
        },
    }
}

async fn both() -> Vec<(Kind, FakeModel, Arc<dyn Model>)> {
    let mut all = Vec::new();
    for kind in [Kind::GigaChat, Kind::OpenAi] {
        let fake = FakeModel::start().await;
        let model = build(&settings(kind, &fake)).unwrap();
        all.push((kind, fake, model));
    }
    all
}

fn ask(said: Vec<Said>) -> Ask {
    Ask {
        system: "Ты отвечаешь клиентам салона.".into(),
        said,
        tools: vec![Tool {
            name: "masters",
            description: "Мастера салона",
            parameters: json!({"type": "object", "properties": {}}),
        }],
    }
}

fn hello() -> Ask {
    ask(vec![Said::Client {
        text: "Здравствуйте".into(),
    }])
}

#[tokio::test]
async fn words_and_calls_come_through_and_results_go_back_as_each_service_wants_them() {
    for (kind, fake, model) in both().await {
        fake.then(call("masters", json!({"service": 7})));
        fake.then(say(" Есть Анна. "));
        let Thought::Calls(calls) = model.ask(&hello()).await.unwrap() else {
            panic!("{kind:?}: words in place of a call");
        };
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].name, "masters");
        assert_eq!(calls[0].arguments, json!({"service": 7}));
        let mut said = hello().said;
        let Call { id, name, .. } = calls[0].clone();
        said.push(Said::Called { calls });
        said.push(Said::Result {
            id,
            name,
            content: json!([{"name": "Анна"}]),
        });
        said.push(Said::Note {
            text: "Отвечай коротко.".into(),
        });
        let thought = model.ask(&ask(said)).await;
        assert_eq!(thought, Ok(Thought::Words("Есть Анна.".into())), "{kind:?}");
    }
}

#[tokio::test]
async fn each_way_to_fail_is_told_apart() {
    let refused = |status, why: &str| ModelError::Refused {
        status,
        why: why.into(),
    };
    let cases = [
        (Act::Http(429, "{}".into()), ModelError::Busy { pause: None }),
        (
            Act::Http(429, r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#.into()),
            ModelError::OverQuota,
        ),
        (Act::Http(402, r#"{"message":"Payment Required"}"#.into()), ModelError::OverQuota),
        (Act::Blocked, ModelError::Blocked),
        (
            Act::Http(400, r#"{"error":{"message":"filtered","code":"content_filter"}}"#.into()),
            ModelError::Blocked,
        ),
        (
            Act::Http(404, r#"{"message":"No such model"}"#.into()),
            refused(404, "No such model"),
        ),
        (Act::Http(403, "<html>".into()), refused(403, "without a message")),
        (Act::Http(502, "<html>".into()), ModelError::Unavailable("HTTP 502".into())),
        (
            Act::Body("<html>".into()),
            ModelError::Nonsense("neither words nor a call".into()),
        ),
        (
            Act::Body(r#"{"choices":[{"message":{"content":"  "}}]}"#.into()),
            ModelError::Nonsense("neither words nor a call".into()),
        ),
        (Act::Hang, ModelError::TimedOut),
    ];
    for (kind, fake, model) in both().await {
        for (act, error) in &cases {
            fake.then(act.clone());
            assert_eq!(
                model.ask(&hello()).await,
                Err(error.clone()),
                "{kind:?} {act:?}"
            );
        }
    }
}

#[tokio::test]
async fn arguments_that_are_no_object_are_nonsense() {
    let fake = FakeModel::start().await;
    let model = build(&settings(Kind::OpenAi, &fake)).unwrap();
    for raw in ["[1]", "7", "{\"service\":", "службу"] {
        fake.then(call("masters", json!(raw)));
        let error = model.ask(&hello()).await;
        let nonsense = ModelError::Nonsense("arguments that are no object".into());
        assert_eq!(error, Err(nonsense), "{raw}");
    }
    fake.then(call("masters", json!("")));
    assert!(model.ask(&hello()).await.is_ok());
}

#[tokio::test]
async fn a_token_serves_many_questions_and_is_renewed_before_it_ends() {
    let fake = FakeModel::start().await;
    let model = build(&settings(Kind::GigaChat, &fake)).unwrap();
    for _ in 0..3 {
        fake.then(say("Да"));
        model.ask(&hello()).await.unwrap();
    }
    assert_eq!(fake.count("/oauth"), 1);
    // One that ends within the spare time is not begun with.
    let fake = FakeModel::start().await;
    fake.let_tokens_live(60_000);
    let model = build(&settings(Kind::GigaChat, &fake)).unwrap();
    for _ in 0..2 {
        fake.then(say("Да"));
        model.ask(&hello()).await.unwrap();
    }
    assert_eq!(fake.count("/oauth"), 2);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let fake = FakeModel::start().await;
    let model = build(&settings(Kind::GigaChat, &fake)).unwrap();
    fake.then(say("Да"));
    model.ask(&hello()).await.unwrap();
    fake.revoke();
    fake.then(say("Нет"));
    assert_eq!(model.ask(&hello()).await, Ok(Thought::Words("Нет".into())));
    assert_eq!(fake.count("/oauth"), 2);
}

#[tokio::test]
async fn a_clients_name_and_secret_serve_as_well_as_the_ready_key() {
    let fake = FakeModel::start().await;
    let mut settings = settings(Kind::GigaChat, &fake);
    settings.key = Key {
        client_id: Some("id".into()),
        client_secret: Some("secret".into()),
        token: None,
    };
    let model = build(&settings).unwrap();
    fake.then(say("Да"));
    model.ask(&hello()).await.unwrap();
    settings.scope = "GIGACHAT_API_CORP".into();
    let error = build(&settings).unwrap().ask(&hello()).await.unwrap_err();
    let why = "scope from db not fully includes consumed scope";
    assert_eq!(error.to_string(), format!("HTTP 400: {why}"));
}

#[tokio::test]
async fn no_more_questions_are_open_at_once_than_the_account_allows() {
    let fake = FakeModel::start().await;
    let model = build(&settings(Kind::OpenAi, &fake)).unwrap();
    for _ in 0..4 {
        fake.then(say("Да"));
    }
    let hello = hello();
    let all = (0..4).map(|_| model.ask(&hello));
    assert!(
        futures_util::future::join_all(all)
            .await
            .iter()
            .all(Result::is_ok)
    );
    assert_eq!(fake.most_at_once(), 1);
}

#[tokio::test]
async fn a_probe_asks_for_the_model_and_sends_nobodys_words() {
    for (kind, fake, model) in both().await {
        assert_eq!(model.probe().await, Ok(()), "{kind:?}");
        assert_eq!(fake.asked().len(), 0);
        let mut other = settings(kind, &fake);
        other.model = "GigaChat-9".into();
        let error = build(&other).unwrap().probe().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "HTTP 404: no such model; there are: GigaChat-2",
        );
    }
}

#[tokio::test]
async fn no_error_and_no_debug_shows_the_key() {
    for (kind, fake, model) in both().await {
        let desk: &Desk = &fake;
        fake.then(Act::Http(
            403,
            format!(r#"{{"message":"key {KEY} is blocked"}}"#),
        ));
        let error = model.ask(&hello()).await.unwrap_err();
        let shown = format!("{error} {error:?} {:?}", settings(kind, &fake));
        assert!(!shown.contains("CANARY"), "{shown}");
        assert!(shown.contains("key *** is blocked"), "{shown}");
        assert!(!desk.requests().is_empty());
    }
}
