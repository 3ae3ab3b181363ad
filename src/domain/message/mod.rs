//! What people read: from values of the trade to a text in a channel's own markup.
//!
//! [`mod@compose`] turns a visit into [`facts::Facts`], [`template`] fills one of the built-in texts or
//! the company's own in their place, [`markup`] renders the neutral syntax (`*bold*`, `~struck~`,
//! `_italic_`, `[label](https://…)`). [`brief`](mod@brief) is what a messenger's approved template is
//! filled from, [`suggested`] holds the texts to have approved, [`owner`] what owners read. Whatever
//! YClients says (names, titles, addresses) is data: it can become neither markup, nor a link, nor a
//! template, in any channel.

pub mod brief;
mod builtin;
mod calendar;
mod changes;
pub mod compose;
pub mod facts;
pub mod markup;
pub mod owner;
mod price;
mod proposed;
mod said;
pub mod suggested;
pub mod template;
mod trial;
mod words;

pub use brief::Brief;
pub use compose::{Place, Told, Way, brief, compose};
pub use markup::Markup;
pub use proposed::{day, details, lasts, price, weekday};
pub use said::{Said, said};
pub use template::{Key, Override, TemplateProblem, Texts};
pub use words::moment;

/// The language of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Russian.
    #[default]
    Ru,
    /// English.
    En,
}

impl Language {
    /// How a message opens that may have arrived before: whoever gets it twice knows why.
    #[must_use]
    pub fn said_again(self) -> &'static str {
        match self {
            Self::Ru => "Повторяю на случай, если не дошло:",
            Self::En => "Once more, in case it did not arrive:",
        }
    }
}
