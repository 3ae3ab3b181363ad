//! Neutral text in each channel's own markup, and how much of it a channel takes.

use super::{FOREIGN, LITERAL, Markup};

/// No text is longer, in characters as its reader sees them: MAX takes 4000, the others 4096 and more.
/// What is longer is refused by the messenger each time it is tried.
pub const LONGEST_TEXT: usize = 4000;

/// Neutral text in a channel's own markup.
#[must_use]
pub fn render(neutral: &str, markup: Markup) -> String {
    let mut out = String::with_capacity(neutral.len() + 32);
    for (i, line) in neutral.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let chars: Vec<char> = line.chars().collect();
        spans(&chars, markup, &mut out);
    }
    out
}

/// Writes a stretch of one line. Emphasis opens before and closes after something visible, away
/// from letters, and never reaches over the end of a line. `[label](https://…)` is a link, and what
/// an address holds is no emphasis.
fn spans(chars: &[char], markup: Markup, out: &mut String) {
    let mut i = 0;
    while i < chars.len() {
        if let Some(end) = address(chars, i) {
            chars[i..end]
                .iter()
                .for_each(|c| character(*c, markup, out));
            i = end;
        } else if let Some(link) = Link::at(chars, i) {
            link.write(markup, out);
            i = link.end;
        } else if let Some(end) = emphasis(chars, i) {
            let (open, close) = tags(chars[i], markup);
            out.push_str(open);
            spans(&chars[i + 1..end], markup, out);
            out.push_str(close);
            i = end + 1;
        } else {
            character(chars[i], markup, out);
            i += 1;
        }
    }
}

/// Where the emphasis that opens here closes.
fn emphasis(chars: &[char], open: usize) -> Option<usize> {
    let mark = chars[open];
    let opens = matches!(mark, '*' | '~' | '_')
        && is_free(chars, open)
        && chars.get(open + 1).is_some_and(|n| !n.is_whitespace());
    let mut j = if opens { open + 1 } else { chars.len() };
    while j < chars.len() {
        let closes = chars[j] == mark
            && j > open + 1
            && !chars[j - 1].is_whitespace()
            && chars.get(j + 1).is_none_or(|n| !n.is_alphanumeric());
        if closes {
            return Some(j);
        }
        j = address(chars, j).unwrap_or(j + 1);
    }
    None
}

/// Nothing that belongs to a word stands before it.
fn is_free(chars: &[char], at: usize) -> bool {
    at.checked_sub(1)
        .is_none_or(|p| !chars[p].is_alphanumeric())
}

/// The end of the web address that begins here. Foreign text has none: its `://` is broken.
fn address(chars: &[char], at: usize) -> Option<usize> {
    let begins = |scheme: &str| {
        chars[at..]
            .iter()
            .take(scheme.len())
            .copied()
            .eq(scheme.chars())
    };
    let is_address = is_free(chars, at) && (begins("https://") || begins("http://"));
    let end = is_address.then(|| {
        let rest = chars[at..].iter().position(|c| c.is_whitespace());
        rest.map_or(chars.len(), |length| at + length)
    })?;
    // What ends a sentence, or the emphasis around it, is not the address'.
    let ours = chars[at..end]
        .iter()
        .rposition(|c| !"*~_.,;:!?)»\"".contains(*c))?;
    Some(at + ours + 1)
}

/// `[label](https://…)`.
struct Link<'c> {
    label: &'c [char],
    to: &'c [char],
    end: usize,
}

impl<'c> Link<'c> {
    fn at(chars: &'c [char], at: usize) -> Option<Self> {
        let rest = chars[at..].strip_prefix(&['['])?;
        let closing = rest.iter().position(|c| *c == ']').filter(|n| *n > 0)?;
        let (label, rest) = rest.split_at(closing);
        let rest = rest.strip_prefix(&[']', '('])?;
        // An address may hold brackets of its own.
        let mut depth = 1;
        let length = rest.iter().position(|c| {
            depth += i32::from(*c == '(') - i32::from(*c == ')');
            depth == 0
        })?;
        let to = &rest[..length];
        let is_address = address(to, 0).is_some() && !to.iter().any(|c| c.is_whitespace());
        is_address.then_some(Self {
            label,
            to,
            end: at + 1 + closing + 2 + length + 1,
        })
    }

    /// Where a text cannot hide an address, it stands behind its label.
    fn write(&self, markup: Markup, out: &mut String) {
        let mut address = String::new();
        self.to
            .iter()
            .for_each(|c| character(*c, markup, &mut address));
        match markup {
            Markup::TelegramHtml => {
                out.push_str(&format!("<a href=\"{}\">", address.replace('"', "&quot;")));
                spans(self.label, markup, out);
                out.push_str("</a>");
            }
            Markup::WhatsApp | Markup::Plain => {
                if self.label != self.to {
                    spans(self.label, markup, out);
                    out.push_str(": ");
                }
                out.push_str(&address);
            }
        }
    }
}

fn tags(mark: char, markup: Markup) -> (&'static str, &'static str) {
    match (markup, mark) {
        (Markup::Plain, _) => ("", ""),
        (Markup::WhatsApp, '*') => ("*", "*"),
        (Markup::WhatsApp, '~') => ("~", "~"),
        (Markup::WhatsApp, _) => ("_", "_"),
        (Markup::TelegramHtml, '*') => ("<b>", "</b>"),
        (Markup::TelegramHtml, '~') => ("<s>", "</s>"),
        (Markup::TelegramHtml, _) => ("<i>", "</i>"),
    }
}

fn character(c: char, markup: Markup, out: &mut String) {
    if let Some((raw, _, look_alike)) = FOREIGN.iter().find(|(_, s, _)| *s == c) {
        out.push(if markup == Markup::WhatsApp {
            *look_alike
        } else {
            *raw
        });
    } else if let Some((raw, _)) = LITERAL.iter().find(|(_, s)| *s == c) {
        out.push(*raw);
    } else {
        match (markup, c) {
            (Markup::TelegramHtml, '&') => out.push_str("&amp;"),
            (Markup::TelegramHtml, '<') => out.push_str("&lt;"),
            (Markup::TelegramHtml, '>') => out.push_str("&gt;"),
            _ => out.push(c),
        }
    }
}

/// How long a rendered text is for its reader: tags count for nothing, an entity for one character.
#[must_use]
pub fn length(text: &str, markup: Markup) -> usize {
    match markup {
        Markup::TelegramHtml => visible(text).count(),
        Markup::WhatsApp | Markup::Plain => text.chars().count(),
    }
}

/// The characters of an HTML text that are seen, an entity by its first one.
fn visible(html: &str) -> impl Iterator<Item = char> {
    let mut hidden_until = None;
    html.chars().filter(move |&c| match (hidden_until, c) {
        (Some(end), c) => {
            if c == end {
                hidden_until = None;
            }
            false
        }
        (None, '<') => {
            hidden_until = Some('>');
            false
        }
        (None, '&') => {
            hidden_until = Some(';');
            true
        }
        (None, _) => true,
    })
}

/// A rendered text of at most `longest` characters: whole lines, because emphasis never reaches over
/// a line's end, and an ellipsis in place of the rest.
#[must_use]
pub fn fitted(text: String, markup: Markup, longest: usize) -> String {
    if length(&text, markup) <= longest {
        return text;
    }
    // A line end and the ellipsis.
    let mut room = longest.saturating_sub(2);
    let mut kept: Vec<&str> = Vec::new();
    for line in text.lines() {
        let Some(left) = room.checked_sub(length(line, markup)) else {
            break;
        };
        kept.push(line);
        room = left.saturating_sub(1);
    }
    if kept.iter().all(|line| line.is_empty()) {
        // One endless line: what of it is seen, without its tags.
        let line = text
            .lines()
            .find(|line| !line.is_empty())
            .unwrap_or_default();
        let bare: String = match markup {
            Markup::TelegramHtml => visible(line).filter(|c| *c != '&').collect(),
            Markup::WhatsApp | Markup::Plain => line.to_owned(),
        };
        let start: String = bare.chars().take(longest.saturating_sub(1)).collect();
        return start + "…";
    }
    kept.join("\n").trim_end().to_owned() + "\n…"
}

#[cfg(test)]
mod tests {
    use super::super::{data, link};
    use super::*;

    #[test]
    fn the_three_emphases_become_each_channels_own() {
        let text = "*жирный* ~старый~ _курсив_ 2*2=4 a_b_c *нет *";
        assert_eq!(render(text, Markup::WhatsApp), text);
        assert_eq!(
            render(text, Markup::TelegramHtml),
            "<b>жирный</b> <s>старый</s> <i>курсив</i> 2*2=4 a_b_c *нет *"
        );
        assert_eq!(
            render(text, Markup::Plain),
            "жирный старый курсив 2*2=4 a_b_c *нет *"
        );
    }

    #[test]
    fn emphasis_nests_and_ends_with_its_line() {
        assert_eq!(
            render("*a ~b~ c*\n*d\ne*", Markup::TelegramHtml),
            "<b>a <s>b</s> c</b>\n*d\ne*"
        );
    }

    #[test]
    fn a_link_hides_its_address_where_it_can_and_names_it_where_it_cannot() {
        let text = "[*Отзыв* & карта](https://ya.example/a_b_(c)?x=1&y=\"2\") — спасибо";
        assert_eq!(
            render(text, Markup::TelegramHtml),
            "<a href=\"https://ya.example/a_b_(c)?x=1&amp;y=&quot;2&quot;\"><b>Отзыв</b> &amp; карта</a> — спасибо"
        );
        assert_eq!(
            render(text, Markup::WhatsApp),
            "*Отзыв* & карта: https://ya.example/a_b_(c)?x=1&y=\"2\" — спасибо"
        );
        assert_eq!(
            render("*[https://a.example](https://a.example)*", Markup::Plain),
            "https://a.example"
        );
        for no_link in [
            "[x]",
            "[x](tel:1)",
            "[](https://a.example)",
            "[x] (https://a)",
            "[x](https://a b)",
        ] {
            let shown = render(no_link, Markup::TelegramHtml);
            assert!(!shown.contains("<a"), "{shown}");
        }
    }

    #[test]
    fn what_an_address_holds_is_no_emphasis() {
        let text = "*Карта: https://a.example/_x_/*y*/~z~?q=_* и _тут_ (https://b.example/_c_).";
        assert_eq!(
            render(text, Markup::TelegramHtml),
            "<b>Карта: https://a.example/_x_/*y*/~z~?q=_</b> и <i>тут</i> (https://b.example/_c_)."
        );
        assert_eq!(render(text, Markup::WhatsApp), text);
    }

    #[test]
    fn foreign_text_opens_no_link_even_before_an_address_of_ours() {
        let ours = link("https://ours.example/a_b").unwrap();
        let text = format!("{}({ours})", data("[сюда]"));
        assert_eq!(
            render(&text, Markup::TelegramHtml),
            "[сюда](https://ours.example/a_b)"
        );
        let labelled = format!("[{}]({ours})", data("*Бари* ](tel:1)"));
        assert_eq!(
            render(&labelled, Markup::TelegramHtml),
            "<a href=\"https://ours.example/a_b\">*Бари* ](tel:1)</a>"
        );
    }

    #[test]
    fn tags_do_not_count_and_an_entity_is_one_character() {
        let html = "<b>a &amp; b</b> <a href=\"https://x.example\">✅</a>";
        assert_eq!(length(html, Markup::TelegramHtml), 7);
        assert_eq!(length("*a* ✅", Markup::WhatsApp), 5);
    }

    #[test]
    fn a_text_that_is_too_long_ends_with_a_whole_line_and_an_ellipsis() {
        let html = "<b>раз</b>\n\n<i>два</i>\n<b>три</b>";
        let fit = |longest| fitted(html.to_owned(), Markup::TelegramHtml, longest);
        assert_eq!(fit(12), html);
        assert_eq!(fit(11), "<b>раз</b>\n\n<i>два</i>\n…");
        assert_eq!(fit(8), "<b>раз</b>\n…");
        assert_eq!(fit(3), "ра…");
        let endless = fitted("я".repeat(5000), Markup::Plain, LONGEST_TEXT);
        assert_eq!(endless.chars().count(), LONGEST_TEXT);
    }
}
