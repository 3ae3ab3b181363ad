//! Whether systemd starts the program by itself. Looks at the files that decide it and asks nobody:
//! the answer is the same for every user.

use std::path::Path;

/// What starts the program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// This one, after every reboot.
    Enabled(&'static str),
    /// It is installed, and nobody has switched it on.
    Installed(&'static str),
    /// Nothing does.
    Missing,
}

const UNITS: [(&str, &str); 2] = [
    ("booking-monitor.service", "multi-user.target.wants"),
    ("booking-monitor-once.timer", "timers.target.wants"),
];
const FOLDERS: [&str; 3] = [
    "etc/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];

/// Under this root; `None` on a machine that systemd does not run.
pub(super) fn find(root: &Path) -> Option<Unit> {
    if !root.join("run/systemd/system").exists() {
        return None;
    }
    // A link is there even when what it points to cannot be read.
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    let enabled = |(name, wants): &&(&'static str, &str)| {
        is_there(&root.join("etc/systemd/system").join(wants).join(name))
    };
    let installed = |(name, _): &&(&'static str, &str)| {
        FOLDERS
            .iter()
            .any(|folder| is_there(&root.join(folder).join(name)))
    };
    Some(if let Some((name, _)) = UNITS.iter().find(enabled) {
        Unit::Enabled(name)
    } else if let Some((name, _)) = UNITS.iter().find(installed) {
        Unit::Installed(name)
    } else {
        Unit::Missing
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_nobody_switched_on_is_no_unit_that_starts() {
        let root = tempfile::tempdir().unwrap();
        let make = |path: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        assert_eq!(find(root.path()), None);
        make("run/systemd/system/x");
        assert_eq!(find(root.path()), Some(Unit::Missing));
        make("usr/lib/systemd/system/booking-monitor.service");
        make("usr/lib/systemd/system/booking-monitor-once.timer");
        assert_eq!(
            find(root.path()),
            Some(Unit::Installed("booking-monitor.service"))
        );
        make("etc/systemd/system/timers.target.wants/booking-monitor-once.timer");
        assert_eq!(
            find(root.path()),
            Some(Unit::Enabled("booking-monitor-once.timer"))
        );
    }
}
