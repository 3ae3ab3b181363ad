//! The neutral syntax and its renderings; the one gate through which foreign text gets into a message.
//!
//! Foreign text passes [`data`] before it meets the text around it. Its markup characters become
//! private code points there, so no parser of ours takes them for emphasis, and what a messenger
//! would turn into a link, a mention or a command is broken with an invisible joiner. WhatsApp has
//! no way to escape, so in its rendering those characters are replaced by look-alikes.

mod render;

pub use render::{LONGEST_TEXT, fitted, length, render};

/// How a channel writes bold, struck and italic text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// `*bold*`, `~struck~`, `_italic_`.
    WhatsApp,
    /// Telegram's HTML.
    TelegramHtml,
    /// None at all.
    Plain,
}

impl Markup {
    /// Whether text can be struck through, or old and new must be told apart by words.
    #[must_use]
    pub fn strikes(self) -> bool {
        self != Self::Plain
    }
}

/// Stands for a value that is missing; the line that holds it is dropped by [`drop_missing`].
pub(super) const MISSING: char = '\u{E020}';

/// Markup characters of foreign text: the character, its private stand-in, its WhatsApp look-alike.
const FOREIGN: [(char, char, char); 6] = [
    ('*', '\u{E000}', '∗'),
    ('_', '\u{E001}', 'ˍ'),
    ('~', '\u{E002}', '∼'),
    ('`', '\u{E003}', '\''),
    // The brackets of a link of ours; they mean nothing to WhatsApp.
    ('[', '\u{E004}', '['),
    (']', '\u{E005}', ']'),
];

/// Markup characters of our own links, which every rendering writes as they are.
const LITERAL: [(char, char); 6] = [
    ('*', '\u{E010}'),
    ('_', '\u{E011}'),
    ('~', '\u{E012}'),
    ('`', '\u{E013}'),
    ('[', '\u{E014}'),
    (']', '\u{E015}'),
];

/// Invisible and without width; linkers of messengers stop at it.
const JOINER: char = '\u{2060}';

/// No value is longer than this, whatever a template does with it.
const LONGEST_VALUE: usize = 1000;

/// Domains in Cyrillic that messengers make links of; other words after a full stop are just that
/// (`ул.Южная`).
const CYRILLIC_DOMAINS: [&str; 18] = [
    "рф",
    "рус",
    "москва",
    "онлайн",
    "сайт",
    "орг",
    "ком",
    "дети",
    "католик",
    "бел",
    "укр",
    "срб",
    "мкд",
    "мон",
    "қаз",
    "бг",
    "ею",
    "рцб",
];

/// Foreign text made harmless, ready to stand inside neutral markup. Empty when nothing visible
/// is left.
#[must_use]
pub fn data(text: &str) -> String {
    defuse(&capped(text, LONGEST_VALUE))
        .chars()
        .map(|c| {
            FOREIGN
                .iter()
                .find(|(raw, ..)| *raw == c)
                .map_or(c, |(_, stand_in, _)| *stand_in)
        })
        .collect()
}

/// An address of our own (a booking form, a short link) that stays a link, or `None` when it is no
/// plain web address and must be treated as data.
#[must_use]
pub fn link(url: &str) -> Option<String> {
    let url = url.trim();
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let plain = |c: char| c.is_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
    let fits = !rest.is_empty() && url.chars().count() <= 500 && url.chars().all(plain);
    fits.then(|| {
        url.chars()
            .map(|c| {
                LITERAL
                    .iter()
                    .find(|(raw, _)| *raw == c)
                    .map_or(c, |(_, stand_in)| *stand_in)
            })
            .collect()
    })
}

/// One line without anything invisible: control, bidirectional and zero-width characters and
/// private code points and piles of combining marks are gone, runs of white space (line breaks too) are one space.
#[must_use]
pub fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(4 * LONGEST_VALUE));
    let mut stacked = 0;
    for c in text.chars() {
        stacked = if is_stacked(c) { stacked + 1 } else { 0 };
        if stacked > MOST_STACKED {
            continue;
        }
        if c.is_whitespace() || c.is_control() || c == '\u{2800}' {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else if c == '\u{200D}' {
            // The joiner that makes one picture of several; between letters it only hides.
            if out.ends_with(|p: char| p == '\u{FE0F}' || p >= '\u{1F000}' || is_symbol(p)) {
                out.push(c);
            }
        } else if !is_hidden(c) {
            out.push(c);
        }
    }
    let visible = |c: char| !c.is_whitespace() && c != '\u{200D}' && c != '\u{FE0F}';
    if out.chars().any(visible) {
        out.trim_end_matches(['\u{200D}', ' ']).to_owned()
    } else {
        String::new()
    }
}

/// Marks above and below a letter: more of them than any language has reach over the lines around.
const MOST_STACKED: u32 = 3;

fn is_stacked(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

fn is_symbol(c: char) -> bool {
    ('\u{2190}'..='\u{2BFF}').contains(&c)
}

/// Characters that show nothing and can only deceive.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}' | '\u{200C}' | '\u{200E}' | '\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFF}' | '\u{E000}'..='\u{F8FF}' | '\u{E0000}'..)
}

/// A tidy line of at most `longest` characters; the last one is an ellipsis where it was longer.
#[must_use]
pub fn capped(text: &str, longest: usize) -> String {
    let line = tidy(text);
    match line.char_indices().nth(longest.saturating_sub(1)) {
        Some((cut, last)) if cut + last.len_utf8() < line.len() => {
            format!("{}…", line[..cut].trim_end())
        }
        _ => line,
    }
}

/// What our own lines begin with. A name may begin a line, and must not pass for one of ours.
const OUR_MARKS: [char; 13] = [
    '✅', '❌', '🔄', '⚠', '❔', '📞', '🆕', '💬', '📅', '💰', '📍', '👤', '👥',
];

/// A name or a title as people typed it: [`capped`], without what our own lines begin with.
#[must_use]
pub fn named(text: &str, longest: usize) -> String {
    let line = tidy(text);
    let ours = |c: char| OUR_MARKS.contains(&c) || c == '\u{FE0F}' || c == ' ';
    match line.chars().next() {
        Some(first) if OUR_MARKS.contains(&first) => capped(line.trim_start_matches(ours), longest),
        _ => capped(&line, longest),
    }
}

/// Breaks what a messenger would turn into a link, a mention, a command, a list or a quotation.
fn defuse(line: &str) -> String {
    let chars: Vec<char> = line.chars().collect();
    let mut out = String::with_capacity(line.len());
    if opens_a_block(&chars) {
        out.push(JOINER);
    }
    for (i, &c) in chars.iter().enumerate() {
        out.push(c);
        let before = i.checked_sub(1).map(|p| chars[p]);
        if breaks_after(c, before, &chars[i + 1..], &chars[..i]) {
            out.push(JOINER);
        }
    }
    out
}

/// WhatsApp makes lists and quotations of lines that begin so, and data may begin a line.
fn opens_a_block(chars: &[char]) -> bool {
    match chars.first() {
        Some('>' | '-' | '#' | '•') => true,
        Some(c) if c.is_ascii_digit() => {
            let rest = chars.iter().skip_while(|c| c.is_ascii_digit());
            rest.take(2).eq(['.', ' '].iter())
        }
        _ => false,
    }
}

fn breaks_after(c: char, before: Option<char>, after: &[char], all_before: &[char]) -> bool {
    let next = after.first().copied();
    let next_is = |f: fn(char) -> bool| next.is_some_and(f);
    match c {
        ':' => next == Some('/') && after.get(1) == Some(&'/'),
        '@' | '＠' => next_is(|n| n.is_alphanumeric() || n == '_'),
        '/' | '#' | '$' | '＃' => {
            before.is_none_or(|b| !b.is_alphanumeric())
                && next_is(|n| n.is_alphanumeric() || n == '_')
        }
        '.' | '。' | '．' | '｡' if before.is_some_and(|b| !b.is_whitespace()) => {
            names_a_domain(after) || is_address_dot(after, all_before)
        }
        _ => false,
    }
}

/// Whether the word after a full stop could be the end of a domain's name.
fn names_a_domain(after: &[char]) -> bool {
    let word: String = after
        .iter()
        .take_while(|c| c.is_alphanumeric() || **c == '-')
        .flat_map(|c| c.to_lowercase())
        .collect();
    let Some(first) = word.chars().next() else {
        return false;
    };
    let cyrillic = ('\u{0400}'..='\u{052F}').contains(&first);
    match first {
        _ if cyrillic => CYRILLIC_DOMAINS.contains(&word.as_str()),
        _ => first.is_alphabetic(),
    }
}

/// A full stop inside `192.168.0.1`; a date or a time has fewer.
fn is_address_dot(after: &[char], before: &[char]) -> bool {
    let numeric = |c: &&char| c.is_ascii_digit() || **c == '.';
    let right = after.iter().take_while(numeric);
    let left = before.iter().rev().take_while(numeric);
    right.chain(left).filter(|c| **c == '.').count() >= 2
        && after.first().is_some_and(char::is_ascii_digit)
}

/// Drops lines that hold a missing value, then what that leaves: blank lines at the ends, and all
/// but one of several in a row.
#[must_use]
pub(super) fn drop_missing(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        let line = line.trim_end();
        let doubles = line.is_empty() && lines.last().is_none_or(|l| l.is_empty());
        if !line.contains(MISSING) && !doubles {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(|l| l.is_empty()) {
        lines.pop();
    }
    lines.join("\n")
}

/// Takes the private code points out of a template's own source, where they would pass for ours.
#[must_use]
pub(super) fn without_private(source: &str) -> String {
    source
        .chars()
        .filter(|c| !('\u{E000}'..='\u{F8FF}').contains(c))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_link_is_written_as_it_is() {
        let url = link("https://n962302.yclients.com/a_b_c/~x?y=1&z=*2*").unwrap();
        assert_eq!(
            render(&url, Markup::WhatsApp),
            "https://n962302.yclients.com/a_b_c/~x?y=1&z=*2*"
        );
        assert_eq!(
            render(&url, Markup::TelegramHtml),
            "https://n962302.yclients.com/a_b_c/~x?y=1&amp;z=*2*"
        );
        assert_eq!(link("javascript:alert(1)"), None);
        assert_eq!(link("https://a b"), None);
    }

    #[test]
    fn addresses_of_streets_and_times_are_left_alone() {
        for text in [
            "ул.Южная, д.5",
            "21.08.2026",
            "14.30",
            "Малаховка, Южная улица, 38",
        ] {
            assert_eq!(data(text), text);
        }
    }

    #[test]
    fn long_text_is_cut_with_an_ellipsis() {
        assert_eq!(capped("абвгд", 5), "абвгд");
        assert_eq!(capped("абвгде", 5), "абвг…");
        assert_eq!(capped("", 5), "");
    }

    #[test]
    fn a_name_does_not_begin_as_our_own_lines_do() {
        assert_eq!(named("📅 1 января в 10:00", 64), "1 января в 10:00");
        assert_eq!(named("⚠\u{FE0F} ❌ Отмена", 64), "Отмена");
        assert_eq!(named("Стрижка ✅", 64), "Стрижка ✅");
        assert_eq!(named("💇 Стрижка", 64), "💇 Стрижка");
    }

    #[test]
    fn piles_of_marks_stay_within_their_line() {
        let piled = format!("а{}б", "\u{0301}".repeat(100));
        assert_eq!(tidy(&piled), format!("а{}б", "\u{0301}".repeat(3)));
        assert_eq!(tidy("Й\u{0306}е\u{0308}"), "Й\u{0306}е\u{0308}");
    }

    #[test]
    fn what_shows_nothing_is_nothing() {
        assert_eq!(data(" \u{200B}\u{202E}\n\u{3164}\u{E000} "), "");
        assert_eq!(tidy("а\r\n\tб\u{2028}в"), "а б в");
        assert_eq!(
            tidy("💇\u{200D}♀\u{FE0F} Стрижка"),
            "💇\u{200D}♀\u{FE0F} Стрижка"
        );
    }
}
