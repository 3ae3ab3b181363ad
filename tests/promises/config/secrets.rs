//! Where secrets come from, and that they go nowhere.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use booking_monitor::config::{Config, Secrets};
use booking_monitor::yclients::User;
use secrecy::ExposeSecret;

use super::draft::{Draft, draft};

const CANARY: &str = "canary-51f0e7";

fn with_partner_token(written: &str) -> Draft {
    Draft {
        yclients: format!("partner_token = {written}\nuser_token = \"u\""),
        ..draft()
    }
}

fn mode(draft: &Draft, name: &str, mode: u32) {
    let path = draft.folder.path().join(name);
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn partner_token(config: &Config) -> &str {
    config.yclients.partner_token.expose_secret()
}

#[test]
fn a_secret_may_be_written_or_named() {
    let written = with_partner_token(&format!("{CANARY:?}"));
    assert_eq!(partner_token(&written.config()), CANARY);

    let variable = Draft {
        env: vec![("TOKEN", CANARY.into())],
        ..with_partner_token("{ env = \"TOKEN\" }")
    };
    assert_eq!(partner_token(&variable.config()), CANARY);

    let file =
        with_partner_token("{ file = \"token\" }").with_file("token", &format!("{CANARY}\n"));
    assert_eq!(partner_token(&file.config()), CANARY);

    let mut credential =
        with_partner_token("{ credential = \"token\" }").with_file("token", &format!("{CANARY}\n"));
    let folder = credential.folder.path().display().to_string();
    credential.env = vec![("CREDENTIALS_DIRECTORY", folder)];
    assert_eq!(partner_token(&credential.config()), CANARY);
}

#[test]
fn a_secret_that_cannot_be_had_says_what_to_do() {
    let cases = [
        (
            r#"{ env = "TOKEN" }"#,
            "booking-monitor.toml:2: yclients.partner_token: the environment variable TOKEN is not \
             set; set it, for a unit in its EnvironmentFile, or use { file = \"PATH\" }",
        ),
        (
            r#"{ env = "EMPTY" }"#,
            "booking-monitor.toml:2: yclients.partner_token: the environment variable EMPTY is \
             empty; set it, for a unit in its EnvironmentFile, or use { file = \"PATH\" }",
        ),
        (
            r#"{ file = "none" }"#,
            "booking-monitor.toml:2: yclients.partner_token: cannot read none: No such file or \
             directory (os error 2); it must exist, hold the secret alone, and be readable by the \
             program's user",
        ),
        (
            r#"{ file = "empty" }"#,
            "booking-monitor.toml:2: yclients.partner_token: the secret is empty",
        ),
        (
            r#"{ file = "lines" }"#,
            "booking-monitor.toml:2: yclients.partner_token: the secret holds a line break or \
             another control character; keep it alone, on one line",
        ),
        (
            r#"{ credential = "booking-monitor-test" }"#,
            "booking-monitor.toml:2: yclients.partner_token: no credential \
             \"booking-monitor-test\"; put it into /etc/credstore/booking-monitor-test (mode 0600), \
             or run `systemd-creds encrypt - /etc/credstore.encrypted/booking-monitor-test`",
        ),
        (
            r#"{ credential = "../token" }"#,
            "booking-monitor.toml:2: yclients.partner_token: a credential's name is no path",
        ),
        (
            r#"{ env = "A", file = "b" }"#,
            "booking-monitor.toml:2: yclients.partner_token: expected a string, { env = \"NAME\" }, \
             { file = \"PATH\" } or { credential = \"NAME\" }, found another table",
        ),
        (
            r#""""#,
            "booking-monitor.toml:2: yclients.partner_token: missing; write { env = \"NAME\" } or \
             { file = \"PATH\" }",
        ),
    ];
    for (written, expected) in cases {
        let broken = Draft {
            env: vec![("EMPTY", String::new())],
            ..with_partner_token(written)
        };
        let broken = broken.with_file("empty", "\n").with_file("lines", "a\nb\n");
        for name in ["empty", "lines"] {
            mode(&broken, name, 0o600);
        }
        assert_eq!(broken.problems(), expected);
    }
}

#[test]
fn in_a_unit_a_missing_credential_names_the_line_that_adds_it() {
    let mut unit = with_partner_token("{ credential = \"token\" }");
    let folder = unit.folder.path().display().to_string();
    unit.env = vec![("CREDENTIALS_DIRECTORY", folder)];
    assert_eq!(
        unit.problems(),
        "booking-monitor.toml:2: yclients.partner_token: cannot read token: No such file or \
         directory (os error 2); add LoadCredential=token:PATH to the unit"
    );
}

#[test]
fn a_secret_file_that_others_may_read_is_warned_of_and_used() {
    let draft = with_partner_token("{ file = \"token\" }").with_file("token", CANARY);
    mode(&draft, "token", 0o640);
    assert_eq!(
        draft.warnings(),
        "booking-monitor.toml:2: yclients.partner_token: others may read token (mode 0640); \
         run `chmod 600 token`"
    );
    mode(&draft, "token", 0o600);
    assert_eq!(draft.warnings(), "");
}

#[test]
fn commands_that_need_no_secret_do_not_look_for_any() {
    let draft = Draft {
        secrets: Secrets::NotNeeded,
        yclients: "partner_token = { env = \"UNSET\" }\nuser_token = { file = \"none\" }".into(),
        ..draft()
    };
    assert_eq!(partner_token(&draft.config()), "");

    let none = Draft {
        yclients: String::new(),
        ..draft
    };
    assert_eq!(partner_token(&none.config()), "");
}

#[test]
fn a_login_and_a_password_stand_in_for_a_token() {
    let draft = Draft {
        yclients: format!("partner_token = \"p\"\nlogin = 79000000001\npassword = {CANARY:?}"),
        ..draft()
    };
    match draft.config().yclients.user {
        User::Login { login, password } => {
            assert_eq!(login, "79000000001");
            assert_eq!(password.expose_secret(), CANARY);
        }
        User::Token(_) => panic!("a token out of nowhere"),
    }
}

#[test]
fn no_secret_is_shown_whatever_is_wrong_with_it() {
    let everywhere = [
        "partner_token = [\"CANARY\"]\nuser_token = { env = \"CANARY\" }",
        "partner_token = { token = \"CANARY\" }\nuser_tokne = \"CANARY\"",
        "partner_token = \"CANARY\\n\"\nuser_token = \"CANARY\"\npassword = \"CANARY\"",
        "partner_token = \"p\"\nlogin = [\"CANARY\"]\npassword = 1",
        "partner_token = \"p\"\nuser_token = \"u\"\nproxy = \"socks6://me:CANARY@host\"",
        "partner_token = \"p\"\nuser_token = \"u\"\nbase_url = \"https://me:CANARY@host\"",
        "partner_token = \"p\"\nuser_token = \"u\"\nbase_url = \"ftp://me:CANARY@host\"",
        "partner_token = CANARY",
        "partner_token = \"CANARY",
        "partner_token = \"a\" \"CANARY\"",
    ];
    for yclients in everywhere {
        let draft = Draft {
            yclients: yclients.replace("CANARY", CANARY),
            ..draft()
        };
        let report = draft.load().expect_err("it is refused");
        let printed = format!("{report} {report:?}");
        assert!(!printed.contains(CANARY), "{yclients}: {printed}");
    }
}

#[test]
fn a_loaded_configuration_prints_no_secret() {
    let draft = Draft {
        yclients: format!("partner_token = {CANARY:?}\nlogin = {CANARY:?}\npassword = {CANARY:?}"),
        channels: format!(
            "[channels.owners]\ntype = \"telegram\"\ntoken = {CANARY:?}\n\
             [channels.own]\ntype = \"http\"\npreset = \"none\"\n\
             base_url = \"http://127.0.0.1:9\"\ntoken = {CANARY:?}\n\
             [channels.own.request]\npath = \"/{{phone}}?key={CANARY}\"\n\
             headers = {{ X = {CANARY:?} }}\nbody = {{ text = \"{{text}}\", key = {CANARY:?} }}"
        ),
        ..draft()
    };
    let printed = format!("{:?}", draft.load().unwrap());
    assert!(!printed.contains(CANARY), "{printed}");
}

#[test]
fn nobody_is_told_to_close_a_folder_that_is_named_in_place_of_a_secret() {
    let broken = with_partner_token("{ file = \"secrets\" }");
    fs::create_dir(broken.folder.path().join("secrets")).unwrap();
    mode(&broken, "secrets", 0o755);
    let report = broken.load().unwrap_err();
    // Without its x the folder would hide the secrets that are in it.
    assert_eq!(report.warnings, []);
    assert!(report.to_string().contains("Is a directory"), "{report}");
}
