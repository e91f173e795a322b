//! From layers to the one configuration that a run goes by.

use super::endpoint::EndpointSettings;
use super::layer::Rank;
use super::locks;
use super::problem::nearest;
use super::raw::Raw;
use super::rollout::{Place, Rollout};
use super::settings::{Origin, Setting, Settings, document, dotted, overlay};
use super::{Config, Env, Layer};
use crate::error::UserError;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The configuration and where each of its values came from.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// What a run goes by.
    pub config: Config,
    /// By key (`limits.usd`): who had the last word.
    pub origins: BTreeMap<String, Origin>,
    /// What the report should say of the layers.
    pub notes: Vec<String>,
    /// The organisation's configuration could not be had: no model may be asked, see [`super::remote`].
    pub remote_missing: bool,
    pub(crate) settings: Settings,
    /// Endpoints whose token is there.
    pub(crate) with_token: BTreeSet<String>,
}

/// Combines layers, the built-in one below them: the organisation's remote one, the repository's, then the others in the
/// given order; later ones win, except that what is locked can only be tightened. `env` is asked only whether tokens are
/// there. Fails (exit 2) when all layers together ask for something that cannot be, and where the operator's own layers
/// loosen what is locked.
pub fn resolve(mut layers: Vec<Layer>, env: Env<'_>) -> Result<Resolved, UserError> {
    let mut settings = Layer::built_in().settings;
    let all_private = layers.iter().any(|layer| layer.all_private);
    let remote_missing = layers.iter().any(|layer| layer.missing);
    let mut notes = Vec::new();
    layers.sort_by_key(|layer| layer.rank);
    for mut layer in layers {
        let loosening = locks::hold(&settings, &mut layer.settings);
        match layer.rank {
            Rank::Repository => notes.extend(loosening.iter().map(locks::Loosening::note)),
            _ if loosening.is_empty() => {}
            _ => return Err(locks::refused(&loosening)),
        }
        notes.append(&mut layer.notes);
        overlay(&mut settings, layer.settings);
    }
    let raw: Raw = serde_json::from_value(document(&settings)).map_err(|error| impossible(&error.to_string()))?;
    let config = raw.config(all_private, super::waiver::waivers(&settings)?)?;
    let config = config.choose(&settings, &mut notes);
    let there = |e: &EndpointSettings| match (&e.token_env, &e.token_file) {
        (Some(name), _) => super::environment::variable(env, name).is_some(),
        (None, Some(file)) => file.exists(),
        (None, None) => e.token_command.is_some(),
    };
    let with_token = config.endpoints.iter().filter(|(_, e)| there(e)).map(|(name, _)| name.clone()).collect();
    let origins = settings.iter().map(|(path, setting)| (dotted(path), setting.origin().clone())).collect();
    Ok(Resolved { config, origins, notes, remote_missing, settings, with_token })
}

impl Resolved {
    /// SHA-256 (hex) over all values: the same for the same configuration, whatever layers it came from.
    /// Values of headers are left out, tokens were never in.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (path, setting) in &self.settings {
            let mut value = setting.value();
            if path.first().is_some_and(|name| name == "endpoints")
                && let Some(headers) = value.get_mut("headers").and_then(|h| h.as_object_mut())
            {
                headers.values_mut().for_each(|v| *v = serde_json::Value::Null);
            }
            hash.update(serde_json::to_string(path).expect("text is JSON"));
            hash.update("=");
            hash.update(canonical(&value));
            hash.update("\n");
        }
        hash.update(format!("all_private={}", self.config.all_private));
        let mut hex = String::new();
        for byte in hash.finalize() {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }

    /// How far tribune is in use at a place; [`Rollout::UNKNOWN`] where the organisation's configuration is missing.
    pub fn rollout(&self, place: &Place) -> Rollout {
        if self.remote_missing { Rollout::UNKNOWN } else { self.config.rollout(place) }
    }

    /// Whether the organisation has locked this key, or one above it.
    pub fn is_locked(&self, key: &str) -> bool {
        self.locked().iter().any(|lock| key.strip_prefix(lock.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    }

    /// The keys that the organisation has locked.
    pub fn locked(&self) -> Vec<String> {
        let value = self.settings.get(["locked".to_owned()].as_slice()).map(Setting::value);
        value.and_then(|v| serde_json::from_value(v).ok()).unwrap_or_default()
    }

    /// The rules that settings name, with the keys that do, by key and id: `("rules.off", "SEC-PY-003")`.
    pub fn named_rules(&self) -> BTreeSet<(&'static str, &str)> {
        let all = self.config.overrides.iter().map(|o| &o.rules).chain([&self.config.rules]);
        let mut named = BTreeSet::new();
        for rules in all {
            named.extend(rules.off.iter().map(|id| ("rules.off", id.as_str())));
            named.extend(rules.status.keys().map(|id| ("rules.status", id.as_str())));
            named.extend(rules.severity.keys().map(|id| ("rules.severity", id.as_str())));
        }
        named.extend(self.config.waivers.iter().map(|w| ("waivers", w.rule.as_str())));
        named
    }

    /// A note for each reviewer that is configured but is none of `known`.
    pub fn unknown_reviewers(&self, known: &[&str]) -> Vec<String> {
        let overridden = self.config.overrides.iter().flat_map(|o| o.reviewers.keys());
        let ids: BTreeSet<&String> = self.config.reviewers.keys().chain(overridden).collect();
        let note = |id: &String| {
            let near = nearest(id, known.iter().copied()).map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
            format!("The configuration names a reviewer `{id}` that does not exist.{near}")
        };
        // The judge can be given a model, and nothing else.
        let judge = |id: &str| id == "coordinator" && self.config.reviewers.get(id).is_some_and(|own| own.enabled.is_none() && own.tiers.is_none());
        ids.into_iter().filter(|id| !known.contains(&id.as_str()) && !judge(id)).map(note).collect()
    }
}

/// JSON with sorted keys.
fn canonical(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(fields) => {
            let sorted: BTreeMap<&String, String> = fields.iter().map(|(name, value)| (name, canonical(value))).collect();
            let fields: Vec<String> = sorted.into_iter().map(|(name, value)| format!("{}:{value}", serde_json::Value::from(name.as_str()))).collect();
            format!("{{{}}}", fields.join(","))
        }
        serde_json::Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        scalar => scalar.to_string(),
    }
}

pub(super) fn impossible(why: &str) -> UserError {
    UserError::usage("the configuration cannot be used", why, "`tribune config show` tells which layer each value came from.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;
    use crate::findings::Severity;
    use crate::path::RepoPath;
    use std::path::Path;
    use std::time::Duration;

    fn none(_: &str) -> Option<String> {
        None
    }

    fn repository(text: &str) -> Layer {
        let (layer, problems) = Layer::repository(text);
        assert_eq!(problems, []);
        layer
    }

    fn operator(text: &str) -> Layer {
        let (layer, problems) = Layer::operator(text, Path::new("/etc/config.yaml"));
        assert_eq!(problems, []);
        layer
    }

    #[test]
    fn the_defaults_are_whole_and_as_documented() {
        let Resolved { config, .. } = resolve(Vec::new(), &none).expect("the built-in layer");
        assert_eq!((config.fail_on, config.min_confidence, config.language.as_str()), (Some(Severity::Critical), 0.5, "English"));
        let limits = Limits {
            idle: Duration::from_secs(60),
            first_byte: Duration::from_secs(120),
            reviewer: Duration::from_secs(300),
            run: Duration::from_secs(1500),
            tokens: 2_000_000,
            usd: 2.0,
            usd_per_change: 6.0,
            parallel: 8,
            context_tokens: None,
            bundle_tokens: 40_000,
        };
        assert_eq!(config.limits, limits);
        assert!(!config.is_private(&RepoPath::from("src/main.rs")));
    }

    #[test]
    fn later_layers_win_and_lists_of_paths_add_up() {
        let layers = vec![
            repository(
                "fail_on: important\nprivate_paths: [hr/]\nlanguage: German\nreviewers: {docs: {enabled: false}, quality: {tiers: [full]}}\nrules: {severity: {A1-B: nit}}",
            ),
            operator(
                "fail_on: nit\nprivate_paths: [keys/]\nreviewers: {docs: {enabled: true}}\nrules: {severity: {A1-C: nit}}\nendpoints: {default: {url: 'https://a', token_env: TRIBUNE_A}}",
            ),
            operator("endpoints: {default: {url: 'https://b'}}"),
            Layer::flags(&super::super::Flags { fail_on: Some(None), max_cost: Some(0.5), ..Default::default() }).expect("flags"),
        ];
        let Resolved { config, origins, .. } = resolve(layers, &none).expect("valid");
        assert_eq!((config.fail_on, config.limits.usd, config.language.as_str()), (None, 0.5, "German"));
        assert!(["hr/a", "x/keys/a", "HR/b"].iter().all(|p| config.is_private(&RepoPath::from(*p))));
        assert_eq!((config.reviewers["docs"].enabled, &config.reviewers["quality"].tiers), (Some(true), &Some(vec![crate::risk::Tier::Full])));
        assert_eq!(config.rules.severity.len(), 2);
        // A token goes to the URL that it was named with, or nowhere.
        assert_eq!((config.endpoints["default"].url.as_str(), &config.endpoints["default"].token_env), ("https://b", &None));
        assert_eq!(origins["fail_on"].to_string(), "--fail-on");
        assert_eq!(origins["language"].to_string(), ".tribune.yaml:3");
        assert_eq!(origins["limits.tokens"], Origin::BuiltIn);
    }

    #[test]
    fn overrides_hold_for_their_paths() {
        let text = "min_confidence: 0.6\nrules: {off: [A1-A]}\noverrides:\n- paths: [legacy/]\n  min_confidence: 0.9\n  fail_on: never\n  rules: {off: [A1-B], status: {A1-C: trial}}\n  reviewers: {docs: {enabled: false}}\n- paths: [legacy/core/**]\n  fail_on: important\n  reviewers: {docs: {enabled: true}}\n";
        let Resolved { config, .. } = resolve(vec![repository(text)], &none).expect("valid");
        let told = |path: &str| {
            let path = RepoPath::from(path);
            let view = config.at(&path);
            let off: Vec<_> = ["A1-A", "A1-B"].into_iter().filter(|id| view.rule_off(id)).collect();
            format!(
                "{:?} {} off={off:?} {:?} docs={}",
                view.fail_on(),
                view.min_confidence(),
                view.rule_status("A1-C"),
                view.reviewer_enabled("docs")
            )
        };
        assert_eq!(told("src/a"), "Some(Critical) 0.6 off=[\"A1-A\"] None docs=true");
        assert_eq!(told("legacy/a"), "None 0.9 off=[\"A1-A\", \"A1-B\"] Some(Trial) docs=false");
        assert_eq!(told("legacy/core/a"), "Some(Important) 0.9 off=[\"A1-A\", \"A1-B\"] Some(Trial) docs=true");
    }

    #[test]
    fn a_broken_key_leaves_the_rest_in_force() {
        let (layer, problems) =
            Layer::repository("fail_on: critcal\nlanguage: German\noverrides: [{paths: [a], min_confidence: 7, fail_on: never}, {paths: 7}]\n");
        assert_eq!(problems.len(), 3, "{problems:?}");
        let Resolved { config, .. } = resolve(vec![layer], &none).expect("valid");
        assert_eq!((config.fail_on, config.language.as_str()), (Some(Severity::Critical), "German"));
        assert_eq!((config.at(&RepoPath::from("a")).fail_on(), config.at(&RepoPath::from("a")).min_confidence()), (None, 0.5));
    }

    #[test]
    fn the_digest_is_of_values_not_of_layers_or_secrets() {
        let digest = |layers| resolve(layers, &none).expect("valid").digest();
        let endpoint = |header: &str| operator(&format!("endpoints: {{a: {{url: 'https://h', headers: {{X-A: {header}}}}}}}"));
        assert_eq!(digest(vec![repository("fail_on: nit")]), digest(vec![operator("fail_on: nit")]));
        assert_eq!(digest(vec![endpoint("one")]), digest(vec![endpoint("two")]));
        assert_ne!(digest(vec![repository("fail_on: nit")]), digest(Vec::new()));
        assert_ne!(digest(vec![repository("private_paths: [a, b]")]), digest(vec![repository("private_paths: [a]")]));
        assert_ne!(digest(vec![Layer::repository("x: [").0]), digest(Vec::new()));
        assert_eq!(digest(Vec::new()).len(), 64);
    }

    #[test]
    fn reviewers_that_do_not_exist_are_told() {
        let resolved = resolve(
            vec![repository("reviewers: {securty: {enabled: false}, docs: {}}\noverrides: [{paths: [a], reviewers: {zzz: {enabled: false}}}]")],
            &none,
        )
        .expect("valid");
        let notes = resolved.unknown_reviewers(&["security", "docs"]);
        assert_eq!(
            notes,
            [
                "The configuration names a reviewer `securty` that does not exist. Did you mean `security`?",
                "The configuration names a reviewer `zzz` that does not exist."
            ]
        );
    }

    proptest::proptest! {
        /// Whatever a repository writes, it does not lock itself out.
        #[test]
        fn no_repository_file_ends_the_run(picks in proptest::collection::vec((0_usize..40, 0_usize..20), 0..12)) {
            const KEYS: [&str; 16] = ["fail_on", "min_confidence", "language", "private_paths", "reviewers", "rules", "tiers", "noise", "overrides", "limits", "models", "endpoints", "post", "oops", "\"\"", "7"];
            const VALUES: [&str; 20] = [
                "never", "critical", "0.5", "-1", "1e999", ".nan", "99999999999999999999999", "true", "~", "[]", "{}", "[a, 'b[', \"\"]", "[**]", "{docs: {enabled: false, tiers: [lite, x]}}",
                "{off: [A1-B], status: {A1-B: trial}, severity: 3}", "{trivial_lines: 900000, lite_lines: 0, sensitive_paths: ['*{a,b}*']}", "{paths: ['gen/**'], keep: x}",
                "[{paths: [a], fail_on: never, rules: {off: [x]}}, {paths: []}, 3]", "{a: {url: 'https://h'}}", "[[[[{}]]]]",
            ];
            let text: String = picks.iter().map(|(key, value)| format!("{}: {}\n", KEYS[key % KEYS.len()], VALUES[*value])).collect();
            let (layer, _) = Layer::repository(&text);
            let resolved = resolve(vec![layer], &none).expect("a repository's file never ends the run");
            proptest::prop_assert!(resolved.config.endpoints.is_empty() && resolved.config.models.is_empty() && resolved.config.limits.usd == 2.0);
            proptest::prop_assert!(super::super::yaml::parse(&super::super::show(&resolved)).is_ok());
        }
    }
}
