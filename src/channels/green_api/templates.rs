//! The templates of official WhatsApp as the instance lists them: by id, with everything that Meta
//! shows joined into one text.

use reqwest::Method;
use serde_json::Value;

use super::account::Account;
use crate::channels::approved::{Listed, placeholders};
use crate::channels::classify::read_journal;

impl Account {
    /// Every template of the instance.
    pub(super) async fn templates(&self) -> Result<Vec<Listed>, String> {
        let answer = read_journal(self.request(Method::GET, "getTemplates", "")).await?;
        let json = answer.listed(self.secret())?;
        let list = json["templates"].as_array();
        let list = list.ok_or("the answer lists no templates")?;
        Ok(list.iter().map(listed).collect())
    }
}

fn listed(template: &Value) -> Listed {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    // What was submitted, part by part, is JSON within the JSON.
    let submitted = template["containerMeta"].as_str().unwrap_or_default();
    let submitted: Value = serde_json::from_str(submitted).unwrap_or_default();
    let body = submitted["data"].as_str().or(template["data"].as_str());
    let takes = |value: &Value| !placeholders(value.as_str().unwrap_or_default()).is_empty();
    let mut buttons = submitted["buttons"].as_array().into_iter().flatten();
    let kind = template["templateType"].as_str().unwrap_or("TEXT");
    Listed {
        name: text(&template["elementName"]),
        id: template["id"].as_str().map(str::to_owned),
        language: text(&template["languageCode"]),
        status: text(&template["status"]),
        category: text(&template["category"]),
        body: body.unwrap_or_default().to_owned(),
        elsewhere: kind != "TEXT"
            || takes(&submitted["header"])
            || buttons.any(|button| takes(&button["url"])),
    }
}
