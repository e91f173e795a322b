//! `tribune audit`.

use super::args::{CapArgs, FailOn};
use super::{inputs, output, review, signals};
use crate::audit::{self, Audit, Options, Shard};
use crate::change::{TreeAt, tree};
use crate::config::Flags;
use crate::error::{Exit, UserError};
use crate::forge;
use crate::rules::RuleSet;
use crate::run::{Scope, Setup};
use clap::{Args, ValueEnum};
use globset::Glob;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// More shards make no sense of a job's start-up time.
const MAX_SHARDS: u32 = 1_000;
/// The largest report of a shard that is read, in bytes, and how many.
const MAX_REPORT: u64 = 256 << 20;
const MAX_REPORTS: usize = 1_000;

/// Flags of `audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// A folder or file inside a git repository
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// The tree to audit: a revision, or `worktree`
    #[arg(long, value_name = "REV|worktree", default_value = "HEAD", allow_hyphen_values = true)]
    pub rev: String,
    /// Only these rules (comma-separated ids or globs such as SEC-*)
    #[arg(long, value_name = "IDS|GLOBS", value_delimiter = ',')]
    pub rules: Vec<String>,
    /// Do this part of the work only: the I-th of N, for jobs of a matrix
    #[arg(long, value_name = "I/N", value_parser = parse_shard)]
    pub shard: Option<Shard>,
    /// Keep what models answer in FILE, and go on from what it holds
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// Merge the JSON reports of all shards instead of auditing
    #[arg(long, value_name = "FILES", num_args = 1.., conflicts_with_all = ["shard", "resume", "rules"])]
    pub merge: Vec<PathBuf>,
    /// Detectors only: no model call
    #[arg(long)]
    pub offline: bool,
    /// Where configuration and rules come from: a revision, or `worktree` [default: the audited commit]
    #[arg(long, value_name = "REV|worktree", allow_hyphen_values = true)]
    pub policy: Option<String>,
    /// One more configuration file, with an operator's rights
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Binding rules of this severity or worse fail the audit when they are broken (exit 1) [default: critical]
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub fail_on: Option<FailOn>,
    /// What it may use.
    #[command(flatten)]
    pub caps: CapArgs,
    /// Format of the report
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "markdown")]
    pub format: AuditFormat,
    /// Write the report to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// No progress lines
    #[arg(short, long)]
    pub quiet: bool,
}

/// Formats of an audit's report.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum AuditFormat {
    /// For people
    Markdown,
    /// tribune.audit/v1
    Json,
    /// For code scanning
    Sarif,
}

/// Audits, or merges the reports of shards; writes the report and returns the exit code.
pub(super) fn run(args: &AuditArgs) -> Result<Exit, UserError> {
    let audit = if args.merge.is_empty() { of_tree(args)? } else { merged(args)? };
    let text = match args.format {
        AuditFormat::Markdown => audit::markdown(&audit),
        AuditFormat::Json => format!("{}\n", serde_json::to_string_pretty(&audit).expect("a report is JSON")),
        AuditFormat::Sarif => audit::sarif(&audit),
    };
    match &args.output {
        Some(file) => output::file(file, text.as_bytes())?,
        None => output::stdout(text.as_bytes())?,
    }
    Ok(review::exit_of(audit.outcome))
}

fn of_tree(args: &AuditArgs) -> Result<Audit, UserError> {
    let stop = signals::stop_flag();
    let at = if args.rev == "worktree" { TreeAt::WorkTree } else { TreeAt::Rev(args.rev.clone()) };
    let policy = args.policy.as_deref().map(inputs::policy);
    let (change, below) = tree(&args.path, &at, policy.as_ref())?;
    let flags = Flags { fail_on: args.fail_on.map(inputs::threshold), ..args.caps.flags() };
    let layers = inputs::layers(&args.path, args.config.as_deref(), &flags)?;
    let scope = Scope { offline: args.offline, ..Scope::default() };
    let setup = Setup::load(&change, layers, scope, &forge::here(&inputs::env), &inputs::env, inputs::today())?;
    let rules = selected(&setup.rules, &args.rules)?;
    let no_models = match (args.offline, setup.scope.offline) {
        (true, _) => Some("No model was asked (--offline)."),
        (false, true) => Some("No model was asked: the organisation's configuration allows none here."),
        (false, false) => None,
    };
    let no_models = no_models.map(str::to_owned);
    let options = Options { below, shard: args.shard, resume: args.resume.clone(), no_models };
    let events = output::progress(args.quiet);
    let cancel = CancellationToken::new();
    let work = audit::run(&setup, &change, &rules, &options, &events, (&stop, cancel.clone()));
    review::block_on(signals::cancelling(stop.clone(), cancel, work))?
}

/// The rules that `--rules` names: each word has to name one at least.
fn selected(rules: &RuleSet, words: &[String]) -> Result<RuleSet, UserError> {
    if words.is_empty() {
        return Ok(rules.clone());
    }
    let mut globs = Vec::new();
    for word in words {
        let wrong =
            |cause: String, fix: String| UserError::usage(format!("--rules: `{}`", crate::path::RepoPath::from(word.as_str()).display()), cause, fix);
        let glob = Glob::new(word).map_err(|e| wrong(format!("it is no glob: {}", e.kind()), "Write an id, or a glob such as SEC-*.".to_owned()))?;
        let matcher = glob.compile_matcher();
        if !rules.iter().any(|r| matcher.is_match(&r.id)) {
            let near = rules.iter().map(|r| (strsim::damerau_levenshtein(&r.id, word), &r.id)).min().filter(|(d, _)| *d <= 3);
            let fix = near.map_or("`tribune rules list` lists all.".to_owned(), |(_, near)| format!("Did you mean {near}?"));
            return Err(wrong("no rule in force has such an id".to_owned(), fix));
        }
        globs.push(matcher);
    }
    Ok(rules.only(|rule| globs.iter().any(|g| g.is_match(&rule.id))))
}

fn merged(args: &AuditArgs) -> Result<Audit, UserError> {
    if args.merge.len() > MAX_REPORTS {
        return Err(UserError::usage("too many reports", format!("{} of them, at most {MAX_REPORTS}", args.merge.len()), "Use fewer shards."));
    }
    let shards = args.merge.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let mut audit = audit::merge(shards)?;
    if let Some(fail_on) = args.fail_on {
        audit = audit::with_threshold(audit, inputs::threshold(fail_on));
    }
    Ok(audit)
}

fn read(file: &Path) -> Result<Audit, UserError> {
    let fix = "Name the JSON reports of the shards: `tribune audit --shard 1/3 --format json --output 1.json`.";
    let failed = |why: String| UserError::usage(format!("{} is no report of an audit", file.display()), why, fix);
    let mut bytes = Vec::new();
    std::fs::File::open(file).and_then(|f| f.take(MAX_REPORT + 1).read_to_end(&mut bytes)).map_err(|e| failed(e.to_string()))?;
    if bytes.len() as u64 > MAX_REPORT {
        return Err(failed("it is larger than 256 MiB".to_owned()));
    }
    serde_json::from_slice(&bytes).map_err(|e| failed(e.to_string()))
}

fn parse_shard(text: &str) -> Result<Shard, String> {
    let wrong = "write I/N, for example 2/8: the second of eight";
    let (index, of) = text.split_once('/').ok_or(wrong)?;
    match (index.parse(), of.parse()) {
        (Ok(index), Ok(of)) if (1..=of).contains(&index) && of <= MAX_SHARDS => Ok(Shard { index, of }),
        _ => Err(format!("{wrong}; at most {MAX_SHARDS} of them")),
    }
}
