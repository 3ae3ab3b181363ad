//! A fake of Telegram's Bot API: `getMe`, `sendMessage` with real HTML checks, `getUpdates`, buttons
//! under messages and their edits.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use super::fake::{Answer, Call, Desk, json as answer, lock, play, serve};

pub const TOKEN: &str = "100500:CANARY-telegram-token";

/// The fake; its desk has the sent messages, the script and the log.
#[derive(Clone)]
pub struct Telegram {
    api: Arc<Api>,
    /// `http://127.0.0.1:…`, for `api_url`.
    pub url: String,
}

struct Api {
    desk: Desk,
    token: String,
    updates: Mutex<Updates>,
    blocked: Mutex<BTreeSet<String>>,
    webhook: Mutex<String>,
    /// Messages as they stand in their chats, by chat and number.
    standing: Mutex<BTreeMap<(String, String), Standing>>,
    /// The newest message of a chat that ever carried these data.
    carriers: Mutex<BTreeMap<(String, String), String>>,
    /// Presses that wait for an answer, or have one.
    presses: Mutex<BTreeMap<String, Option<String>>>,
    /// Answers to the next edits in place of the usual.
    edits: Mutex<VecDeque<Answer>>,
}

/// A message as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub id: String,
    pub text: String,
    /// Label and data of each button, row by row.
    pub buttons: Vec<Vec<(String, String)>>,
    /// It came with buttons.
    pub asked: bool,
}

impl Standing {
    /// What the button with this label carries.
    pub fn data(&self, label: &str) -> String {
        let mut all = self.buttons.iter().flatten();
        let found = all.find(|(said, _)| said == label);
        found
            .unwrap_or_else(|| panic!("no {label} among {:?}", self.buttons))
            .1
            .clone()
    }

    /// What the buttons say.
    pub fn labels(&self) -> Vec<String> {
        let all = self.buttons.iter().flatten();
        all.map(|(label, _)| label.clone()).collect()
    }
}

#[derive(Default)]
struct Updates {
    last_id: i64,
    waiting: Vec<Value>,
}

impl Deref for Telegram {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.api.desk
    }
}

impl Telegram {
    /// Starts a fake that knows [`TOKEN`].
    pub async fn start() -> Self {
        Self::start_with(TOKEN).await
    }

    /// Starts a fake that knows this token.
    pub async fn start_with(token: &str) -> Self {
        let api = Arc::new(Api {
            desk: Desk::default(),
            token: token.to_owned(),
            updates: Mutex::default(),
            blocked: Mutex::default(),
            webhook: Mutex::default(),
            standing: Mutex::default(),
            carriers: Mutex::default(),
            presses: Mutex::default(),
            edits: Mutex::default(),
        });
        let address = serve(Arc::clone(&api), |api, call| async move {
            api.handle(call).await
        })
        .await;
        Self {
            api,
            url: format!("http://{address}"),
        }
    }

    /// Another service receives the bot's updates.
    pub fn set_webhook(&self, url: &str) {
        url.clone_into(&mut lock(&self.api.webhook));
    }

    /// The chat blocks the bot: sends to it are refused as Telegram refuses them.
    pub fn block(&self, chat: &str) {
        lock(&self.api.blocked).insert(chat.to_owned());
    }

    /// Puts an update into the queue and gives its id: `{"message": …}` and the like.
    pub fn push_update(&self, mut update: Value) -> i64 {
        let id = {
            let mut updates = lock(&self.api.updates);
            updates.last_id += 1;
            update["update_id"] = updates.last_id.into();
            updates.waiting.push(update);
            updates.last_id
        };
        self.poke();
        id
    }

    /// Updates are numbered anew, as Telegram does after a week without any.
    pub fn number_anew(&self) {
        lock(&self.api.updates).last_id = 0;
    }

    /// A private message without content, with an id of its own.
    fn next_message(&self, chat: i64) -> Value {
        let mut message = private(chat);
        message["message_id"] = (1000 + lock(&self.api.updates).last_id).into();
        message
    }

    /// A private message of this person.
    pub fn push_text(&self, chat: i64, text: &str) -> i64 {
        let mut message = self.next_message(chat);
        message["text"] = text.into();
        self.push_update(json!({ "message": message }))
    }

    /// A contact shared in a private chat; `owner` is whose it is.
    pub fn push_contact(&self, chat: i64, phone: &str, owner: Option<i64>) -> i64 {
        let mut message = self.next_message(chat);
        message["contact"] = json!({"phone_number": phone, "first_name": "Анна"});
        if let Some(owner) = owner {
            message["contact"]["user_id"] = owner.into();
        }
        self.push_update(json!({ "message": message }))
    }

    /// Every message that came with buttons, as it stands now in this chat; oldest first.
    pub fn questions(&self, chat: &str) -> Vec<Standing> {
        let all = self.standing(chat).into_iter();
        all.filter(|message| message.asked).collect()
    }

    /// Every message as it stands now in this chat; oldest first.
    pub fn standing(&self, chat: &str) -> Vec<Standing> {
        let standing = lock(&self.api.standing);
        let mut here: Vec<(i64, Standing)> = standing
            .iter()
            .filter(|((of, _), _)| of == chat)
            .map(|((_, id), message)| (id.parse().unwrap(), message.clone()))
            .collect();
        here.sort_by_key(|(id, _)| *id);
        here.into_iter().map(|(_, message)| message).collect()
    }

    /// A button of a message in this private chat is pressed; gives the press's id.
    pub fn press(&self, chat: i64, data: &str) -> String {
        self.press_in(&private(chat)["chat"], chat, data)
    }

    /// The same in any chat, by this person.
    pub fn press_in(&self, chat: &Value, user: i64, data: &str) -> String {
        let id = format!("press{}", lock(&self.api.presses).len() + 1);
        self.press_again(&id, chat, user, data);
        id
    }

    /// A press comes (again) under this id, under the newest message that carried such data, or else
    /// under the newest with buttons.
    pub fn press_again(&self, id: &str, chat: &Value, user: i64, data: &str) {
        let here = chat["id"].to_string();
        let carrier = lock(&self.api.carriers)
            .get(&(here.clone(), data.to_owned()))
            .cloned();
        let newest = || self.questions(&here).pop().map(|message| message.id);
        let message = carrier.or_else(newest).unwrap_or_else(|| "1".to_owned());
        self.push_press(id, chat, user, (&message, 0), data);
    }

    /// A button of this very message of a private chat is pressed; `date` is when Telegram says that
    /// it was sent, 0 of one that is no longer shown.
    pub fn press_under(&self, chat: i64, message: &Standing, date: i64, data: &str) -> String {
        let id = format!("press{}", lock(&self.api.presses).len() + 1);
        self.push_press(&id, &private(chat)["chat"], chat, (&message.id, date), data);
        id
    }

    fn push_press(
        &self,
        id: &str,
        chat: &Value,
        user: i64,
        (message, date): (&str, i64),
        data: &str,
    ) {
        lock(&self.api.presses).entry(id.to_owned()).or_insert(None);
        let message: i64 = message.parse().unwrap();
        self.push_update(json!({"callback_query": {
            "id": id,
            "from": {"id": user, "first_name": "Владелец"},
            "message": {"message_id": message, "date": date, "chat": chat},
            "chat_instance": "1",
            "data": data,
        }}));
    }

    /// What whoever pressed was answered.
    pub fn answered(&self, press: &str) -> Option<String> {
        lock(&self.api.presses).get(press).cloned().flatten()
    }

    /// Scripts the answer to the next edit or answered press that has none yet.
    pub fn answer_next_edit(&self, answer: Answer) {
        lock(&self.api.edits).push_back(answer);
    }

    /// Updates that were not confirmed by a higher offset yet.
    pub fn unconfirmed(&self) -> usize {
        lock(&self.api.updates).waiting.len()
    }
}

/// A private message without content.
pub fn private(chat: i64) -> Value {
    json!({
        "message_id": 1000,
        "date": 1_787_300_000,
        "chat": {"id": chat, "type": "private"},
        "from": {"id": chat, "first_name": "Анна"},
    })
}

/// The buttons of an `inline_keyboard`, as strict as Telegram is about them.
fn buttons(markup: &Value) -> Result<Vec<Vec<(String, String)>>, &'static str> {
    let Some(rows) = markup["inline_keyboard"].as_array() else {
        return Ok(Vec::new());
    };
    let mut read = Vec::new();
    for row in rows {
        let mut buttons = Vec::new();
        for button in row.as_array().ok_or("Bad Request: object expected")? {
            let text = button["text"].as_str().unwrap_or_default();
            let data = button["callback_data"].as_str().unwrap_or_default();
            if text.is_empty() || data.is_empty() || data.len() > 64 {
                return Err("Bad Request: BUTTON_DATA_INVALID");
            }
            buttons.push((text.to_owned(), data.to_owned()));
        }
        read.push(buttons);
    }
    Ok(read)
}

fn refuse(status: u16, description: &str) -> Response<Body> {
    let body = json!({"ok": false, "error_code": status, "description": description});
    answer(status, &body)
}

fn accept(result: &Value) -> Response<Body> {
    answer(200, &json!({"ok": true, "result": result}))
}

impl Api {
    async fn handle(&self, call: Call) -> Response<Body> {
        let path = call.uri.path().to_owned();
        let Some((token, method)) = path
            .strip_prefix("/bot")
            .and_then(|rest| rest.split_once('/'))
        else {
            return refuse(404, "Not Found");
        };
        self.desk.log(
            &call.http,
            method,
            call.uri.query().unwrap_or_default(),
            &call.body,
        );
        if token != self.token {
            return refuse(401, "Unauthorized");
        }
        let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
            return refuse(400, "Bad Request: can't parse JSON object");
        };
        match method {
            "getMe" => accept(&json!({"id": 100_500, "is_bot": true, "username": "salon_bot"})),
            "getWebhookInfo" => accept(&json!({"url": lock(&self.webhook).clone()})),
            "sendMessage" => self.send(&body).await,
            "getUpdates" => self.updates(&body).await,
            "editMessageText" | "answerCallbackQuery" => {
                let scripted = lock(&self.edits).pop_front();
                match scripted {
                    Some(scripted) => play(scripted, || {}).await,
                    None if method == "editMessageText" => self.edit(&body),
                    None => self.answer_press(&body),
                }
            }
            _ => refuse(404, "Not Found: method not found"),
        }
    }

    async fn send(&self, body: &Value) -> Response<Body> {
        let chat = match &body["chat_id"] {
            Value::Number(n) => n.to_string(),
            Value::String(s) => s.clone(),
            _ => return refuse(400, "Bad Request: chat_id is empty"),
        };
        let text = body["text"].as_str().unwrap_or_default().to_owned();
        if let Some(scripted) = self.desk.scripted() {
            return play(scripted, || {
                let id = self.desk.take(&chat, &text, "");
                let shown = buttons(&body["reply_markup"]).unwrap_or_default();
                self.show(&chat, &id, &text, shown);
            })
            .await;
        }
        if lock(&self.blocked).contains(&chat) {
            return refuse(403, "Forbidden: bot was blocked by the user");
        }
        let visible = match body["parse_mode"].as_str() {
            None => Ok(text.clone()),
            Some("HTML") => parse_html(&text),
            Some(_) => return refuse(400, "Bad Request: unsupported parse_mode"),
        };
        match visible {
            Err(why) => refuse(400, &format!("Bad Request: can't parse entities: {why}")),
            Ok(visible) if visible.trim().is_empty() => {
                refuse(400, "Bad Request: message text is empty")
            }
            Ok(visible) if visible.chars().count() > 4096 => {
                refuse(400, "Bad Request: message is too long")
            }
            Ok(_) => {
                self.desk.takes_time().await;
                let markup = &body["reply_markup"];
                let buttons = match buttons(markup) {
                    Ok(buttons) => buttons,
                    Err(why) => return refuse(400, why),
                };
                let id = self.desk.take(&chat, &text, "");
                self.show(&chat, &id, &text, buttons);
                let id: i64 = id.parse().unwrap();
                self.desk.takes_time().await;
                accept(&json!({"message_id": id, "date": 1_787_300_000, "text": text}))
            }
        }
    }

    /// The message stands in its chat.
    fn show(&self, chat: &str, id: &str, text: &str, buttons: Vec<Vec<(String, String)>>) {
        self.carry(chat, id, &buttons);
        let shown = Standing {
            id: id.to_owned(),
            text: text.to_owned(),
            asked: !buttons.is_empty(),
            buttons,
        };
        lock(&self.standing).insert((chat.to_owned(), id.to_owned()), shown);
    }

    fn carry(&self, chat: &str, id: &str, buttons: &[Vec<(String, String)>]) {
        for (_, data) in buttons.iter().flatten() {
            let key = (chat.to_owned(), data.clone());
            lock(&self.carriers).insert(key, id.to_owned());
        }
    }

    fn edit(&self, body: &Value) -> Response<Body> {
        let key = (body["chat_id"].to_string(), body["message_id"].to_string());
        let text = body["text"].as_str().unwrap_or_default().to_owned();
        if let Err(why) = parse_html(&text) {
            return refuse(400, &format!("Bad Request: can't parse entities: {why}"));
        }
        let buttons = match buttons(&body["reply_markup"]) {
            Ok(buttons) => buttons,
            Err(why) => return refuse(400, why),
        };
        self.carry(&key.0, &key.1, &buttons);
        let mut standing = lock(&self.standing);
        let asked = standing.get(&key).is_some_and(|before| before.asked);
        let shown = Standing {
            id: key.1.clone(),
            text,
            buttons,
            asked,
        };
        match standing.get_mut(&key) {
            None => refuse(400, "Bad Request: message to edit not found"),
            Some(before) if *before == shown => refuse(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
            ),
            Some(before) => {
                *before = shown;
                accept(&json!({"message_id": body["message_id"]}))
            }
        }
    }

    fn answer_press(&self, body: &Value) -> Response<Body> {
        let id = body["callback_query_id"].as_str().unwrap_or_default();
        let text = body["text"].as_str().unwrap_or_default();
        if text.chars().count() > 200 {
            return refuse(400, "Bad Request: MESSAGE_TOO_LONG");
        }
        match lock(&self.presses).get_mut(id) {
            None => refuse(
                400,
                "Bad Request: query is too old and response timeout expired or query ID is invalid",
            ),
            Some(answer) => {
                *answer = Some(text.to_owned());
                accept(&json!(true))
            }
        }
    }

    async fn updates(&self, body: &Value) -> Response<Body> {
        let offset = body["offset"].as_i64().unwrap_or(0);
        let limit = usize::try_from(body["limit"].as_i64().unwrap_or(100)).unwrap();
        let timeout = Duration::from_secs(body["timeout"].as_u64().unwrap_or(0).min(50));
        // Presses are told only to who asks for them.
        let allowed = body["allowed_updates"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let wanted = |u: &&Value| {
            u["callback_query"].is_null() || allowed.iter().any(|kind| kind == "callback_query")
        };
        let some = || {
            let mut updates = lock(&self.updates);
            // An offset far ahead of all numbers is one of the old numbering.
            let offset = match offset > updates.last_id + 1 {
                true => 0,
                false => offset,
            };
            updates
                .waiting
                .retain(|u| u["update_id"].as_i64().unwrap() >= offset);
            let waiting = updates.waiting.iter().filter(wanted);
            let found: Vec<Value> = waiting.take(limit).cloned().collect();
            (!found.is_empty()).then_some(found)
        };
        let wait = self.desk.wait_until("an update", some);
        let found = match some() {
            Some(found) => found,
            None => tokio::time::timeout(timeout, wait)
                .await
                .unwrap_or_default(),
        };
        accept(&Value::from(found))
    }
}

/// Telegram's HTML as its server reads it: known tags, closed in order, and no bare `<` or `&`-entity
/// it does not know. Gives the visible text, or Telegram's words.
fn parse_html(text: &str) -> Result<String, String> {
    const TAGS: [&str; 14] = [
        "b",
        "strong",
        "i",
        "em",
        "u",
        "ins",
        "s",
        "strike",
        "del",
        "code",
        "pre",
        "a",
        "tg-spoiler",
        "blockquote",
    ];
    let mut visible = String::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        visible.push_str(&rest[..at]);
        let offset = text.len() - rest.len() + at;
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('&') {
            // An unknown entity stays as it is written.
            let known = [("lt;", '<'), ("gt;", '>'), ("amp;", '&'), ("quot;", '"')];
            let entity = known.iter().find(|(name, _)| after.starts_with(name));
            visible.push(entity.map_or('&', |(_, c)| *c));
            rest = entity.map_or(after, |(name, _)| &after[name.len()..]);
            continue;
        }
        let Some(end) = rest.find('>') else {
            return Err(format!("Unclosed start tag at byte offset {offset}"));
        };
        let tag = rest[1..end].to_lowercase();
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(expected) if expected == name.trim() => {}
                Some(expected) => {
                    return Err(format!(
                        "Unmatched end tag at byte offset {offset}, expected \"</{expected}>\", found \"</{name}>\""
                    ));
                }
                None => return Err(format!("Unexpected end tag at byte offset {offset}")),
            }
        } else {
            let name = tag.split_whitespace().next().unwrap_or_default();
            if !TAGS.contains(&name) {
                return Err(format!(
                    "Unsupported start tag \"{name}\" at byte offset {offset}"
                ));
            }
            open.push(name.to_owned());
        }
    }
    visible.push_str(rest);
    match open.pop() {
        Some(tag) => Err(format!(
            "Can't find end tag corresponding to start tag \"{tag}\""
        )),
        None => Ok(visible),
    }
}
