//! What of a person leaves the house: placeholders in place of phones, surnames and e-mails, and the
//! way back. The model never sees what stands behind one.
//!
//! A mask lives as long as one turn and is built from the same conversation in the same order, so a
//! placeholder means the same in each question of that turn. It rather hides too much than too little:
//! what is hidden comes back unchanged.

use super::words::folded;

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Phone,
    Mail,
    Name,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Mail => "mail",
            Self::Name => "name",
        }
    }
}

/// The mask of one turn.
#[derive(Clone, Default)]
pub struct Mask {
    /// Beginnings of the words of names that are known, folded.
    names: Vec<String>,
    hidden: Vec<(Kind, String)>,
}

/// Of so many digits a run may be a phone or a card. Times and prices have fewer, dates are known by
/// their shape.
const FEWEST_DIGITS: usize = 7;
/// A declined name is longer than its beginning by at most so much.
const LONGEST_ENDING: usize = 3;
/// A word of a name shorter than this says nothing and hides half of the language.
const SHORTEST_NAME: usize = 3;

/// After these a client says who they are.
const INTRODUCED: [&str; 10] = [
    "зовут",
    "фамилия",
    "фамилию",
    "фамилии",
    "имя",
    "surname",
    "name",
    "called",
    "фио",
    "отчество",
];

/// What Russian surnames end with.
const SURNAME_ENDINGS: [&str; 34] = [
    "ов",
    "ова",
    "овой",
    "ову",
    "ову",
    "ева",
    "евой",
    "еву",
    "ев",
    "ин",
    "ина",
    "иной",
    "ину",
    "ский",
    "ская",
    "ской",
    "скую",
    "ского",
    "скому",
    "цкий",
    "цкая",
    "цкой",
    "цкую",
    "енко",
    "чук",
    "щук",
    "швили",
    "дзе",
    "иани",
    "овна",
    "евна",
    "ович",
    "евич",
    "ична",
];

impl Mask {
    /// A mask that knows these names: the client's in the messenger and in the journal.
    #[must_use]
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut mask = Self::default();
        for name in names {
            for word in folded(name).split(|c: char| !c.is_alphabetic()) {
                let letters = word.chars().count();
                if letters < SHORTEST_NAME {
                    continue;
                }
                // Without its last letter, which is what declension changes.
                let kept = if letters > SHORTEST_NAME {
                    letters - 1
                } else {
                    letters
                };
                let beginning: String = word.chars().take(kept).collect();
                if !mask.names.contains(&beginning) {
                    mask.names.push(beginning);
                }
            }
        }
        mask
    }

    fn stand_in(&mut self, kind: Kind, what: &str) -> String {
        let same = |(k, w): &(Kind, String)| *k == kind && w == what;
        let at = self.hidden.iter().position(same).unwrap_or_else(|| {
            self.hidden.push((kind, what.to_owned()));
            self.hidden.len() - 1
        });
        format!("[{}{}]", kind.word(), at + 1)
    }

    /// What a person wrote, without phones, e-mails and names.
    pub fn hide(&mut self, text: &str) -> String {
        let text = &self.without_brackets(text);
        let text = self.without_mails(text);
        let text = self.without_phones(&text);
        self.without_names(&text, true)
    }

    /// What our own tools and texts say: their dates and prices are no phones, and only names that are
    /// known are hidden.
    pub fn hide_known(&mut self, text: &str) -> String {
        let text = &self.without_brackets(text);
        self.without_names(text, false)
    }

    /// Nobody may write a placeholder but we.
    fn without_brackets(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for kind in [Kind::Phone, Kind::Mail, Kind::Name] {
            out = out.replace(&format!("[{}", kind.word()), &format!("({}", kind.word()));
        }
        out
    }

    fn without_mails(&mut self, text: &str) -> String {
        let part = |c: char| c.is_alphanumeric() || "._-+%".contains(c);
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('@') {
            let before = rest[..at].trim_end_matches(part);
            let domain = &rest[at + 1..];
            let end = domain.find(|c| !part(c)).unwrap_or(domain.len());
            let domain = domain[..end].trim_end_matches(['.', '-']);
            let local = &rest[before.len()..at];
            let until = at + 1 + domain.len();
            out.push_str(before);
            // A messenger's name (`@anna`) is as personal as an address.
            if domain.is_empty() || (local.is_empty() && domain.chars().count() < 3) {
                out.push_str(&rest[before.len()..until]);
            } else {
                out += &self.stand_in(Kind::Mail, &rest[before.len()..until]);
            }
            rest = &rest[until..];
        }
        out + rest
    }

    fn without_phones(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit() || c == '+') {
            let run = &rest[at..];
            let joins = |c: char| c.is_ascii_digit() || "+ -().\u{a0}\u{2011}\u{2013}".contains(c);
            let end = run.find(|c| !joins(c)).unwrap_or(run.len());
            let end = run[..end]
                .rfind(|c: char| c.is_ascii_digit())
                .map_or(0, |d| d + 1);
            out.push_str(&rest[..at]);
            if end == 0 {
                let first = run.chars().next().map_or(1, char::len_utf8);
                out.push_str(&run[..first]);
                rest = &run[first..];
                continue;
            }
            let number = &run[..end];
            let digits = number.chars().filter(char::is_ascii_digit).count();
            if digits >= FEWEST_DIGITS && !is_date(number) {
                out += &self.stand_in(Kind::Phone, number);
            } else {
                out.push_str(number);
            }
            rest = &run[end..];
        }
        out + rest
    }

    fn without_names(&mut self, text: &str, by_person: bool) -> String {
        let mut out = String::new();
        let mut word = String::new();
        // So many words are still part of an introduction.
        let mut introduced = 0;
        let mut begins_sentence = true;
        let mut in_brackets = false;
        for c in text.chars().chain(['\0']) {
            if c.is_alphabetic() {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                let plain = folded(&word);
                let capital = word.starts_with(char::is_uppercase);
                let letters = plain.chars().count();
                let known = self.names.iter().any(|name| {
                    plain.starts_with(name.as_str())
                        && letters <= name.chars().count() + LONGEST_ENDING
                });
                let named = by_person && introduced > 0 && capital;
                let surname = by_person
                    && capital
                    && !begins_sentence
                    && letters >= 5
                    && SURNAME_ENDINGS.iter().any(|end| plain.ends_with(end));
                if !in_brackets && (known || named || surname) {
                    out += &self.stand_in(Kind::Name, &word);
                } else {
                    out.push_str(&word);
                }
                let opens = INTRODUCED.contains(&plain.as_str());
                introduced = match (opens, introduced) {
                    (true, _) => 4,
                    (false, 0) => 0,
                    (false, left) => left - 1,
                };
                word.clear();
                begins_sentence = false;
            }
            match c {
                '\0' => break,
                '[' => in_brackets = true,
                ']' => in_brackets = false,
                '.' | '!' | '?' | '\n' => {
                    begins_sentence = true;
                    introduced = 0;
                }
                _ => {}
            }
            out.push(c);
        }
        out
    }

    /// The model's words with what stood behind the placeholders; `None` when one stands for nothing.
    #[must_use]
    pub fn show(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('[') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let end = rest.find(']').map_or(rest.len(), |end| end + 1);
            let inside = rest[..end].trim_matches(['[', ']']);
            let kinds = [Kind::Phone, Kind::Mail, Kind::Name];
            let placeholder = kinds.into_iter().find_map(|kind| {
                let number = inside.strip_prefix(kind.word())?;
                Some((kind, number.trim().parse::<usize>().ok()?))
            });
            match placeholder {
                Some((kind, number)) => {
                    let (of, what) = self.hidden.get(number.checked_sub(1)?)?;
                    if *of != kind {
                        return None;
                    }
                    out.push_str(what);
                }
                None => out.push_str(&rest[..end]),
            }
            rest = &rest[end..];
        }
        out.push_str(rest);
        Some(out)
    }

    /// The same text without its placeholders: what is held against the proof.
    #[must_use]
    pub fn without(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('[') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let end = rest.find(']').map_or(rest.len(), |end| end + 1);
            let inside = rest[..end].trim_matches(['[', ']']);
            let is_ours = [Kind::Phone, Kind::Mail, Kind::Name].iter().any(|kind| {
                let number = inside.strip_prefix(kind.word());
                number.is_some_and(|n| n.trim().parse::<usize>().is_ok())
            });
            if !is_ours {
                out.push_str(&rest[..end]);
            }
            rest = &rest[end..];
        }
        out + rest
    }
}

/// `2026-08-21`, `21.08.2026 14`, `21.08.2026`: digits enough for a number, and no number.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let year = |part: &str| part.starts_with("20") && part.len() == 4;
    match lengths.as_slice() {
        [4, 1 | 2, 1 | 2] | [4, 1 | 2, 1 | 2, 1 | 2] => year(parts[0]),
        [1 | 2, 1 | 2, 4] | [1 | 2, 1 | 2, 4, 1 | 2] => year(parts[2]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn phones_e_mails_and_names_stay_in_the_house() {
        let mut mask = Mask::of(["Анна Петрова", "anna_p"]);
        for (text, hidden) in [
            ("мой номер +7 900 000-00-01", "мой номер [phone1]"),
            ("8(900)0000001, жду", "[phone2], жду"),
            ("79000000001", "[phone3]"),
            ("позвоните на 123-45-67", "позвоните на [phone4]"),
            ("пишите на anna.p@example.com.", "пишите на [mail5]."),
            ("Это Анна", "Это [name6]"),
            ("запишите Петрову Анну", "запишите [name7] [name8]"),
            ("меня зовут Мария Сидорова", "меня зовут [name9] [name10]"),
            (
                "Запишите Кузнецову на пятницу",
                "Запишите [name11] на пятницу",
            ),
            ("я в телеграме @salon_client", "я в телеграме [mail12]"),
            ("карта 2200 0000 0000 0001", "карта [phone13]"),
        ] {
            assert_eq!(mask.hide(text), hidden);
            assert_eq!(mask.show(hidden).unwrap(), text);
        }
    }

    #[test]
    fn dates_times_and_prices_are_no_phones() {
        let mut mask = Mask::default();
        for text in [
            "на 21.08.2026 в 14:30",
            "2026-08-21 в 12",
            "за 1 500 руб",
            "21 августа, 22 августа, 23 августа",
            "с 10:00 до 21:00",
        ] {
            assert_eq!(mask.hide(text), text);
        }
    }

    #[test]
    fn a_placeholder_that_stands_for_nothing_is_not_said() {
        let mut mask = Mask::default();
        assert_eq!(mask.hide("+79000000001"), "[phone1]");
        assert_eq!(
            mask.show("Ваш номер [phone1]").unwrap(),
            "Ваш номер +79000000001"
        );
        for text in ["[phone2]", "[name1]", "[mail0]", "[name1"] {
            assert_eq!(mask.show(text), None, "{text}");
        }
        assert_eq!(mask.show("[1] и [имя]").unwrap(), "[1] и [имя]");
    }

    #[test]
    fn a_client_cannot_write_a_placeholder() {
        let mut mask = Mask::default();
        mask.hide("+79000000001");
        assert_eq!(mask.hide("чей это [phone1]?"), "чей это (phone1]?");
    }

    proptest! {
        #[test]
        fn what_is_hidden_comes_back_unchanged(text in "[а-яА-Я0-9@+. ,()-]{0,60}") {
            let mut mask = Mask::of(["Анна Петрова"]);
            let hidden = mask.hide(&text);
            prop_assert_eq!(mask.show(&hidden).unwrap(), text);
        }

        #[test]
        fn no_number_of_a_phones_length_leaves(
            before in "[а-я ]{0,10}", number in "\\+?7[ -]?9[0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{2}",
        ) {
            let hidden = Mask::default().hide(&format!("{before}{number} ок"));
            let digits: String = hidden.chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(digits, "1", "{}", hidden);
        }
    }
}
