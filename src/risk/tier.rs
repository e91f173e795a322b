//! How much review a change gets, and why (DESIGN 1.5): by its size, by what it touches, or because
//! somebody asked. It counts only what the noise filter left.

use super::Tier;
use super::kinds::{is_lock, is_manifest, is_policy, paths};
use crate::config::Config;
use crate::diff::FileDiff;

/// How many paths a reason names.
const NAMED: usize = 3;

/// A tier and its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierChoice {
    /// The tier.
    pub tier: Tier,
    /// Why, one line each, the deciding ones first.
    pub reasons: Vec<String>,
    /// No model needs to look: a bot changed dependency manifests and lock files alone.
    pub rules_only: bool,
}

/// Chooses the tier. `files` is the whole change in the diff's order; `filtered` says which of them are
/// noise; `forced` is what somebody asked for by hand; `bot` whether the author is known to be a bot.
pub fn choose_tier(files: &[FileDiff], filtered: &dyn Fn(&FileDiff) -> bool, config: &Config, forced: Option<Tier>, bot: bool) -> TierChoice {
    let left: Vec<&FileDiff> = files.iter().filter(|f| !filtered(f)).collect();
    let (tier, mut reasons) = by_contents(&left, config);
    let dependencies = !files.is_empty() && files.iter().all(|f| paths(f).all(|p| is_manifest(p) || is_lock(p)));
    match forced {
        Some(forced) => {
            let why = if forced == tier {
                format!("{} was asked for", forced.name())
            } else {
                format!("{} was asked for; by itself the change is {}", forced.name(), tier.name())
            };
            reasons.insert(0, why);
            TierChoice { tier: forced, reasons, rules_only: false }
        }
        None if bot && dependencies => {
            reasons.insert(0, "a bot changed manifests and lock files alone: the rules look, no model".to_owned());
            TierChoice { tier: Tier::Trivial, reasons, rules_only: true }
        }
        None => TierChoice { tier, reasons, rules_only: false },
    }
}

fn by_contents(files: &[&FileDiff], config: &Config) -> (Tier, Vec<String>) {
    let limits = &config.tiers;
    let mut reasons = Vec::new();
    let policy = files.iter().filter_map(|f| paths(f).find(|p| is_policy(p)).map(|p| p.display().into_owned()));
    reasons.extend(named(policy.collect(), "tells reviewers or CI jobs what to do", "tell reviewers or CI jobs what to do"));
    let sensitive =
        files.iter().filter_map(|f| paths(f).find_map(|p| limits.sensitive_paths.matching(p).map(|glob| format!("{} (`{glob}`)", p.display()))));
    reasons.extend(named(sensitive.collect(), "is security-sensitive", "are security-sensitive"));
    if files.len() > limits.full_files {
        reasons.push(format!("{} files, more than {}", files.len(), limits.full_files));
    }
    if !reasons.is_empty() {
        return (Tier::Full, reasons);
    }
    let lines: usize = files.iter().map(|f| f.changed_lines()).sum();
    let size = format!("{} changed {} in {} {}", lines, plural(lines, "line"), files.len(), plural(files.len(), "file"));
    if files.is_empty() {
        (Tier::Trivial, vec!["all files were filtered".to_owned()])
    } else if lines <= limits.trivial_lines && files.len() <= limits.trivial_files {
        (Tier::Trivial, vec![format!("{size}; trivial is up to {} lines and {} files", limits.trivial_lines, limits.trivial_files)])
    } else if lines <= limits.lite_lines && files.len() <= limits.lite_files {
        (Tier::Lite, vec![format!("{size}; lite is up to {} lines and {} files", limits.lite_lines, limits.lite_files)])
    } else {
        (Tier::Full, vec![format!("{size}; lite is up to {} lines and {} files", limits.lite_lines, limits.lite_files)])
    }
}

/// One reason that names some paths of many.
fn named(paths: Vec<String>, is: &str, are: &str) -> Option<String> {
    let shown = paths.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match paths.len() {
        0 => None,
        1 => Some(format!("{shown} {is}")),
        n if n <= NAMED => Some(format!("{shown} {are}")),
        n => Some(format!("{shown} and {} more {are}", n - NAMED)),
    }
}

fn plural(n: usize, word: &str) -> String {
    if n == 1 { word.to_owned() } else { format!("{word}s") }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{changed, config};
    use super::*;
    use crate::path::RepoPath;

    fn told(files: &[FileDiff], yaml: &str, forced: Option<Tier>, bot: bool) -> String {
        let noise = |f: &FileDiff| f.new_path.extension() == "noise";
        let choice = choose_tier(files, &noise, &config(yaml), forced, bot);
        format!("{}{}: {}", choice.tier.name(), if choice.rules_only { " (rules only)" } else { "" }, choice.reasons.join("; "))
    }

    #[test]
    fn says_the_tier_and_why() {
        let many = |n: usize, lines| (0..n).map(|i| changed(&format!("src/f{i}.rs"), lines)).collect::<Vec<_>>();
        let mut moved = changed("src/login.rs", 1);
        moved.old_path = RepoPath::from("src/auth/login.rs");
        let table = [
            told(&many(1, 10), "", None, false),
            told(&many(1, 11), "", None, false),
            told(&many(1, 101), "", None, false),
            told(&many(21, 0), "", None, false),
            told(&many(51, 0), "", None, false),
            told(&[changed("a.noise", 5000), changed("b.rs", 1)], "", None, false),
            told(&[changed("a.noise", 5000)], "", None, false),
            told(&[moved], "", None, false),
            told(&[changed("AGENTS.md", 1), changed(".github/workflows/a.yml", 1), changed("deploy/Dockerfile", 1)], "", None, false),
            told(&(0..5).map(|i| changed(&format!("auth/f{i}"), 1)).collect::<Vec<_>>(), "", None, false),
            told(&[changed("billing/a.rs", 1)], "tiers: {sensitive_paths: [billing/]}", None, false),
            told(&many(1, 11), "tiers: {trivial_lines: 20}", None, false),
            told(&many(1, 1), "", Some(Tier::Full), false),
            told(&[changed("Cargo.toml", 200), changed("Cargo.lock", 2000)], "", None, true),
            told(&[changed("Cargo.toml", 2), changed("src/a.rs", 2)], "", None, true),
            told(&[changed("auth/a\n\u{1b}[31m.rs", 2)], "", None, false),
        ];
        insta::assert_snapshot!(table.join("\n"), @r"
        trivial: 10 changed lines in 1 file; trivial is up to 10 lines and 20 files
        lite: 11 changed lines in 1 file; lite is up to 100 lines and 20 files
        full: 101 changed lines in 1 file; lite is up to 100 lines and 20 files
        full: 0 changed lines in 21 files; lite is up to 100 lines and 20 files
        full: 51 files, more than 50
        trivial: 1 changed line in 1 file; trivial is up to 10 lines and 20 files
        trivial: all files were filtered
        full: src/auth/login.rs (`auth/`) is security-sensitive
        full: AGENTS.md, .github/workflows/a.yml tell reviewers or CI jobs what to do; deploy/Dockerfile (`Dockerfile`) is security-sensitive
        full: auth/f0 (`auth/`), auth/f1 (`auth/`), auth/f2 (`auth/`) and 2 more are security-sensitive
        full: billing/a.rs (`billing/`) is security-sensitive
        trivial: 11 changed lines in 1 file; trivial is up to 20 lines and 20 files
        full: full was asked for; by itself the change is trivial; 1 changed line in 1 file; trivial is up to 10 lines and 20 files
        trivial (rules only): a bot changed manifests and lock files alone: the rules look, no model; 2200 changed lines in 2 files; lite is up to 100 lines and 20 files
        trivial: 4 changed lines in 2 files; trivial is up to 10 lines and 20 files
        full: auth/a\n\u{1b}[31m.rs (`auth/`) is security-sensitive
        ");
    }
}
