//! `demo`.
use super::Outcome;
use crate::cli::DemoArgs;

pub(super) async fn run(_args: DemoArgs) -> Outcome {
    Ok(0)
}
