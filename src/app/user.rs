//! Who the program is: started by root it goes on as the owner of the database's folder, so that no
//! file there ever belongs to root and shuts the service out.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};

use super::Failure;
use super::failure::code;
use crate::store;

/// For whoever is not allowed to look.
pub(super) const HINT: &str =
    "be the user of the service: sudo -u booking-monitor booking-monitor …, or start it as root";

/// Gives root up for good, once configuration and secrets are read.
pub(super) fn settle(database: &Path) -> Result<(), Failure> {
    if !Uid::effective().is_root() {
        return Ok(());
    }
    let folder = store::folder_of(database);
    // Without a folder there is nothing to spoil; what needs it says so itself.
    let Ok(owner) = fs::metadata(folder) else {
        return Ok(());
    };
    let (user, group) = (Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()));
    if user.is_root() {
        return Ok(());
    }
    // The user last: after it nothing else may be given up any more.
    setgroups(&[group])
        .and_then(|()| setgid(group))
        .and_then(|()| setuid(user))
        .map_err(|error| {
            let what = format!("cannot go on as the owner of {}", folder.display());
            Failure::new(code::FAILED, anyhow::Error::new(error).context(what)).hint(HINT)
        })?;
    tracing::debug!(
        user = user.as_raw(),
        "went on as the owner of the database's folder"
    );
    Ok(())
}
