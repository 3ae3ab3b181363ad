//! How the demonstration looks: on a terminal two sides, the journal to the left and the client's
//! phone to the right; in a pipe the plain story, messages character by character as WhatsApp gets
//! them.

use std::io::{self, Write};

use unicode_width::UnicodeWidthChar as _;

/// Columns of the whole picture.
const WIDTH: usize = 78;
/// Columns of a text inside the phone's frame: the longest line of most messages.
const INSIDE: usize = 46;
/// Where the phone's side begins.
const PHONE_AT: usize = WIDTH - INSIDE - 4;

/// What a line of the journal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Something appeared.
    New,
    /// Something changed.
    Changed,
    /// Something went.
    Gone,
}

impl Mark {
    fn sign(self) -> (&'static str, Paint) {
        match self {
            Self::New => ("+", Paint::Green),
            Self::Changed => ("→", Paint::Yellow),
            Self::Gone => ("×", Paint::Red),
        }
    }
}

#[derive(Clone, Copy)]
enum Paint {
    Bold,
    Dim,
    Green,
    Yellow,
    Red,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Red => "31",
        }
    }
}

/// Where the demonstration is shown.
pub struct Show {
    out: Box<dyn Write + Send>,
    rich: bool,
    scenes: u32,
}

impl Show {
    /// `rich`: colours, frames and real emphasis, for a terminal that is looked at.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, rich: bool) -> Self {
        Self {
            out,
            rich,
            scenes: 0,
        }
    }

    /// What stands above everything.
    pub fn opening(&mut self, title: &str, address: &str, notes: &[&str]) -> io::Result<()> {
        let mut text = String::new();
        if self.rich {
            text += &format!("\n  {}\n", self.paint(Paint::Bold, title));
            text += &format!("  {}\n\n", self.paint(Paint::Dim, address));
            for note in notes {
                text += &format!("  {note}\n");
            }
            let (left, right) = ("Журнал салона", "Телефон клиента");
            let gap = PHONE_AT - 2 - columns(left);
            let heads = format!("{left}{}{right}", " ".repeat(gap));
            let rule = "─".repeat(WIDTH - 2);
            text += &format!("\n  {}\n", self.paint(Paint::Dim, &heads));
            text += &format!("  {}\n", self.paint(Paint::Dim, &rule));
        } else {
            text += &format!("{title} — {address}\n\n");
            for note in notes {
                text += &format!("{note}\n");
            }
        }
        self.put(&text)
    }

    /// A scene begins.
    pub fn scene(&mut self, title: &str) -> io::Result<()> {
        self.scenes += 1;
        let number = self.scenes;
        let text = if self.rich {
            let number = self.paint(Paint::Dim, &format!("{number:>2}"));
            format!("\n  {number}  {}\n", self.paint(Paint::Bold, title))
        } else {
            format!("\n{number}. {title}\n")
        };
        self.put(&text)
    }

    /// Something happened in the journal.
    pub fn journal(&mut self, mark: Mark, what: &str) -> io::Result<()> {
        let (sign, paint) = mark.sign();
        let text = if self.rich {
            format!("      {} {what}\n", self.paint(paint, sign))
        } else {
            format!("   {sign} {what}\n")
        };
        self.put(&text)
    }

    /// The client writes this.
    pub fn said(&mut self, name: &str, text: &str) -> io::Result<()> {
        let text = match self.rich {
            true => {
                let margin = " ".repeat(PHONE_AT);
                format!(
                    "{margin}{} {name}: {text}\n",
                    self.paint(Paint::Yellow, "›")
                )
            }
            false => format!("── {name} пишет: {text}\n"),
        };
        self.put(&text)
    }

    /// The client reads this. `text` is as WhatsApp gets it.
    pub fn message(&mut self, phone: &str, text: &str) -> io::Result<()> {
        if !self.rich {
            return self.put(&format!("── WhatsApp → {phone}\n{text}\n"));
        }
        let margin = " ".repeat(PHONE_AT);
        let head = format!("─ WhatsApp · {phone} ");
        let rest = "─".repeat((INSIDE + 2).saturating_sub(columns(&head)));
        let edge = self.paint(Paint::Green, "│");
        let mut frame = format!(
            "{margin}{}\n",
            self.paint(Paint::Green, &format!("╭{head}{rest}╮"))
        );
        for line in text.lines() {
            for part in wrapped(&emphasised(line), INSIDE) {
                let pad = " ".repeat(INSIDE - part.iter().map(|c| c.columns()).sum::<usize>());
                frame += &format!("{margin}{edge} {}{pad} {edge}\n", painted(&part));
            }
        }
        let foot = format!("╰{}╯", "─".repeat(INSIDE + 2));
        frame += &format!("{margin}{}\n", self.paint(Paint::Green, &foot));
        self.put(&frame)
    }

    /// The client reads nothing, and why.
    pub fn silence(&mut self, reason: &str, because: &str) -> io::Result<()> {
        if !self.rich {
            return self.put(&format!("── тишина: {reason}\n   {because}\n"));
        }
        let margin = " ".repeat(PHONE_AT);
        let bar = self.paint(Paint::Dim, "┊");
        let mut text = format!("{margin}{bar} 🔕 {reason}\n");
        for part in wrapped(&cells(because), INSIDE) {
            let line: String = part.iter().map(|c| c.what).collect();
            text += &format!("{margin}{bar} {}\n", self.paint(Paint::Dim, &line));
        }
        self.put(&text)
    }

    /// The figures at the end: indented ones belong to the one above them.
    pub fn figures(&mut self, title: &str, figures: &[(bool, &str, usize)]) -> io::Result<()> {
        let margin = if self.rich { "  " } else { "" };
        let mut text = if self.rich {
            let rule = "─".repeat(WIDTH - 2);
            format!("\n  {}\n", self.paint(Paint::Dim, &rule))
        } else {
            "\n".to_owned()
        };
        text += &format!("{margin}{}\n", self.paint(Paint::Bold, title));
        for (indented, label, number) in figures {
            let label = format!("{}{label}", if *indented { "  " } else { "" });
            let dots = " ".repeat(44_usize.saturating_sub(columns(&label)));
            let line = format!("{label}{dots}{number:>4}");
            let paint = if *indented { Paint::Dim } else { Paint::Bold };
            let line = if *indented {
                self.paint(paint, &line)
            } else {
                format!(
                    "{label}{dots}{}",
                    self.paint(paint, &format!("{number:>4}"))
                )
            };
            text += &format!("{margin}  {line}\n");
        }
        self.put(&text)
    }

    /// The last words.
    pub fn closing(&mut self, lines: &[String]) -> io::Result<()> {
        let margin = if self.rich { "  " } else { "" };
        let mut text = "\n".to_owned();
        for line in lines {
            text += &format!("{margin}{line}\n");
        }
        self.put(&text)
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        if self.rich {
            format!("\x1b[{}m{text}\x1b[0m", paint.code())
        } else {
            text.to_owned()
        }
    }

    /// Whole blocks at once, so that a terminal never shows half a frame.
    fn put(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// One character with its emphasis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    what: char,
    bold: bool,
    struck: bool,
}

impl Cell {
    fn columns(self) -> usize {
        self.what.width().unwrap_or(0)
    }
}

fn cells(text: &str) -> Vec<Cell> {
    let plain = |what| Cell {
        what,
        bold: false,
        struck: false,
    };
    text.chars().map(plain).collect()
}

/// A line of a message with `*bold*` and `~struck~` told apart from the text. The program itself
/// wrote the marks: what came from the journal has look-alikes in their place.
fn emphasised(line: &str) -> Vec<Cell> {
    let paired = |mark| line.matches(mark).count() % 2 == 0;
    let (stars, tildes) = (paired('*'), paired('~'));
    let (mut bold, mut struck) = (false, false);
    let mut cells = Vec::new();
    for what in line.chars() {
        match what {
            '*' if stars => bold = !bold,
            '~' if tildes => struck = !struck,
            _ => cells.push(Cell { what, bold, struck }),
        }
    }
    cells
}

/// Lines of at most `most` columns, broken at spaces; a longer word is cut.
fn wrapped(line: &[Cell], most: usize) -> Vec<Vec<Cell>> {
    let width = |cells: &[Cell]| cells.iter().map(|c| c.columns()).sum::<usize>();
    let mut lines: Vec<Vec<Cell>> = vec![Vec::new()];
    for word in line.split_inclusive(|c| c.what == ' ') {
        let bare = word.strip_suffix(&cells(" ")[..]).unwrap_or(word);
        if lines
            .last()
            .is_some_and(|l| !l.is_empty() && width(l) + width(bare) > most)
        {
            lines.push(Vec::new());
        }
        for cell in word {
            let full = lines
                .last()
                .is_some_and(|l| width(l) + cell.columns() > most);
            if full && cell.what == ' ' {
                continue;
            }
            if full {
                lines.push(Vec::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push(*cell);
            }
        }
    }
    lines
}

/// The escape codes of a terminal around what is emphasised.
fn painted(cells: &[Cell]) -> String {
    let mut text = String::new();
    for run in cells.chunk_by(|a, b| (a.bold, a.struck) == (b.bold, b.struck)) {
        let what: String = run.iter().map(|c| c.what).collect();
        text += &match (run[0].bold, run[0].struck) {
            (false, false) => what,
            (true, false) => format!("\x1b[1m{what}\x1b[0m"),
            (false, true) => format!("\x1b[2;9m{what}\x1b[0m"),
            (true, true) => format!("\x1b[1;9m{what}\x1b[0m"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(rich: bool, act: impl FnOnce(&mut Show) -> io::Result<()>) -> String {
        let paper = Paper::default();
        act(&mut Show::new(Box::new(paper.clone()), rich)).unwrap();
        let bytes = paper.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const MOVED: &str = "🔄 *Запись перенесена*\n\n📅 ~14:30~ → *16:00*\n\nЕсли хотите остаться у прежнего мастера, напишите мне здесь 👇";

    #[test]
    fn a_pipe_gets_the_text_as_whatsapp_does() {
        let text = shown(false, |show| show.message("+7 *** ***-**-01", MOVED));
        assert_eq!(text, format!("── WhatsApp → +7 *** ***-**-01\n{MOVED}\n"));
    }

    #[test]
    fn a_terminal_gets_a_frame_of_one_width_and_real_emphasis() {
        let text = shown(true, |show| show.message("+7 *** ***-**-01", MOVED));
        assert!(text.contains("\x1b[1mЗапись перенесена\x1b[0m"));
        assert!(text.contains("\x1b[2;9m14:30\x1b[0m → \x1b[1m16:00\x1b[0m"));
        let bare = |line: &str| -> String {
            line.split('\x1b')
                .enumerate()
                .map(|(n, part)| match n {
                    0 => part,
                    _ => part.split_once('m').map_or("", |(_, rest)| rest),
                })
                .collect()
        };
        for line in text.lines() {
            assert_eq!(columns(&bare(line)), WIDTH, "{line}");
        }
    }

    #[test]
    fn a_mark_without_its_fellow_is_only_a_character() {
        let text: String = emphasised("2 * 2 ~и~").iter().map(|c| c.what).collect();
        assert_eq!(text, "2 * 2 и");
    }

    #[test]
    fn words_are_kept_whole_where_they_fit_and_cut_where_not() {
        let lines: Vec<String> = wrapped(&cells("раз два оченьдлинноеслово"), 8)
            .iter()
            .map(|l| l.iter().map(|c| c.what).collect())
            .collect();
        assert_eq!(lines, ["раз два ", "оченьдли", "нноеслов", "о"]);
    }
}
