//! Colour is for terminals, and for those who did not ask to be spared it.

use std::process::{Command, Stdio};

use crate::support::program::Program;

/// What `preview` shows on a terminal of its own, made by `script`.
async fn on_a_terminal(program: &Program, no_color: Option<&str>) -> String {
    let call = format!(
        "{} --config {} preview created",
        env!("CARGO_BIN_EXE_booking-monitor"),
        program.config().display()
    );
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &call, "/dev/null"]);
    command.env_remove("NO_COLOR").stdin(Stdio::null());
    command.envs(no_color.map(|value| ("NO_COLOR", value)));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_gets_emphasis_unless_no_color_is_set() {
    let program = Program::new().await;
    let shown = on_a_terminal(&program, None).await;
    assert!(shown.contains("\x1b[1mВы записаны!"), "{shown:?}");
    let plain = on_a_terminal(&program, Some("1")).await;
    assert!(
        plain.contains("*Вы записаны!*") && !plain.contains('\x1b'),
        "{plain:?}"
    );
}
