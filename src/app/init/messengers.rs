//! The messengers' part of `init`: what clients are written over, and the owner's own chat.

use std::time::Duration;

use secrecy::SecretString;

use super::Ask;
use crate::app::check::advice;
use crate::app::progress::Progress;
use crate::app::{Failure, talk};
use crate::channels::green_api::{self, Flavour};
use crate::channels::telegram::setup::{Deaf, Place};
use crate::channels::{Common, DEFAULT_TIMEOUT, JOURNAL_GRACE, Kind, console, telegram};
use crate::http_client::ClientSettings;

/// A channel as it will be written down.
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// The owner's chat.
pub(super) struct Owner {
    pub(super) channel: &'static str,
    pub(super) place: Place,
    /// The bot, where it is another than the clients'.
    pub(super) way: Option<Way>,
}

/// How long one wait for the owner's word lasts.
const PATIENCE: Duration = Duration::from_mins(3);

/// How clients are written to.
pub(super) async fn clients(ask: &Ask, telegram_url: &str) -> Result<Way, Failure> {
    let words = ask.words;
    ask.tell("\n4. Чем писать клиентам.", "\n4. How to write to clients.")?;
    let ways = [
        words.of(
            "WhatsApp салона, через Green API",
            "the salon's WhatsApp, through Green API",
        ),
        words.of(
            "MAX салона, через Green API",
            "the salon's MAX, through Green API",
        ),
        words.of(
            "бот в Telegram (клиент сам открывает его)",
            "a Telegram bot (clients open it themselves)",
        ),
        words.of(
            "пока ничем: печатать в терминал",
            "nothing yet: print to the terminal",
        ),
    ];
    Ok(match ask.choose(words.of("Канал", "Channel"), &ways)? {
        1 => green(ask, "whatsapp", Flavour::WhatsApp).await?,
        2 => green(ask, "max", Flavour::Max).await?,
        3 => Way {
            name: "telegram",
            kind: Kind::Telegram(bot(ask, telegram_url).await?.0),
        },
        _ => Way {
            name: "terminal",
            kind: Kind::Console(console::Settings::default()),
        },
    })
}

async fn green(ask: &Ask, name: &'static str, flavour: Flavour) -> Result<Way, Failure> {
    let words = ask.words;
    ask.tell(
        "   Создайте инстанс на https://console.green-api.com и отсканируйте его QR-код телефоном салона.\n   На странице инстанса стоят apiUrl, idInstance и apiTokenInstance.",
        "   Make an instance at https://console.green-api.com and scan its QR code with the salon's phone.\n   Its page has apiUrl, idInstance and apiTokenInstance.",
    )?;
    loop {
        let api_url = ask.needed("apiUrl")?;
        if crate::config::is_open(&api_url) {
            ask.tell(
                "Адрес должен начинаться с https://",
                "The address has to begin with https://",
            )?;
            continue;
        }
        let instance_id = ask.needed("idInstance")?;
        let token = ask.secret("apiTokenInstance")?;
        let mut settings = green_api::Settings {
            api_url: api_url.trim_end_matches('/').to_owned(),
            instance_id,
            token: SecretString::from(token),
            flavour,
            templates: Default::default(),
            common: common(),
        };
        let instance = green_api::setup::Setup::new(&settings);
        let instance = instance.map_err(|error| Failure::usage(&error.to_string()))?;
        if let Err(why) = instance.state().await {
            talk(&format!("✗ {}", words.spoken(&why)))?;
            let kind = Kind::GreenApi(settings.clone());
            talk(&format!("  → {}", advice::of_channel(words, &kind, &why)))?;
            if ask.yes(
                words.of("Ввести данные ещё раз", "Enter the data again"),
                true,
            )? {
                continue;
            }
        }
        settings.common.receive = notifications(ask, &instance).await?;
        let kind = Kind::GreenApi(settings);
        return Ok(Way { name, kind });
    }
}

/// Whether the instance's notifications are ours to read. Nothing there is changed unasked.
async fn notifications(ask: &Ask, instance: &green_api::setup::Setup) -> Result<bool, Failure> {
    let words = ask.words;
    let found = match instance.settings().await {
        Ok(found) => found,
        Err(why) => {
            talk(&format!("! {}", words.spoken(&why)))?;
            return Ok(true);
        }
    };
    if found.has_webhook {
        ask.tell(
            "! Уведомления этого инстанса уже получает другая программа (CRM, бот). Её настройку не трогаю: пишу receive = false. Сообщения уходить будут, ответов клиентов здесь не увидим.",
            "! Another program (a CRM, a bot) gets this instance's notifications. Its setting stays as it is: I write receive = false. Messages will go out; clients' answers are not seen here.",
        )?;
        return Ok(false);
    }
    if found.off.is_empty() {
        ask.tell("✓ Инстанс готов.", "✓ The instance is ready.")?;
        return Ok(true);
    }
    let off = found.off.join(", ");
    talk(&format!(
        "! {}: {off}",
        words.of(
            "Выключены уведомления, без которых не видно ответов и доставки",
            "Notifications are off without which no answer and no delivery is seen"
        )
    ))?;
    let prompt = words.of(
        "Включить их? Инстанс перезапустится, это до пяти минут",
        "Switch them on? The instance restarts, which takes up to five minutes",
    );
    if ask.yes(prompt, true)? {
        match instance.switch_on(&found.off).await {
            Ok(()) => ask.tell("✓ Включены.", "✓ They are on.")?,
            Err(why) => talk(&format!("✗ {}", words.spoken(&why)))?,
        }
    }
    Ok(true)
}

/// A bot that nobody else reads, and its name.
async fn bot(ask: &Ask, api_url: &str) -> Result<(telegram::Settings, String), Failure> {
    let words = ask.words;
    ask.tell(
        "   Напишите @BotFather команду /newbot и заберите токен.",
        "   Write /newbot to @BotFather and take the token.",
    )?;
    loop {
        let token = ask.secret(words.of("Токен бота", "The bot's token"))?;
        if token.is_empty() {
            continue;
        }
        let settings = of_bot(api_url, token);
        let setup = telegram::setup::Setup::new(&settings);
        let setup = setup.map_err(|error| Failure::usage(&error.to_string()))?;
        let name = match setup.name().await {
            Ok(name) => name,
            Err(why) => {
                talk(&format!("✗ {}", words.spoken(&why)))?;
                let kind = Kind::Telegram(settings.clone());
                talk(&format!("  → {}", advice::of_channel(words, &kind, &why)))?;
                continue;
            }
        };
        if setup.has_webhook().await.unwrap_or(false) {
            talk(&format!(
                "✗ @{name}: {}",
                words.of(
                    "этого бота уже читает другой сервис (webhook). Заведите у @BotFather второго.",
                    "another service reads this bot (a webhook). Make a second one at @BotFather.",
                )
            ))?;
            continue;
        }
        talk(&format!("✓ @{name}"))?;
        return Ok((settings, name));
    }
}

fn of_bot(api_url: &str, token: String) -> telegram::Settings {
    telegram::Settings {
        api_url: api_url.trim_end_matches('/').to_owned(),
        token: SecretString::from(token),
        common: common(),
    }
}

/// Who hears of trouble, found by a word written to the bot; `None` when nobody is to.
pub(super) async fn owner(
    ask: &Ask,
    telegram_url: &str,
    clients: &Way,
) -> Result<Option<Owner>, Failure> {
    let words = ask.words;
    ask.tell(
        "\n5. Ваш чат. Туда приходят копии записей и предупреждения, когда что-то сломалось. Без него о поломке никто не узнает.",
        "\n5. Your chat. Copies of bookings go there, and warnings when something breaks. Without it nobody would hear of that.",
    )?;
    let own = match &clients.kind {
        Kind::Telegram(settings) => ask
            .yes(
                words.of(
                    "Писать вам через того же бота",
                    "Write to you through the same bot",
                ),
                false,
            )?
            .then(|| settings.clone()),
        _ => None,
    };
    if own.is_none()
        && !ask.yes(
            words.of("Завести бота для вас", "Set up a bot for you"),
            true,
        )?
    {
        return Ok(None);
    }
    let shared = own.is_some();
    let (settings, name) = match own {
        Some(settings) => {
            let setup = telegram::setup::Setup::new(&settings);
            let setup = setup.map_err(|error| Failure::usage(&error.to_string()))?;
            let name = setup.name().await.unwrap_or_default();
            (settings, name)
        }
        None => bot(ask, telegram_url).await?,
    };
    let Some(place) = chat(ask, &settings, &name).await? else {
        return Ok(None);
    };
    let channel = if shared { clients.name } else { "owners" };
    Ok(Some(Owner {
        channel,
        place,
        way: (!shared).then_some(Way {
            name: channel,
            kind: Kind::Telegram(settings),
        }),
    }))
}

async fn chat(
    ask: &Ask,
    settings: &telegram::Settings,
    name: &str,
) -> Result<Option<Place>, Failure> {
    let words = ask.words;
    let setup = telegram::setup::Setup::new(settings);
    let setup = setup.map_err(|error| Failure::usage(&error.to_string()))?;
    // Anybody may have found the bot: only who reads this terminal knows the word.
    let word = (1000 + rand::random::<u16>() % 9000).to_string();
    talk(&match words.0 {
        crate::config::Language::Ru => {
            format!("Откройте https://t.me/{name}, нажмите «Старт» и напишите: {word}")
        }
        crate::config::Language::En => {
            format!("Open https://t.me/{name}, press Start and write: {word}")
        }
    })?;
    loop {
        let shown = Progress::of(words.of("Жду", "Waiting").to_owned());
        let heard = setup.hear(&word, PATIENCE).await;
        drop(shown);
        match heard {
            Ok(Some(place)) => {
                ask.tell("✓ Вижу ваш чат.", "✓ I see your chat.")?;
                return Ok(Some(place));
            }
            Ok(None) => {
                if ask.yes(
                    words.of(
                        "Ничего не пришло. Подождать ещё",
                        "Nothing came. Wait longer",
                    ),
                    true,
                )? {
                    continue;
                }
            }
            Err(deaf) => talk(&format!("✗ {}", in_words(ask, &deaf)))?,
        }
        let prompt = words.of(
            "Номер вашего чата (пусто: без владельца)",
            "Your chat's number (empty: no owner)",
        );
        let typed = ask.line(prompt, "")?;
        return Ok((!typed.is_empty()).then(|| Place {
            is_private: !typed.starts_with('-'),
            user: String::new(),
            chat: typed,
        }));
    }
}

fn in_words(ask: &Ask, deaf: &Deaf) -> String {
    let words = ask.words;
    match deaf {
        Deaf::ReadElsewhere => words
            .of(
                "Этого бота читает другая программа.",
                "Another program reads this bot.",
            )
            .to_owned(),
        Deaf::Overfull => words
            .of(
                "В боте больше ста непрочитанных сообщений, нового не видно.",
                "More than a hundred messages wait unread in the bot, the new one is not seen.",
            )
            .to_owned(),
        Deaf::Other(why) => why.clone(),
    }
}

fn common() -> Common {
    Common {
        client: ClientSettings {
            timeout: DEFAULT_TIMEOUT,
            proxy: None,
            ca_file: None,
        },
        messages_per_second: 1.0,
        receive: true,
        journal_grace: JOURNAL_GRACE,
    }
}
