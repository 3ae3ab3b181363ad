//! booking-monitor.toml: what is accepted, what is refused, and in which words.

// `allow-unwrap-in-tests` sees a helper as part of a test only under `cfg(test)`.
#[cfg(test)]
mod draft;
#[cfg(test)]
mod example;
#[cfg(test)]
mod meaning;
#[cfg(test)]
mod readmes;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod secrets;
