//! The journal's part of `init`: two tokens, the branches, and what the robot may see of them.

use secrecy::{ExposeSecret as _, SecretString};

use super::Ask;
use crate::app::check::{advice, online};
use crate::app::progress::Progress;
use crate::app::{Failure, talk};
use crate::domain::zone::Zone;
use crate::http_client::ClientSettings;
use crate::ports::{ApiError, BookingApi as _, CompanyInfo, CompanyRef, Standing};
use crate::yclients::{Client, DEFAULT_TIMEOUT, Settings, User};

/// What is known of the journal when the questions are over.
pub(super) struct Journal {
    pub(super) partner_token: SecretString,
    pub(super) user_token: SecretString,
    pub(super) branches: Vec<Branch>,
}

/// A branch to watch.
pub(super) struct Branch {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) address: String,
    /// Where the API names none.
    pub(super) zone: Option<Zone>,
}

pub(super) async fn ask(ask: &Ask, base_url: &str) -> Result<Journal, Failure> {
    loop {
        let partner_token = partner(ask)?;
        let user_token = user(ask, base_url, &partner_token).await?;
        let user = User::Token(user_token.clone());
        let api = client(base_url, &partner_token, user)?;
        let Some(branches) = branches(ask, &api).await? else {
            continue;
        };
        return Ok(Journal {
            partner_token,
            user_token,
            branches,
        });
    }
}

fn partner(ask: &Ask) -> Result<SecretString, Failure> {
    ask.tell(
        "\n1. Партнёрский токен: по нему YClients узнаёт программу.\n   Возьмите его в кабинете разработчика: https://developers.yclients.com",
        "\n1. The partner token, by which YClients knows the program.\n   From your developer's account: https://developers.yclients.com",
    )?;
    loop {
        let token = ask.secret(ask.words.of("Партнёрский токен", "Partner token"))?;
        if !token.is_empty() {
            return Ok(SecretString::from(token));
        }
    }
}

/// The robot's token: what login and password are exchanged for, once, or one that is there.
async fn user(ask: &Ask, base_url: &str, partner: &SecretString) -> Result<SecretString, Failure> {
    let words = ask.words;
    ask.tell(
        "\n2. Пользователь для робота. Заведите в YClients отдельного сотрудника («Робот»): программа видит то же, что он.\n   Права: журнал записи, все сотрудники, телефоны клиентов, без ограничения по дням. Менять ему ничего не нужно.\n   Свой пароль лучше не давать: смените его, и робот ослепнет.",
        "\n2. A user for the robot. Make a separate employee (“Robot”) in YClients: the program sees what it sees.\n   Rights: the appointment calendar, all staff, clients' phones, no limit of days. It need not change anything.\n   Better not your own: change its password, and the robot is blind.",
    )?;
    let ways = [
        words.of(
            "логин и пароль робота: обменяю один раз на токен и не сохраню",
            "the robot's login and password: exchanged for a token once, and not kept",
        ),
        words.of("токен пользователя уже есть", "I have a user token"),
    ];
    loop {
        if ask.choose(words.of("Как войти", "How to sign in"), &ways)? == 2 {
            let token = ask.secret(words.of("Токен пользователя", "User token"))?;
            match token.is_empty() {
                true => continue,
                false => return Ok(SecretString::from(token)),
            }
        }
        let login = ask.needed(words.of(
            "Логин робота (телефон или почта)",
            "The robot's login (phone or e-mail)",
        ))?;
        let password = ask.secret(words.of("Пароль робота", "The robot's password"))?;
        let password = SecretString::from(password);
        let api = client(base_url, partner, User::Login { login, password })?;
        let shown = Progress::of(
            words
                .of("Вхожу в YClients", "Signing in to YClients")
                .to_owned(),
        );
        let token = api.user_token().await;
        drop(shown);
        match token {
            Ok(token) => {
                ask.tell(
                    "✓ Токен получен. Пароль нигде не сохранён. Токен живёт, пока пароль не сменят.",
                    "✓ There is a token. The password is kept nowhere. The token lives until the password changes.",
                )?;
                return Ok(token);
            }
            Err(error) => {
                talk(&format!("✗ {}", ask.words.spoken(&error.to_string())))?;
                ask.tell(
                    match is_second_factor(&error) {
                        true => "У этого пользователя вход с подтверждением (второй фактор), а код ввести некому. Отключите подтверждение у робота в YClients или дайте готовый токен пользователя.",
                        false => "Попробуем ещё раз. После нескольких неверных паролей YClients закрывает вход на время.",
                    },
                    match is_second_factor(&error) {
                        true => "This user signs in with a second factor, and nobody is there to type the code. Switch it off for the robot in YClients, or give a user token.",
                        false => "Let us try again. After some wrong passwords YClients locks the user for a while.",
                    },
                )?;
            }
        }
    }
}

fn is_second_factor(error: &ApiError) -> bool {
    matches!(error, ApiError::Denied { message, .. } if message.contains("second factor"))
}

/// The branches to watch; `None` when the tokens have to be asked for anew.
async fn branches(ask: &Ask, api: &Client) -> Result<Option<Vec<Branch>>, Failure> {
    let words = ask.words;
    let shown = Progress::of(
        words
            .of("Читаю список филиалов", "Reading the branches")
            .to_owned(),
    );
    let listed = api.branches().await;
    drop(shown);
    let found = match listed {
        Ok(found) => found,
        Err(error) => {
            talk(&format!("✗ {}", ask.words.spoken(&error.to_string())))?;
            talk(&format!("  → {}", advice::of_company(words, &error)))?;
            if matches!(error, ApiError::Denied { status: 401, .. }) {
                return Ok(None);
            }
            Vec::new()
        }
    };
    ask.tell("\n3. Филиалы.", "\n3. Branches.")?;
    let chosen = match found.is_empty() {
        true => by_number(ask, api).await?,
        false => from_list(ask, found)?,
    };
    let mut branches = Vec::new();
    for (id, info) in chosen {
        let zone = match info.zone {
            Some(_) => None,
            None => Some(zone(ask, &info.title)?),
        };
        let branch = Branch {
            id,
            title: info.title,
            address: info.address,
            zone,
        };
        if let Some(zone) = info.zone.or(branch.zone) {
            look(ask, api, &branch, zone).await?;
        }
        branches.push(branch);
    }
    Ok(Some(branches))
}

type Listed = (i64, CompanyInfo);

fn from_list(ask: &Ask, found: Vec<Listed>) -> Result<Vec<Listed>, Failure> {
    for (n, (id, info)) in found.iter().enumerate() {
        talk(&format!(
            "  {}. {}, {} ({id})",
            n + 1,
            info.title,
            info.address
        ))?;
    }
    let all = ask.words.of("все", "all");
    loop {
        let prompt = ask.words.of(
            "За какими следить (номера через запятую)",
            "Which to watch (numbers, with commas)",
        );
        let typed = ask.line(prompt, all)?;
        if ["все", "all"].contains(&typed.to_lowercase().as_str()) {
            return Ok(found);
        }
        let numbers = typed.split(',').map(|n| n.trim().parse::<usize>().ok());
        let picked: Option<Vec<Listed>> = numbers
            .map(|n| found.get(n?.checked_sub(1)?).cloned())
            .collect();
        match picked {
            Some(picked) => return Ok(picked),
            None => ask.tell(
                "Таких номеров в списке нет.",
                "There are no such numbers in the list.",
            )?,
        }
    }
}

/// Where no list is to be had.
async fn by_number(ask: &Ask, api: &Client) -> Result<Vec<Listed>, Failure> {
    ask.tell(
        "Списка нет. Номер филиала виден в адресной строке, когда открыт его журнал.",
        "There is no list. A branch's number stands in the address of its calendar.",
    )?;
    loop {
        let typed = ask.needed(ask.words.of("Номер филиала", "The branch's number"))?;
        let Ok(id) = typed.parse::<i64>() else {
            continue;
        };
        match api.company(id).await {
            Ok(info) => return Ok(vec![(id, info)]),
            Err(error) => {
                talk(&format!("✗ {}", ask.words.spoken(&error.to_string())))?;
                talk(&format!("  → {}", advice::of_company(ask.words, &error)))?;
            }
        }
    }
}

fn zone(ask: &Ask, title: &str) -> Result<Zone, Failure> {
    let prompt = ask.words.of("часовой пояс", "time zone");
    loop {
        let typed = ask.line(&format!("{title}, {prompt}"), "Europe/Moscow")?;
        match typed.parse() {
            Ok(zone) => return Ok(zone),
            Err(_) => ask.tell(
                "Например, Asia/Yekaterinburg.",
                "Such as Asia/Yekaterinburg.",
            )?,
        }
    }
}

/// Whether phones are visible, again and again until the box is ticked or the owner goes on.
async fn look(ask: &Ask, api: &Client, branch: &Branch, zone: Zone) -> Result<(), Failure> {
    let words = ask.words;
    let company = CompanyRef {
        id: branch.id,
        zone,
        country: "RU".to_owned(),
        standing: Standing::first(),
    };
    loop {
        let shown = Progress::of(format!(
            "{} {}",
            words.of("Смотрю журнал:", "Looking at the calendar:"),
            branch.title
        ));
        let survey = online::survey(api, &company).await;
        drop(shown);
        let title = &branch.title;
        match survey {
            Err(error) => {
                talk(&format!(
                    "✗ {title}: {}",
                    ask.words.spoken(&error.to_string())
                ))?;
                talk(&format!("  → {}", advice::of_company(words, &error)))?;
            }
            Ok(survey) if survey.hides_phones() => {
                talk(&format!("✗ {}", online::phones(words, title, &survey)))?;
                talk(&format!("  → {}", online::tick_the_box(words)))?;
            }
            Ok(survey) => {
                talk(&format!("✓ {}", online::phones(words, title, &survey)))?;
                if survey.notices.sms_now + survey.notices.email_now > 0 {
                    talk(&format!("! {}", online::notices(words, title, &survey)))?;
                    talk(&format!("  → {}", online::switch_theirs_off(words)))?;
                }
                return Ok(());
            }
        }
        let again = words.of("Поправили? Посмотреть ещё раз", "Mended? Look again");
        if !ask.yes(again, true)? {
            return Ok(());
        }
    }
}

fn client(base_url: &str, partner: &SecretString, user: User) -> Result<Client, Failure> {
    let settings = Settings {
        base_url: base_url.trim_end_matches('/').to_owned(),
        partner_token: SecretString::from(partner.expose_secret().to_owned()),
        user,
        accept: "application/vnd.yclients.v2+json".to_owned(),
        requests_per_second: 3,
        requests_per_minute: 180,
        page_size: 200,
        own_users: std::collections::BTreeMap::new(),
        client: ClientSettings {
            timeout: DEFAULT_TIMEOUT,
            proxy: None,
            ca_file: None,
        },
    };
    Client::new(settings).map_err(|error| Failure::usage(&error.to_string()))
}
