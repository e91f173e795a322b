//! `tribune config`: show, validate, schema.

use super::args::{ConfigArgs, ConfigCommand};
use super::{inputs, output};
use crate::config::{self, Layer, REPOSITORY_FILE};
use crate::error::{Exit, UserError};
use crate::findings::sanitize::terminal as clean;
use crate::report;
use std::io::Read;
use std::path::Path;

/// Runs the subcommand.
pub(super) fn run(args: &ConfigArgs) -> Result<Exit, UserError> {
    match &args.command {
        ConfigCommand::Show => show(args),
        ConfigCommand::Validate { file, operator } => {
            let own = args.repo.join(REPOSITORY_FILE);
            validate(file.as_deref().unwrap_or(&own), *operator)
        }
        ConfigCommand::Schema { report, audit } => {
            let schema = match (report, audit) {
                (true, _) => report::json::json_schema(),
                (_, true) => crate::audit::json_schema(),
                _ => config::schema(),
            };
            output::stdout(format!("{}\n", serde_json::to_string_pretty(&schema).expect("a schema is JSON")).as_bytes())?;
            Ok(Exit::Pass)
        }
    }
}

fn show(args: &ConfigArgs) -> Result<Exit, UserError> {
    let mut layers = Vec::new();
    let own = args.repo.join(REPOSITORY_FILE);
    let mut exit = Exit::Pass;
    if own.exists() {
        let text = read(&own)?;
        let (layer, problems) = Layer::repository(&text);
        for problem in &problems {
            output::hint(&problem.render(REPOSITORY_FILE));
            exit = Exit::Usage;
        }
        layers.push(layer);
        output::hint(&format!("{REPOSITORY_FILE} is shown as it stands in the work tree; a review takes it from the base of the change."));
    }
    layers.extend(inputs::operator_layers(&args.repo, args.config.as_deref())?);
    layers.push(Layer::environment(&inputs::env)?);
    inputs::organisation(&mut layers, &args.repo)?;
    let resolved = config::resolve(layers, &inputs::env)?;
    resolved.notes.iter().for_each(|note| output::hint(note));
    output::stdout(clean(&config::show(&resolved)).as_bytes())?;
    Ok(exit)
}

fn validate(file: &Path, operator: bool) -> Result<Exit, UserError> {
    let text = read(file)?;
    let problems = if operator { Layer::operator(&text, file).1 } else { config::validate(&text) };
    let name = file.display().to_string();
    for problem in &problems {
        output::hint(&problem.render(&name));
    }
    output::stdout(
        format!(
            "{}: {}\n",
            clean(&name),
            match problems.len() {
                0 => "valid".to_owned(),
                1 => "1 problem".to_owned(),
                n => format!("{n} problems"),
            }
        )
        .as_bytes(),
    )?;
    Ok(if problems.is_empty() { Exit::Pass } else { Exit::Usage })
}

/// A file within the bound (one byte more, so that the check can say that it is too long).
fn read(file: &Path) -> Result<String, UserError> {
    let failed = |e: std::io::Error| {
        UserError::usage(format!("{} cannot be read", file.display()), e.to_string(), "Name the file: `tribune config validate FILE`.")
    };
    let mut bytes = Vec::new();
    std::fs::File::open(file).map_err(failed)?.take(config::MAX_CONFIG_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
