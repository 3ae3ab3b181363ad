//! Telephone numbers: one canonical form (E.164), one masked form for everything people or logs see.

use std::fmt;

use rlibphonenumber::{
    PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberFormat, Region, ValidationError,
};
use serde::{Deserialize, Serialize};

/// A valid telephone number in E.164 (`+79000000001`).
///
/// `Display` and `Debug` show the masked form only; whole digits come from [`Phone::e164`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

/// Codes of no country: services, not people. `8 000 000 00 00`, which is typed where a number has to
/// stand and there is none, would be one of them.
const NOBODYS: [&str; 4] = ["+800", "+808", "+888", "+979"];

/// Why a text is not a telephone number that a message could reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneProblem {
    /// Nothing but punctuation.
    #[error("no digits")]
    Empty,
    /// Some of its digits are masked.
    #[error("digits are hidden")]
    Hidden,
    /// Fewer digits than any number of its country has.
    #[error("too short for a number")]
    TooShort,
    /// More of them.
    #[error("too long for a number")]
    TooLong,
    /// Neither, and yet no number of its country has so many.
    #[error("a wrong number of digits")]
    Length,
    /// Digits that belong to no numbering plan: invented, or mistyped.
    #[error("not a valid number")]
    Invalid,
}

impl PhoneProblem {
    /// The same in Russian.
    #[must_use]
    pub fn in_russian(self) -> &'static str {
        match self {
            Self::Empty => "в нём нет цифр",
            Self::Hidden => "часть цифр скрыта",
            Self::TooShort => "слишком короткий",
            Self::TooLong => "слишком длинный",
            Self::Length => "не то число цифр",
            Self::Invalid => "такого номера не бывает",
        }
    }

    /// Every problem.
    pub const ALL: [Self; 6] = [
        Self::Empty,
        Self::Hidden,
        Self::TooShort,
        Self::TooLong,
        Self::Length,
        Self::Invalid,
    ];

    /// From its words, as they are stored.
    #[must_use]
    pub fn from_stored(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.to_string() == words)
    }
}

impl Phone {
    /// Reads a number as people and APIs write it: `+7 900 000-00-01`, `8 (900) …`, `79000000001`.
    ///
    /// `country` (ISO 3166, `"RU"`) completes numbers without a country code. A number without a
    /// plus that is valid only with one (`375291234567` read in Russia) is taken as international.
    pub fn parse(text: &str, country: &str) -> Result<Self, PhoneProblem> {
        let text = text.trim();
        if let Some(phone) = Self::plain(text, country) {
            return Ok(phone);
        }
        if !text.chars().any(|c| c.is_ascii_digit()) {
            return Err(PhoneProblem::Empty);
        }
        if Self::is_hidden(text) {
            return Err(PhoneProblem::Hidden);
        }
        let region = Region::try_from(country).ok();
        Self::valid(text, region).or_else(|problem| {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            Self::valid(&format!("+{digits}"), None)
                // A trunk prefix that was taken for the country's code: no country has an 8.
                .or_else(|_| match text.starts_with("+8") {
                    true => Self::valid(&digits, region),
                    false => Err(problem),
                })
                .map_err(|_| problem)
        })
    }

    /// Whether this stands where a number is hidden from us: nothing, words without a digit, or a
    /// number some of whose digits are masked (`+7900***4567`, `+7 900 XXX-XX-67`).
    #[must_use]
    pub fn is_hidden(text: &str) -> bool {
        const MASKS: [char; 8] = ['*', '•', '●', '∗', '＊', '…', '_', '#'];
        let is_x = |c: char| matches!(c, 'x' | 'X' | 'х' | 'Х');
        let chars: Vec<char> = text.chars().collect();
        // One x alone begins an extension.
        let crossed = chars.windows(2).any(|pair| pair.iter().all(|c| is_x(*c)));
        crossed || text.contains(MASKS) || !chars.iter().any(char::is_ascii_digit)
    }

    /// Whether this number stands in a text, with or without its country's code, however its digits
    /// are set apart.
    #[must_use]
    pub fn stands_in(&self, text: &str) -> bool {
        let digits = self.digits();
        let national = digits.get(digits.len().saturating_sub(NATIONAL)..);
        runs(text)
            .iter()
            .any(|run| national.is_some_and(|national| run.contains(national)))
    }

    /// A Russian mobile number in digits alone: any nine behind +79 are one. Nearly all numbers are
    /// these, and where no other comes the plans of all countries, megabytes of them, are never read.
    fn plain(text: &str, country: &str) -> Option<Self> {
        let national = text.strip_prefix("+7").or_else(|| {
            let at_home = (country == "RU").then_some(text)?;
            at_home.strip_prefix(['7', '8']).or(Some(at_home))
        })?;
        let is_mobile = national.len() == NATIONAL
            && national.starts_with('9')
            && national.bytes().all(|b| b.is_ascii_digit());
        is_mobile.then(|| Self(format!("+7{national}")))
    }

    fn valid(text: &str, region: Option<Region>) -> Result<Self, PhoneProblem> {
        let number = PhoneNumber::parse(text, region).map_err(|error| match error {
            ParseError::TooShortAfterIdd | ParseError::TooShortNsn => PhoneProblem::TooShort,
            ParseError::TooLongNsn => PhoneProblem::TooLong,
            ParseError::InvalidCountryCode | ParseError::NotANumber(_) => PhoneProblem::Invalid,
        })?;
        if number.is_valid() {
            let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
            return match NOBODYS.iter().any(|code| e164.starts_with(code)) {
                true => Err(PhoneProblem::Invalid),
                false => Ok(Self(e164)),
            };
        }
        Err(match number.is_possible_with_reason() {
            Err(ValidationError::TooShort) => PhoneProblem::TooShort,
            Err(ValidationError::TooLong) => PhoneProblem::TooLong,
            Err(ValidationError::InvalidLength) => PhoneProblem::Length,
            Err(_) | Ok(_) => PhoneProblem::Invalid,
        })
    }

    /// Whether this is a country that [`Phone::parse`] knows (ISO 3166, two capital letters).
    #[must_use]
    pub fn knows_country(country: &str) -> bool {
        // Any two letters make a region, and the plans of all countries, megabytes of them, are not
        // read for the one that everybody names.
        country == "RU"
            || Region::try_from(country).is_ok_and(|region| {
                PHONE_NUMBER_UTIL
                    .get_country_code_for_region(region)
                    .is_some()
            })
    }

    /// Takes a number that the program itself stored in E.164.
    #[must_use]
    pub fn from_stored(e164: String) -> Self {
        Self(e164)
    }

    /// The whole number, `+79000000001`: for the database and the messenger, never for a log.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.0
    }

    /// The digits alone, `79000000001`, as WhatsApp's chat ids begin.
    #[must_use]
    pub fn digits(&self) -> &str {
        self.0.trim_start_matches('+')
    }

    /// `+7 900 000-00-01`: for the owner's own eyes.
    #[must_use]
    pub fn readable(&self) -> String {
        let digits = self.digits();
        match (digits.len(), digits.as_bytes().first()) {
            (11, Some(b'7')) => format!(
                "+7 {} {}-{}-{}",
                &digits[1..4],
                &digits[4..7],
                &digits[7..9],
                &digits[9..]
            ),
            _ => self.0.clone(),
        }
    }

    /// `+7 *** ***-**-67`: the last two digits only.
    #[must_use]
    pub fn masked(&self) -> String {
        let digits = self.digits();
        let tail = digits.get(digits.len().saturating_sub(2)..).unwrap_or("");
        let country = if digits.starts_with('7') { "7" } else { "*" };
        format!("+{country} *** ***-**-{tail}")
    }
}

/// Digits of a number without its country's code.
const NATIONAL: usize = 10;

/// The numbers that stand in a text, as they would be read in Russia.
#[must_use]
pub fn phones_in(text: &str) -> Vec<Phone> {
    let mut found = Vec::new();
    for run in runs(text) {
        found.extend(Phone::parse(&run, "RU").ok());
        // Several in a row, or one behind a house number.
        for at in 0..run.len() {
            let whole = run.get(at..at + NATIONAL + 1);
            let short = run.get(at..at + NATIONAL);
            let parts = [
                whole.filter(|p| p.starts_with(['7', '8'])),
                short.filter(|p| p.starts_with('9')),
            ];
            let read = |part| Phone::parse(part, "RU").ok();
            found.extend(parts.into_iter().flatten().filter_map(read));
        }
    }
    found
}

/// The digits of each stretch that could be a number, without what sets them apart. Numbers are
/// found in a stretch as in the text.
pub(crate) fn runs(text: &str) -> Vec<String> {
    let mut runs = vec![String::new()];
    let mut apart = 0;
    for c in text.chars() {
        if c.is_ascii_digit() {
            apart = 0;
            if let Some(run) = runs.last_mut() {
                run.push(c);
            }
            continue;
        }
        apart += 1;
        let joins = matches!(
            c,
            ' ' | '-' | '(' | ')' | '.' | '\u{a0}' | '\u{2011}' | '\u{2013}'
        );
        if !joins || apart > 3 {
            runs.push(String::new());
            apart = 0;
        }
    }
    runs.retain(|run| run.len() >= NATIONAL);
    runs
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Masks numbers of more than six digits, also written with spaces, brackets and hyphens.
#[must_use]
pub fn without_long_numbers(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        if !chars[i].is_ascii_digit() {
            out.push(chars[i]);
            i += 1;
            continue;
        }
        let run = chars[i..]
            .iter()
            .take_while(|c| c.is_ascii_digit() || " -()".contains(**c))
            .count();
        let last = (i..i + run).rev().find(|&j| chars[j].is_ascii_digit());
        let end = last.map_or(i + 1, |j| j + 1);
        let digits = chars[i..end].iter().filter(|c| c.is_ascii_digit()).count();
        if digits > 6 {
            out.push_str("***");
        } else {
            out.extend(&chars[i..end]);
        }
        i = end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_words_however_it_is_written() {
        let phone = Phone::parse("+79000000001", "RU").unwrap();
        for text in [
            "звонить 8 (900) 000-00-01, после обеда",
            "79000000001@c.us",
            "кв. 12, 9000000001",
            "+7\u{a0}900\u{a0}000\u{2011}00\u{2011}01",
            r#"{"phone":"+79000000001"}"#,
        ] {
            assert!(phone.stands_in(text), "{text}");
            let read = phones_in(text);
            assert!(read.contains(&phone), "{text}: {read:?}");
        }
        for text in ["8 (900) 000-00-02", "12.08.2026 в 14:30", "№ 9000", ""] {
            assert!(!phone.stands_in(text), "{text}");
        }
    }

    #[test]
    fn the_spellings_of_one_number_are_one_phone() {
        for text in [
            "+79000000001",
            "79000000001",
            "89000000001",
            "9000000001",
            "+7 900 000-00-01",
            "8 (900) 000 00 01",
        ] {
            assert_eq!(
                Phone::parse(text, "RU").unwrap().e164(),
                "+79000000001",
                "{text}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn a_russian_mobile_number_reads_as_the_plan_of_its_country_has_it(
            prefix in proptest::sample::select(vec!["+7", "7", "8", "", "+8", "+", "77", "3"]),
            national in "9?[0-9]{8,10}",
            country in proptest::sample::select(vec!["RU", "KZ", "BY", "US"]),
        ) {
            let text = format!("{prefix}{national}");
            if let Some(plain) = Phone::plain(&text, country) {
                let read = Phone::valid(&text, Region::try_from(country).ok());
                proptest::prop_assert_eq!(Ok(plain), read, "{} in {}", text, country);
            }
        }
    }

    #[test]
    fn a_foreign_number_without_a_plus_is_international() {
        assert_eq!(
            Phone::parse("375291234567", "RU").unwrap().e164(),
            "+375291234567"
        );
        assert_eq!(
            Phone::parse("+381 60 1234567", "RU").unwrap().e164(),
            "+381601234567"
        );
    }

    #[test]
    fn what_is_no_number_is_refused() {
        assert_eq!(Phone::parse("", "RU"), Err(PhoneProblem::Empty));
        assert_eq!(Phone::parse(" - ", "RU"), Err(PhoneProblem::Empty));
        for (text, country, problem) in [
            ("12345", "RU", PhoneProblem::TooShort),
            ("8 900 000-00-0", "RU", PhoneProblem::Invalid),
            ("+7 900 000-00-012", "RU", PhoneProblem::Length),
            (
                "8 (900) 000-00-01, 8 (900) 000-00-02",
                "RU",
                PhoneProblem::Invalid,
            ),
            ("+7 222 000-00-00", "RU", PhoneProblem::Invalid),
            ("+7 000 000-00-00", "RU", PhoneProblem::Invalid),
            ("8 000 000 00 00", "RU", PhoneProblem::Invalid),
            ("+999 123 45 67", "RU", PhoneProblem::Invalid),
            ("не звонить 1", "RU", PhoneProblem::Invalid),
            ("+7900***4567", "RU", PhoneProblem::Hidden),
            ("89000000001", "RS", PhoneProblem::Invalid),
        ] {
            let refused = Phone::parse(text, country);
            assert_eq!(refused, Err(problem), "{text} in {country}");
            assert_eq!(
                PhoneProblem::from_stored(&problem.to_string()),
                Some(problem)
            );
        }
    }

    #[test]
    fn a_number_is_completed_by_the_country_of_its_company() {
        for (text, country, e164) in [
            ("8 (900) 000-00-01", "RU", "+79000000001"),
            ("+8 900 000 00 01", "RU", "+79000000001"),
            ("9000000001", "RU", "+79000000001"),
            ("8 701 000 00 01", "KZ", "+77010000001"),
            ("80 29 123-45-67", "BY", "+375291234567"),
            ("060 1234567", "RS", "+381601234567"),
            ("00381601234567", "RS", "+381601234567"),
            ("+995 555 12 34 56", "RU", "+995555123456"),
            ("+49 151 23456789", "RU", "+4915123456789"),
            ("4915123456789", "RU", "+4915123456789"),
        ] {
            let read = Phone::parse(text, country);
            let read = read.as_ref().map_or("", Phone::e164);
            assert_eq!(read, e164, "{text} in {country}");
        }
    }

    #[test]
    fn a_masked_number_is_a_hidden_one_in_every_spelling() {
        for text in [
            "",
            " ",
            "***",
            "скрыт",
            "+7900***4567",
            "+7900 000 00**",
            "+7900000006*7",
            "7900XXXXX67",
            "+38160••••567",
            "+38160…567",
            "+7 (900) ***-**-67",
            "7900•••••67",
            "+49 30 ***1234",
            "+7 900 XXX-XX-67",
            "+7 900 хх 67",
            "+7_________",
        ] {
            assert!(Phone::is_hidden(text), "{text}");
            assert!(Phone::parse(text, "RU").is_err(), "{text}");
        }
        for text in [
            "+79000000001",
            "8 (900) 000-00-01",
            "12345",
            "+7 900 000-00-01 x12",
        ] {
            assert!(!Phone::is_hidden(text), "{text}");
        }
    }

    #[test]
    fn a_printed_phone_shows_two_digits() {
        let phone = Phone::parse("+79000000067", "RU").unwrap();
        assert_eq!(
            format!("{phone} {phone:?}"),
            "+7 *** ***-**-67 +7 *** ***-**-67"
        );
        assert_eq!(phone.readable(), "+7 900 000-00-67");
    }
}
