//! Wordings that exist in both languages at once.

use super::Language;

/// A wording in both languages: which of them is read is known only where it is shown, and a file
/// that is broken in its first line still has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    en: Box<str>,
    ru: Box<str>,
}

/// The same in English and in Russian.
#[must_use]
pub fn said(en: impl Into<String>, ru: impl Into<String>) -> Said {
    let (en, ru): (String, String) = (en.into(), ru.into());
    Said {
        en: en.into(),
        ru: ru.into(),
    }
}

/// What is written alike in every language: a name, a quoted value.
impl From<String> for Said {
    fn from(name: String) -> Self {
        said(name.clone(), name)
    }
}

impl Said {
    /// The wording in one of them.
    #[must_use]
    pub fn within(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Ru => &self.ru,
        }
    }
}
