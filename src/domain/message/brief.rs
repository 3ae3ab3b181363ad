//! What official channels need beside the text: the kind of a message and its values by name, from
//! which they fill a template that the messenger has approved.

use std::collections::BTreeMap;

/// The kinds of messages that an approved template can stand for. A restored booking takes the
/// template for changes where it has none of its own.
pub const KINDS: [&str; 8] = [
    "created",
    "updated",
    "restored",
    "cancelled",
    "no_show",
    "visited",
    "reminder",
    "correction",
];

/// A message's kind and values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Brief {
    /// One of [`KINDS`].
    pub kind: &'static str,
    /// By the template variables' names; empty where missing. Foreign text is harmless in them.
    pub values: BTreeMap<&'static str, String>,
}

debug_only!(Brief: kind);

/// Longest body of a filled template, its own words included.
pub const LONGEST_BODY: usize = 1024;
/// Longest single parameter.
const LONGEST: usize = 300;
/// All parameters of a message together; the rest of the body is the template's own words.
pub const LONGEST_TOGETHER: usize = 700;

impl Brief {
    /// The parameters of these names, as the messenger takes them: one line each without runs of
    /// spaces, never empty, not too long. A parameter that breaks a rule refuses the message.
    #[must_use]
    pub fn parameters(&self, names: &[String]) -> Vec<String> {
        let values: Vec<String> = names
            .iter()
            .map(|name| self.values.get(name.as_str()).map_or("", String::as_str))
            .map(one_line)
            .collect();
        let fits = |cap: usize| {
            let lengths = values.iter().map(|v| v.chars().count().min(cap));
            lengths.sum::<usize>() <= LONGEST_TOGETHER
        };
        let cap = (1..=LONGEST).rev().find(|cap| fits(*cap)).unwrap_or(1);
        values.iter().map(|value| cut(value, cap)).collect()
    }
}

/// Lines joined by semicolons; a dash where there is nothing.
fn one_line(value: &str) -> String {
    let lines: Vec<String> = value
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect();
    if lines.is_empty() {
        "—".to_owned()
    } else {
        lines.join("; ")
    }
}

/// At most so many characters, an ellipsis the last. Nothing else is touched: the invisible joiners
/// that break foreign links have to stay.
fn cut(value: &str, longest: usize) -> String {
    if value.chars().count() <= longest {
        return value.to_owned();
    }
    let kept: String = value.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(values: &[(&'static str, &str)], names: &[&str]) -> Vec<String> {
        let brief = Brief {
            kind: "created",
            values: values.iter().map(|(k, v)| (*k, (*v).to_owned())).collect(),
        };
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        brief.parameters(&names)
    }

    #[test]
    fn a_parameter_is_one_line_and_never_empty() {
        let values = [
            ("services", "Стрижка\n\n  Укладка\tи     ещё"),
            ("staff", " \n "),
        ];
        assert_eq!(
            parameters(&values, &["services", "staff", "price"]),
            ["Стрижка; Укладка и ещё", "—", "—"]
        );
    }

    #[test]
    fn parameters_are_cut_until_they_fit_together_the_longest_first() {
        let long = "я".repeat(2000);
        let values = [("services", long.as_str()), ("time", "14:30")];
        let one = parameters(&values, &["services"]);
        assert_eq!(one[0].chars().count(), LONGEST);
        let many = parameters(&values, &["services", "time", "services", "services"]);
        let lengths: Vec<usize> = many.iter().map(|p| p.chars().count()).collect();
        assert_eq!(lengths, [231, 5, 231, 231]);
        assert_eq!(many[1], "14:30");
    }

    #[test]
    fn a_foreign_link_that_was_broken_stays_broken() {
        let values = [("client_name", "evil.\u{2060}example")];
        assert_eq!(
            parameters(&values, &["client_name"]),
            ["evil.\u{2060}example"]
        );
    }
}
