//! Questions on a terminal, or over a pipe: every answer is one line of stdin. A secret is not shown
//! while it is typed on a terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::app::Failure;
use crate::app::failure::code;
use crate::app::text::Say;

/// Whoever is asked.
pub(in crate::app) struct Ask {
    pub(in crate::app) words: Say,
}

impl Ask {
    /// Says something on a line of its own.
    pub(in crate::app) fn tell(&self, ru: &str, en: &str) -> Result<(), Failure> {
        crate::app::talk(self.words.of(ru, en))
    }

    /// One line; where nothing is typed, the default.
    pub(in crate::app) fn line(&self, prompt: &str, default: &str) -> Result<String, Failure> {
        match default {
            "" => self.prompt(&format!("{prompt}: "))?,
            default => self.prompt(&format!("{prompt} [{default}]: "))?,
        }
        let typed = self.read()?;
        Ok(match typed.trim() {
            "" => default.to_owned(),
            typed => typed.to_owned(),
        })
    }

    /// One line that cannot do without an answer.
    pub(in crate::app) fn needed(&self, prompt: &str) -> Result<String, Failure> {
        loop {
            let typed = self.line(prompt, "")?;
            if !typed.is_empty() {
                return Ok(typed);
            }
        }
    }

    /// A secret; empty where nothing is typed.
    pub(in crate::app) fn secret(&self, prompt: &str) -> Result<String, Failure> {
        self.prompt(&format!("{prompt}: "))?;
        let typed = match std::io::stdin().is_terminal() {
            true => rpassword::read_password().map_err(|error| self.broken(error))?,
            false => self.read()?,
        };
        Ok(typed.trim().to_owned())
    }

    /// Yes or no.
    pub(in crate::app) fn yes(&self, prompt: &str, default: bool) -> Result<bool, Failure> {
        let word = match default {
            true => self.words.of("да", "yes"),
            false => self.words.of("нет", "no"),
        };
        loop {
            let typed = self.line(prompt, word)?.to_lowercase();
            match typed.as_str() {
                "да" | "д" | "yes" | "y" => return Ok(true),
                "нет" | "н" | "no" | "n" => return Ok(false),
                _ => self.tell("Ответьте «да» или «нет».", "Answer yes or no.")?,
            }
        }
    }

    /// One of several, by its number, from 1.
    pub(in crate::app) fn choose(&self, prompt: &str, of: &[&str]) -> Result<usize, Failure> {
        for (n, option) in of.iter().enumerate() {
            crate::app::talk(&format!("  {}. {option}", n + 1))?;
        }
        loop {
            let typed = self.line(prompt, "1")?;
            match typed.parse() {
                Ok(n) if (1..=of.len()).contains(&n) => return Ok(n),
                _ => self.tell(
                    "Ответьте номером из списка.",
                    "Answer with a number of the list.",
                )?,
            }
        }
    }

    fn prompt(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
        written.map_err(|error| self.broken(error))
    }

    fn read(&self) -> Result<String, Failure> {
        let mut line = String::new();
        match std::io::stdin().lock().read_line(&mut line) {
            Ok(0) => Err(Failure::new(
                code::FAILED,
                anyhow::anyhow!("the answers ended before the questions did; nothing was changed"),
            )
            .hint("every answer is one line; an empty one takes what stands in brackets")),
            Ok(_) => Ok(line),
            Err(error) => Err(self.broken(error)),
        }
    }

    fn broken(&self, error: std::io::Error) -> Failure {
        let error = anyhow::Error::new(error).context("cannot ask");
        Failure::new(code::FAILED, error)
    }
}
