//! `tribune doctor`: what stands against a review.

use super::args::DoctorArgs;
use super::{inputs, output, review};
use crate::doctor::{self, Visit};
use crate::error::{Exit, UserError};
use crate::forge;

/// Looks at everything that a review needs, and returns what would stop one.
pub(super) fn run(args: &DoctorArgs) -> Result<Exit, UserError> {
    let visit = Visit {
        env: &inputs::env,
        ci: inputs::in_ci(),
        dir: args.repo.clone(),
        url: args.url.clone(),
        operator: inputs::operator_layers(&args.repo, args.config.as_deref()),
        probe: args.probe,
        place: forge::here(&inputs::env),
        today: inputs::today(),
    };
    let diagnosis = doctor::diagnose(&visit, &review::runtime()?);
    let text = match args.json {
        true => doctor::json(&diagnosis),
        false => doctor::text(&diagnosis, output::color(args.color), output::width()),
    };
    output::stdout(text.as_bytes())?;
    Ok(diagnosis.exit())
}
