//! `to = "jsonl"`: each event is a line at the end of a file, on the disk before it counts as taken.
//!
//! Between the line and the note that it was written the program may be killed. A line that was
//! begun before is therefore looked for at the file's end: half of one is cut off, a whole one is
//! not written again. The file is opened anew for every event, so that it may be moved away at any
//! moment.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::failpoint;
use crate::ports::{EventSink, Handed, Handover};
use crate::store::folder_of;

/// What was begun and not noted stands at the end of the file; further back nobody looks.
const LOOK_BACK: u64 = 1 << 20;

/// A file that grows by a line an event.
pub(super) struct Jsonl {
    path: PathBuf,
}

impl Jsonl {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl EventSink for Jsonl {
    async fn hand_over(&self, event: &Handover<'_>) -> Handed {
        let (path, id, again) = (self.path.clone(), event.event_id.to_owned(), event.again);
        // A body is JSON of one line; a line break in it would make two of it.
        let line = format!("{}\n", event.body.replace(['\n', '\r'], " "));
        let watched = failpoint::carry();
        let written = tokio::task::spawn_blocking(move || {
            watched.run(|| append(&path, &line, again.then_some(id.as_str())))
        });
        match written.await {
            Ok(Ok(())) => Handed::Taken,
            // Of the error only what the system said: the path is the salon's own.
            Ok(Err(error)) => later(error.to_string()),
            Err(_) => later("writing the file broke off".into()),
        }
    }

    fn may_be_left(&self) -> bool {
        // The line is written all the same, and the next try would not see it coming.
        false
    }
}

fn later(why: String) -> Handed {
    Handed::Later {
        why,
        after: None,
        closed: true,
    }
}

/// Puts a line at the end of the file, unless an earlier try of this id got there.
fn append(path: &Path, line: &str, begun: Option<&str>) -> io::Result<()> {
    let is_new = !path.exists();
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    match begun {
        Some(id) => {
            let end = End::of(&mut file)?;
            if end.has(id) {
                // It may be in the file and not on the disk.
                return file.sync_data();
            }
            file.set_len(end.whole)?;
        }
        // Somebody else's half line is not ours to cut off, and not ours to go on with.
        None if !ends_whole(&mut file)? => file.write_all(b"\n")?,
        None => {}
    }
    let length = file.metadata()?.len();
    failpoint::pass("before_line");
    let (first, second) = line.as_bytes().split_at(line.len() / 2);
    let written = file.write_all(first).and_then(|()| {
        failpoint::pass("in_line");
        file.write_all(second)?;
        file.sync_data()
    });
    if let Err(error) = written {
        // Without room for all of it nothing of it stays, as far as the disk lets us.
        drop(file.set_len(length));
        return Err(error);
    }
    if is_new {
        File::open(folder_of(path))?.sync_all()?;
    }
    failpoint::pass("after_line");
    Ok(())
}

/// Nothing or a whole line stands at the end.
fn ends_whole(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The end of the file.
struct End {
    length: u64,
    /// Where the last whole line ends.
    whole: u64,
    text: Vec<u8>,
}

impl End {
    fn of(file: &mut File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let from = length.saturating_sub(LOOK_BACK);
        file.seek(SeekFrom::Start(from))?;
        let mut text = Vec::new();
        file.take(LOOK_BACK).read_to_end(&mut text)?;
        let newline = text.iter().rposition(|byte| *byte == b'\n');
        let whole = match newline {
            Some(at) => from + at as u64 + 1,
            // A line longer than we look back: leave it alone.
            None if from > 0 => length,
            None => 0,
        };
        Ok(Self {
            length,
            whole,
            text,
        })
    }

    /// A whole line has this id.
    fn has(&self, id: &str) -> bool {
        let id = format!("\"event_id\":\"{id}\"");
        let whole = self.text.len() - usize::try_from(self.length - self.whole).unwrap_or(0);
        let mut lines = self.text[..whole].split(|byte| *byte == b'\n');
        lines.any(|line| line.windows(id.len()).any(|part| part == id.as_bytes()))
    }
}
