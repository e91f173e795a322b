//! The command line (DESIGN 6). Help texts are product: short, and true.

pub use super::audit::AuditArgs;
pub use super::distill::DistillArgs;
use crate::config::Flags;
use crate::report::Format;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Reviews code changes: rules in milliseconds, specialised reviewers through your own LLM gateway.
#[derive(Debug, Parser)]
#[command(name = "tribune", version, about, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Review a change: by default the work tree, uncommitted and untracked files included
    Review(Box<ReviewArgs>),
    /// Post a stored report to its merge request, and gate: needs the forge's token, and no gateway's
    Publish(Box<PublishArgs>),
    /// Show what a review would do and cost, without any model call
    Plan(Box<PlanArgs>),
    /// Check what a review needs: git, configuration, gateway, forge, token
    Doctor(DoctorArgs),
    /// Take back what was posted on a merge request: lists it, and does it with --yes
    Retract(RetractArgs),
    /// Check a whole tree against the rules: how far each is followed, with evidence
    Audit(Box<AuditArgs>),
    /// The rules: list, show, test, check, distill, skill
    Rules(RulesArgs),
    /// The configuration: show, validate, schema
    Config(ConfigArgs),
}

/// Where the change comes from. Without any of these: the work tree against the merge base with the default branch.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// Folder of the repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repo: PathBuf,
    /// Review this merge request, by the URL of its page
    #[arg(long, value_name = "URL", conflicts_with_all = ["base", "staged", "diff"])]
    pub url: Option<String>,
    /// Review the commits from the merge base with REV to --head
    #[arg(long, value_name = "REV", conflicts_with_all = ["staged", "diff"], allow_hyphen_values = true)]
    pub base: Option<String>,
    /// Last commit of the range [default: HEAD]
    #[arg(long, value_name = "REV", requires = "base", allow_hyphen_values = true)]
    pub head: Option<String>,
    /// Review what is staged, against HEAD
    #[arg(long, conflicts_with = "diff")]
    pub staged: bool,
    /// Review a bare patch, without a repository (`-`: standard input)
    #[arg(long, value_name = "FILE")]
    pub diff: Option<PathBuf>,
    /// Where configuration and rules come from: a revision, or `worktree` [default: the base of the change]
    #[arg(long, value_name = "REV|worktree", allow_hyphen_values = true)]
    pub policy: Option<String>,
    /// One more configuration file, with an operator's rights
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What decides the review itself.
#[derive(Debug, Args)]
pub struct ScopeArgs {
    /// Rules only: no model call
    #[arg(long)]
    pub offline: bool,
    /// Only these reviewers (comma-separated ids; `rules` for the rules)
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Take this tier instead of the classified one
    #[arg(long, value_name = "TIER", value_enum)]
    pub tier: Option<TierArg>,
    /// Findings at or above this severity fail the gate (exit 1) [default: critical]
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub fail_on: Option<FailOn>,
    /// What it may use.
    #[command(flatten)]
    pub caps: CapArgs,
    /// At most so many seconds
    #[arg(long, value_name = "SECS")]
    pub timeout: Option<u64>,
}

/// What a run may use of models.
#[derive(Debug, Args)]
pub struct CapArgs {
    /// At most so many tokens in this run, input and output
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<u64>,
    /// At most so many dollars in this run (needs the models' prices)
    #[arg(long, value_name = "USD")]
    pub max_cost: Option<f64>,
}

impl CapArgs {
    /// As settings, without any other.
    pub(super) fn flags(&self) -> Flags {
        Flags { max_tokens: self.max_tokens, max_cost: self.max_cost, ..Flags::default() }
    }
}

/// Flags of `review`.
#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// Source of the change.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Scope of the review.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// What is written.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Post the result to the merge request
    #[arg(long, conflicts_with = "no_post")]
    pub post: bool,
    /// Never post
    #[arg(long)]
    pub no_post: bool,
    /// Write each request to a model and its answer into DIR, to be played back by
    /// TRIBUNE_GATEWAY_URL=replay:DIR
    #[arg(long, value_name = "DIR", conflicts_with = "offline")]
    pub record: Option<PathBuf>,
    /// Write what happens as JSON lines
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// No progress display
    #[arg(long)]
    pub no_progress: bool,
}

/// Where reports go, and how they look.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Format of the main report
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "terminal")]
    pub format: Format,
    /// Write the main report to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// One more report, e.g. --report sarif=out.sarif (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = parse_report)]
    pub report: Vec<(Format, PathBuf)>,
    /// Colours
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto")]
    pub color: ColorArg,
    /// Only the report
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Also what was dropped, and every file of the ledger
    #[arg(short, long)]
    pub verbose: bool,
}

/// Flags of `publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// The report: what `review --report json=FILE` has written
    #[arg(value_name = "REPORT.json")]
    pub file: PathBuf,
    /// Post to this merge request, by the URL of its page [default: the one whose pipeline this is]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Findings at or above this severity fail the gate (exit 1) [default: critical]
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub fail_on: Option<FailOn>,
    /// A job that nobody here controls has written the report: show it, and let nothing follow from it
    #[arg(long)]
    pub unverified: bool,
    /// One more configuration file, with an operator's rights
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What is written.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Flags of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Source of the change.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Scope of the review.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Folder of the repository
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repo: PathBuf,
    /// Check for this merge request, or for this project, by the URL of its page
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// One more configuration file, with an operator's rights
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Call each model once, with a few tokens
    #[arg(long)]
    pub probe: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Colours
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto")]
    pub color: ColorArg,
}

/// Flags of `retract`.
#[derive(Debug, Args)]
pub struct RetractArgs {
    /// The merge request, by the URL of its page
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Only what was posted since a day (2026-11-20), a moment (2026-11-20T14:30:00Z), or so long ago (90m, 12h, 3d, 2w)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Do it; without this it is only listed
    #[arg(long)]
    pub yes: bool,
}

/// `rules …`
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// Folder of the repository whose rules count too
    #[arg(long, value_name = "DIR", default_value = ".", global = true)]
    pub repo: PathBuf,
    /// One more configuration file, with an operator's rights
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: RulesCommand,
}

/// What can be done with rules.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// All rules in force, a line each
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// One rule, whole
    Show {
        /// Its id, e.g. SEC-PY-003
        id: String,
    },
    /// Run detectors on their rules' own examples: every Bad has to hit, no Good may
    Test {
        /// A folder of rules instead of those in force
        dir: Option<PathBuf>,
    },
    /// Check all rules: front matter, ids, detectors, examples
    Check {
        /// A folder of rules instead of those in force
        dir: Option<PathBuf>,
    },
    /// Make drafts of rules out of documents (RFCs, guidelines, post-mortems), for people to review
    Distill(DistillArgs),
    /// Write the rules in force as an agent skill: SKILL.md, index pages, a page for each rule
    Skill {
        /// The folder to write; an existing one only if this command wrote it
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// `config …`
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Folder of the repository
    #[arg(long, value_name = "DIR", default_value = ".", global = true)]
    pub repo: PathBuf,
    /// One more configuration file, with an operator's rights
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Every key with its value and the layer that it came from
    Show,
    /// Check a configuration file
    Validate {
        /// The file [default: .tribune.yaml of the work tree]
        file: Option<PathBuf>,
        /// Check it as an operator's file
        #[arg(long)]
        operator: bool,
    },
    /// The JSON schema of .tribune.yaml
    Schema {
        /// The schema of the JSON report instead
        #[arg(long)]
        report: bool,
        /// The schema of an audit's JSON report instead
        #[arg(long, conflicts_with = "report")]
        audit: bool,
    },
}

/// A tier by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TierArg {
    Trivial,
    Lite,
    Full,
}

/// A gate's threshold by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum FailOn {
    Critical,
    Important,
    Suggestion,
    Nit,
    Never,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ColorArg {
    Auto,
    Always,
    Never,
}

fn parse_report(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("write FORMAT=FILE, for example sarif=out.sarif")?;
    if file.is_empty() {
        return Err("the file's name is missing".into());
    }
    Ok((Format::from_str(format, true)?, PathBuf::from(file)))
}
