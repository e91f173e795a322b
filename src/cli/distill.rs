//! `tribune rules distill`.

use super::args::{CapArgs, RulesArgs};
use super::{folder, inputs, output, review, signals};
use crate::config::{self, Config, RuleSource};
use crate::distill::{self, Document, MAX_DOCUMENTS};
use crate::error::{Exit, UserError};
use crate::findings::sanitize::terminal as clean;
use crate::forge;
use crate::reviewers::definition::PromptFiles;
use crate::rules::RuleSet;
use crate::run::{Client, limit_reached};
use clap::Args;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// What is read of a document; one byte more than this is too large.
const MAX_READ: u64 = 1 << 20;
/// Bytes of all documents together.
const MAX_ALL: usize = 8 << 20;

/// Flags of `rules distill`.
#[derive(Debug, Args)]
pub struct DistillArgs {
    /// Documents: Markdown or plain text
    #[arg(required = true, value_name = "DOC")]
    pub docs: Vec<PathBuf>,
    /// The folder to write the drafts to: a new or an empty one, and none that rules are read from
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// What it may use.
    #[command(flatten)]
    pub caps: CapArgs,
    /// No progress lines
    #[arg(short, long)]
    pub quiet: bool,
}

/// Distils and writes the drafts. Exit 3 where something failed on the way; what there is, is written all the same.
pub(super) fn run(rules_args: &RulesArgs, args: &DistillArgs, rules: &RuleSet) -> Result<Exit, UserError> {
    let layers = inputs::layers(&rules_args.repo, rules_args.config.as_deref(), &args.caps.flags())?;
    let resolved = config::resolve(layers, &inputs::env)?;
    let config = &resolved.config;
    may_hold_drafts(&args.out, config)?;
    let documents = documents(&args.docs)?;
    let (targets, notes) = config.gateway(&inputs::env)?;
    notes.iter().for_each(|note| output::hint(note));
    let Some(targets) = targets else {
        return Err(UserError::usage(
            "there is no gateway to ask",
            "drafts are made by models, and none is configured",
            "Set TRIBUNE_GATEWAY_URL, TRIBUNE_GATEWAY_TOKEN and TRIBUNE_MODEL, or `endpoints` and `models` in the operator's file.",
        ));
    };
    let key = config::state_key(&inputs::env);
    let labels = forge::labels(&inputs::env, &forge::here(&inputs::env), key.as_ref().map(|k| k.expose().as_bytes()));
    let (client, note) = Client::new(&resolved, targets, &labels, inputs::today(), &output::progress(args.quiet))?;
    note.iter().for_each(|note| output::hint(note));
    let mut prompts = PromptFiles::built_in();
    for (name, text) in &config.prompts {
        if let Err(problem) = prompts.take(name, text.clone()) {
            output::hint(&format!("prompt of the organisation left out: {problem}"));
        }
    }
    let stop = signals::stop_flag();
    let cancel = CancellationToken::new();
    let work = distill::run(&client, config, &prompts, rules, &documents, cancel.clone());
    let done = review::block_on(signals::cancelling(stop, cancel, work))?;
    // Where nothing could be asked there is nothing to keep.
    if done.drafts > 0 || done.failures.is_empty() {
        folder::write(&args.out, &done.files)?;
    }
    output::stdout(told(&args.out, &done).as_bytes())?;
    done.failures.iter().for_each(|failure| output::hint(failure));
    client.gateway.reached().iter().for_each(|reached| output::hint(&limit_reached(&resolved, reached, None)));
    Ok(if done.failures.is_empty() { Exit::Pass } else { Exit::Inconclusive })
}

fn told(out: &Path, done: &distill::Distilled) -> String {
    let (good, bad) = done.detectors;
    let cost = done.usage.cost_usd.map(|usd| format!(", ${usd:.2}")).unwrap_or_default();
    let made_up = if done.made_up > 0 {
        format!("{} requirements thrown away: their passage does not stand in the document\n", done.made_up)
    } else {
        String::new()
    };
    let where_to = if done.drafts > 0 { format!(" in {}; begin with README.md", clean(&out.display().to_string())) } else { String::new() };
    format!(
        "{} drafts{where_to}\n{good} detectors pass their examples, {bad} fail; {} contradictions or repetitions to settle\n{made_up}{} requests, {} input tokens, {} output tokens{cost}\n",
        done.drafts, done.contradictions, done.requests, done.usage.input_tokens, done.usage.output_tokens
    )
}

/// Refuses a folder whose files would be in force, or that holds something already.
fn may_hold_drafts(out: &Path, config: &Config) -> Result<(), UserError> {
    let refuse = |why: &str| {
        let fix = "Name a new folder elsewhere, such as --out drafts; move a draft to your rules once somebody has reviewed it.";
        UserError::usage(format!("{} cannot hold drafts", out.display()), why.to_owned(), fix)
    };
    let full = resolved(out);
    if full.components().any(|c| [".tribune", "rules"].iter().any(|name| c.as_os_str().eq_ignore_ascii_case(name))) {
        return Err(refuse("rules are read from such a folder (.tribune, rules), and a draft must not be in force"));
    }
    let sources = config.rule_sources.iter().filter_map(|s| if let RuleSource::Directory(dir) = s { Some(resolved(dir)) } else { None });
    if sources.into_iter().any(|dir| full.starts_with(dir)) {
        return Err(refuse("it lies in a folder of `rule_sources`, and a draft must not be in force"));
    }
    let occupied = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if occupied { Err(refuse("it is not empty, and what stands in it may have been edited")) } else { Ok(()) }
}

/// An absolute path without links and `..`, so far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut missing = Vec::new();
    let mut at = absolute.as_path();
    loop {
        if let Ok(known) = std::fs::canonicalize(at) {
            let mut out = known;
            for part in missing.iter().rev() {
                // `..` behind what does not exist yet goes back by one.
                match *part == std::ffi::OsStr::new("..") {
                    true => out = out.parent().map(Path::to_owned).unwrap_or(out),
                    false => out.push(part),
                }
            }
            return out;
        }
        match (at.parent(), at.components().next_back()) {
            (Some(parent), Some(last)) => {
                missing.push(last.as_os_str());
                at = parent;
            }
            _ => return absolute,
        }
    }
}

fn documents(paths: &[PathBuf]) -> Result<Vec<Document>, UserError> {
    let many = |why: String| UserError::usage("too much to distil at once", why, "Distil fewer documents at a time.");
    if paths.len() > MAX_DOCUMENTS {
        return Err(many(format!("{} documents, at most {MAX_DOCUMENTS}", paths.len())));
    }
    let mut all = 0;
    let mut out = Vec::new();
    for path in paths {
        let failed =
            |e: std::io::Error| UserError::usage(format!("{} cannot be read", path.display()), e.to_string(), "Name Markdown or text files.");
        let mut bytes = Vec::new();
        std::fs::File::open(path).map_err(failed)?.take(MAX_READ + 1).read_to_end(&mut bytes).map_err(failed)?;
        all += bytes.len();
        if all > MAX_ALL {
            return Err(many(format!("more than {MAX_ALL} bytes together")));
        }
        let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
        out.push(Document::new(&name, &bytes)?);
    }
    Ok(out)
}
