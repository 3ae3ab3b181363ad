//! Who the program is: started by root it goes on as the owner of the database's folder, so that no
//! file there ever belongs to root and shuts the service out.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::unistd::{Gid, Uid, setegid, seteuid, setgid, setgroups, setuid};

use super::Failure;
use super::failure::code;
use crate::store;

/// For whoever is not allowed to look.
pub(super) const HINT: &str =
    "be the user of the service: sudo -u booking-monitor booking-monitor …, or start it as root";

static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// This process was root's and is no more: what root alone may read it could read at its start only.
pub(super) fn gave_root_up() -> bool {
    GIVEN_UP.load(Ordering::Relaxed)
}

/// Gives root up for good, once configuration and secrets are read.
pub(super) fn settle(database: &Path) -> Result<(), Failure> {
    let Some((user, group)) = owner(database) else {
        return Ok(());
    };
    // The user last: after it nothing else may be given up any more.
    setgroups(&[group])
        .and_then(|()| setgid(group))
        .and_then(|()| setuid(user))
        .map_err(|error| refused(database, error))?;
    GIVEN_UP.store(true, Ordering::Relaxed);
    tracing::debug!(
        user = user.as_raw(),
        "went on as the owner of the database's folder"
    );
    Ok(())
}

/// Whose the database's folder is, where that is another than root and we are root.
fn owner(database: &Path) -> Option<(Uid, Gid)> {
    if !Uid::effective().is_root() {
        return None;
    }
    // Without a folder there is nothing to spoil; what needs it says so itself.
    let owner = fs::metadata(store::folder_of(database)).ok()?;
    let (user, group) = (Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()));
    (!user.is_root()).then_some((user, group))
}

fn refused(database: &Path, error: nix::Error) -> Failure {
    let folder = store::folder_of(database);
    let what = format!("cannot go on as the owner of {}", folder.display());
    Failure::new(code::FAILED, anyhow::Error::new(error).context(what)).hint(HINT)
}

/// Root put aside while the database is looked at; taken up again when dropped, for who then writes
/// what is root's.
pub(super) struct Aside(bool);

/// Puts root aside.
pub(super) fn step_aside(database: &Path) -> Result<Aside, Failure> {
    let Some((user, group)) = owner(database) else {
        return Ok(Aside(false));
    };
    setegid(group)
        .and_then(|()| seteuid(user))
        .map_err(|error| refused(database, error))?;
    Ok(Aside(true))
}

impl Drop for Aside {
    fn drop(&mut self) {
        if self.0 {
            let back = seteuid(Uid::from_raw(0)).and_then(|()| setegid(Gid::from_raw(0)));
            if let Err(error) = back {
                tracing::debug!(%error, "root could not be taken up again");
            }
        }
    }
}
