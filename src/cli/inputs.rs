//! From arguments, environment and files to what the engine needs.

use super::args::{FailOn, PublishArgs, ScopeArgs, SourceArgs, TierArg};
use crate::change::{PolicyArg, Source, SourceRequest};
use crate::config::{self, Flags, Layer, Resolved, remote};
use crate::date::Date;
use crate::error::UserError;
use crate::findings::Severity;
use crate::forge;
use crate::pipeline::Inputs;
use crate::risk::Tier;
use crate::run::Scope;
use std::io::Read;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// What day it is: `SOURCE_DATE_EPOCH` where a reproducible run is wanted, else the clock's.
pub(super) fn today() -> Date {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    Date::of_unix(env("SOURCE_DATE_EPOCH").and_then(|s| s.trim().parse().ok()).unwrap_or_else(now))
}

/// A patch from a file or standard input larger than this is refused.
const MAX_PATCH_BYTES: u64 = 256 << 20;

/// The process's environment.
pub(super) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether this runs in a CI job.
pub(super) fn in_ci() -> bool {
    env("CI").is_some_and(|v| !v.is_empty() && v != "false" && v != "0")
}

/// The operator's file: the one that --config names, and the one at its default place below it.
pub(super) fn operator_layers(repo: &Path, named: Option<&Path>) -> Result<Vec<Layer>, UserError> {
    let mut layers = Vec::new();
    if let Some(file) = config::default_operator_file(&env) {
        config::operator_file_allowed(&file, Some(repo), in_ci())?;
        layers.extend(config::read_operator_file(&file, false)?);
    }
    if let Some(file) = named {
        config::operator_file_allowed(file, Some(repo), in_ci())?;
        layers.extend(config::read_operator_file(file, true)?);
    }
    Ok(layers)
}

/// Fetches the organisation's configuration, where there is one, and adds its layer.
pub(super) fn organisation(layers: &mut Vec<Layer>, repo: &Path) -> Result<Option<(remote::Source, remote::State)>, UserError> {
    let Some(source) = remote::Source::find(layers, &env, repo, in_ci())? else { return Ok(None) };
    let fetched = source.fetch();
    layers.push(fetched.layer);
    Ok(Some((source, fetched.state)))
}

/// All layers of a run in `repo` but the repository's own: the operator's files, the environment, the flags, the organisation's.
pub(super) fn layers(repo: &Path, named: Option<&Path>, flags: &Flags) -> Result<Vec<Layer>, UserError> {
    let mut layers = operator_layers(repo, named)?;
    layers.push(Layer::environment(&env)?);
    layers.push(Layer::flags(flags)?);
    organisation(&mut layers, repo)?;
    Ok(layers)
}

/// What a run says and ends with where the organisation has it switched off here.
pub(super) fn switched_off(inputs: &Inputs) -> Result<Option<String>, UserError> {
    let rollout = config::resolve(inputs.layers.clone(), &env)?.rollout(&inputs.place);
    let off = || rollout.text.clone().unwrap_or_else(|| "tribune is switched off here (rollout).".to_owned());
    Ok(rollout.is_off().then(off))
}

/// Everything that a review or a plan starts from.
pub(super) fn inputs(source: &SourceArgs, scope: &ScopeArgs, plan: bool) -> Result<Inputs, UserError> {
    let from = match (&source.base, &source.diff) {
        (Some(base), _) => Source::Range { base: base.clone(), head: source.head.clone() },
        (_, Some(file)) => Source::Patch(read_patch(file)?),
        _ if source.staged => Source::Staged,
        _ => Source::WorkTree,
    };
    let flags = Flags { fail_on: scope.fail_on.map(threshold), timeout: scope.timeout, ..scope.caps.flags() };
    Ok(Inputs {
        source: SourceRequest { dir: source.repo.clone(), source: from, policy: source.policy.as_deref().map(policy) },
        layers: layers(&source.repo, source.config.as_deref(), &flags)?,
        place: forge::here(&env),
        scope: Scope { offline: scope.offline, only: scope.only.clone(), tier: scope.tier.map(tier), record: None },
        today: today(),
        past: None,
        plan,
    })
}

/// What posting goes by: the organisation's and the operator's word, without a repository's. What that says of posting stands in
/// the report.
pub(super) fn publishing(args: &PublishArgs) -> Result<Resolved, UserError> {
    let flags = Flags { fail_on: args.fail_on.map(threshold), ..Flags::default() };
    config::resolve(layers(Path::new("."), args.config.as_deref(), &flags)?, &env)
}

/// The value of `--policy`.
pub(super) fn policy(named: &str) -> PolicyArg {
    if named == "worktree" { PolicyArg::WorkTree } else { PolicyArg::Rev(named.to_owned()) }
}

fn read_patch(file: &Path) -> Result<Vec<u8>, UserError> {
    let unreadable = |e: std::io::Error| {
        UserError::unreadable(
            format!("the patch {} cannot be read", file.display()),
            e.to_string(),
            "Name a file that git diff wrote, or `-` for standard input.",
        )
    };
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().lock().take(MAX_PATCH_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        std::fs::File::open(file).map_err(unreadable)?.take(MAX_PATCH_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(UserError::unreadable(
            format!("the patch {} cannot be read", file.display()),
            "it is UTF-16, which `>` of Windows PowerShell makes of what git writes",
            "Let git write the file: `git diff --output=FILE`.",
        ));
    }
    if bytes.len() as u64 > MAX_PATCH_BYTES {
        return Err(UserError::unreadable(
            "the patch is too large",
            format!("it has more than {MAX_PATCH_BYTES} bytes"),
            "Review it in its repository (--base, --head), or in parts.",
        ));
    }
    Ok(bytes)
}

pub(super) fn threshold(arg: FailOn) -> Option<Severity> {
    match arg {
        FailOn::Critical => Some(Severity::Critical),
        FailOn::Important => Some(Severity::Important),
        FailOn::Suggestion => Some(Severity::Suggestion),
        FailOn::Nit => Some(Severity::Nit),
        FailOn::Never => None,
    }
}

fn tier(arg: TierArg) -> Tier {
    match arg {
        TierArg::Trivial => Tier::Trivial,
        TierArg::Lite => Tier::Lite,
        TierArg::Full => Tier::Full,
    }
}
