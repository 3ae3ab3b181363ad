//! The first ten minutes of somebody who is no programmer, and what packagers need before that.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::process::Command;

use support::program::{stderr, stdout};

/// The program, in no folder of ours and with no configuration.
fn bare(arguments: &[&str]) -> std::process::Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_booking-monitor"))
        .args(arguments)
        .env_clear()
        .current_dir(folder.path())
        .output()
        .unwrap()
}

#[test]
fn completions_and_the_manual_need_no_configuration() {
    for shell in ["bash", "zsh", "fish"] {
        let made = bare(&["completions", shell]);
        assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
        assert!(stdout(&made).contains("explain"), "{shell}");
    }
    let unknown = bare(&["completions", "dos"]);
    assert_eq!(unknown.status.code(), Some(2));
    let page = bare(&["man"]);
    assert_eq!(page.status.code(), Some(0), "{}", stderr(&page));
    assert!(stdout(&page).contains(".TH booking-monitor 1"));
}

#[test]
fn every_command_has_a_manual_page_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let made = bare(&["man", "--into", pages.to_str().unwrap()]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    for page in [
        "booking-monitor.1",
        "booking-monitor-check.1",
        "booking-monitor-db-restore.1",
    ] {
        let text = std::fs::read_to_string(pages.join(page)).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
}
