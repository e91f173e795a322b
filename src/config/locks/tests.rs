//! Each kind of key: what a later layer may do to a locked one, and what it may not.

use super::super::layer::Layer;
use super::super::settings::{Settings, document, overlay};
use super::*;
use std::path::Path;

/// What holds after the organisation's document locks `lock`, and a repository's file, or an operator's, comes later: the
/// value at the lock, and what was taken out.
fn laid(organisation: &str, later: Layer) -> (Settings, Vec<String>) {
    let (remote, problems) = Layer::remote(organisation);
    assert!(problems.is_empty(), "{problems:?}");
    let mut now = Layer::built_in().settings;
    overlay(&mut now, remote.settings);
    let mut settings = later.settings;
    let taken = hold(&now, &mut settings).into_iter().map(|taken| taken.key).collect();
    overlay(&mut now, settings);
    (now, taken)
}

fn repository(text: &str) -> Layer {
    let (layer, problems) = Layer::repository(text);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    layer
}

fn operator(text: &str) -> Layer {
    let (layer, problems) = Layer::operator(text, Path::new("/etc/tribune.yaml"));
    assert!(problems.is_empty(), "{text}: {problems:?}");
    layer
}

/// Whether a later layer's setting counts.
fn counts(organisation: &str, later: Layer) -> bool {
    laid(organisation, later).1.is_empty()
}

#[test]
fn only_what_is_stricter_counts() {
    // The organisation's document, what loosens it, what tightens or repeats it.
    for (organisation, loose, strict) in [
        (
            "fail_on: important\nlocked: [fail_on]",
            &["fail_on: critical", "fail_on: never"][..],
            &["fail_on: important", "fail_on: suggestion", "fail_on: nit"][..],
        ),
        ("locked: [fail_on]", &["fail_on: never"], &["fail_on: critical", "fail_on: nit"]),
        (
            "min_confidence: 0.4\nlocked: [min_confidence]",
            &["min_confidence: 0.5", "min_confidence: 1"],
            &["min_confidence: 0.4", "min_confidence: 0"],
        ),
        (
            "tiers: {trivial_lines: 5}\nlocked: [tiers]",
            &["tiers: {trivial_lines: 6}", "tiers: {full_files: 51}"],
            &["tiers: {trivial_lines: 5}", "tiers: {lite_files: 0}"],
        ),
        ("post: {inline_max: 5}\nlocked: [post.inline_max]", &["post: {inline_max: 6}"], &["post: {inline_max: 5}", "post: {inline_max: 0}"]),
        (
            "rules: {severity: {AB-1: important}}\nlocked: [rules.severity]",
            &["rules: {severity: {AB-1: nit}}"],
            &["rules: {severity: {AB-1: important}}", "rules: {severity: {AB-1: critical}}"],
        ),
        (
            "rules: {status: {AB-1: advisory}}\nlocked: [rules.status.AB-1]",
            &["rules: {status: {AB-1: trial}}"],
            &["rules: {status: {AB-1: advisory}}", "rules: {status: {AB-1: enforced}}"],
        ),
        // Nobody knows here what a rule's own file says, so only the strictest is sure to be no loosening.
        (
            "locked: [rules]",
            &["rules: {severity: {AB-1: important}}", "rules: {status: {AB-1: advisory}}", "rules: {off: [AB-1]}"],
            &["rules: {severity: {AB-1: critical}}", "rules: {status: {AB-1: enforced}}"],
        ),
        (
            "reviewers: {security: {enabled: true}}\nlocked: [reviewers.security]",
            &["reviewers: {security: {enabled: false}}", "reviewers: {security: {tiers: [full]}}"],
            &["reviewers: {security: {enabled: true}}", "reviewers: {docs: {enabled: false}}"],
        ),
        (
            "locked: [reviewers]",
            &["reviewers: {security: {enabled: false}}", "reviewers: {docs: {tiers: []}}"],
            &["reviewers: {security: {enabled: true}}"],
        ),
        // Lists of what is protected grow, lists of what is excused do not.
        ("locked: [private_paths]", &[], &["private_paths: [hr/]"]),
        ("locked: [tiers.sensitive_paths]", &[], &["tiers: {sensitive_paths: [keys/]}"]),
        ("locked: [noise]", &["noise: {paths: ['gen/**']}"], &["noise: {keep: ['gen/**']}"]),
        ("locked: [waivers]", &["waivers: [{rule: AB-1, paths: [a], until: '2027-01-31', reason: later}]"], &[]),
        ("locked: [overrides]", &["overrides: [{paths: [a], fail_on: nit}]"], &[]),
        // Everything else can only be repeated.
        ("language: German\nlocked: [language]", &["language: French"], &["language: German"]),
        ("summary: always\nlocked: [summary]", &["summary: findings"], &["summary: always"]),
    ] {
        for text in loose {
            assert!(!counts(organisation, repository(text)), "{organisation:?}, then {text:?} counts");
            assert!(!counts(organisation, operator(text)), "{organisation:?}, then the operator's {text:?} counts");
        }
        for text in strict {
            assert!(counts(organisation, repository(text)), "{organisation:?}, then {text:?} does not count");
        }
    }
}

#[test]
fn what_only_operators_set_is_held_too() {
    for (organisation, loose, strict) in [
        ("limits: {usd: 1}\nlocked: [limits.usd]", &["limits: {usd: 1.5}"][..], &["limits: {usd: 1}", "limits: {usd: 0.2, tokens: 9000000}"][..]),
        (
            "locked: [limits]",
            &["limits: {usd: 2.5}", "limits: {run_seconds: 1501}", "limits: {parallel: 9}"],
            &["limits: {usd: 2}", "limits: {tokens: 5}"],
        ),
        // A bound that stands nowhere: whatever is set may be more than what is meant.
        ("locked: [limits.context_tokens]", &["limits: {context_tokens: 0}"], &[]),
        (
            "models: {top: [{model: a}]}\nlocked: [models]",
            &["models: {top: [{model: b}]}", "models: {light: [{model: a}]}"],
            &["models: {top: [{model: a}]}"],
        ),
        (
            "prices: {a: {input: 1, output: 2}}\nlocked: [prices]",
            &["prices: {a: {input: 0, output: 0}}", "prices: {b: {input: 0, output: 0}}"],
            &["prices: {a: {input: 1, output: 2}}"],
        ),
        ("locked: [endpoints_off]", &[], &["endpoints_off: [a]"]),
        ("locked: [rule_sources]", &[], &["rule_sources: [/codex]"]),
        ("rollout: {mode: gate}\nlocked: [rollout]", &["rollout: {mode: off}", "rollout: {text: x}"], &["rollout: {mode: gate}"]),
        ("post: {approve: false}\nlocked: [post]", &["post: {approve: true}"], &["post: {approve: false}"]),
        (
            "override: {roles: [maintainer]}\nlocked: [override]",
            &["override: {roles: [developer]}", "override: {roles: [maintainer, developer]}"],
            &["override: {roles: [maintainer]}"],
        ),
        ("prompts: {security.md: x}\nlocked: [prompts]", &["prompts: {security.md: y}"], &[]),
    ] {
        for text in loose {
            assert!(!counts(organisation, operator(text)), "{organisation:?}, then {text:?} counts");
        }
        for text in strict {
            assert!(counts(organisation, operator(text)), "{organisation:?}, then {text:?} does not count");
        }
    }
}

#[test]
fn a_refused_setting_leaves_the_locked_one_and_all_others() {
    let (now, taken) = laid(
        "fail_on: important\nlimits: {usd: 1}\nlocked: [fail_on, limits]",
        operator("fail_on: never\nlimits: {usd: 5, tokens: 7}\nlanguage: German"),
    );
    let value = document(&now);
    assert_eq!(taken, ["fail_on", "limits.usd"]);
    assert_eq!(
        (&value["fail_on"], &value["limits"]["usd"], &value["limits"]["tokens"], &value["language"]),
        (&"important".into(), &serde_json::json!(1.0), &7.into(), &"German".into())
    );
}

#[test]
fn overrides_by_path_are_no_way_around() {
    let (now, taken) = laid(
        "locked: [fail_on, rules, reviewers.security, min_confidence]",
        repository(
            "overrides:\n- paths: [a]\n  fail_on: never\n  min_confidence: 0.9\n  rules: {off: [AB-1], status: {AB-1: trial, AB-2: enforced}}\n  reviewers: {security: {enabled: false}, docs: {enabled: false}}\n- paths: [b]\n  fail_on: nit\n  min_confidence: 0.1\n",
        ),
    );
    assert_eq!(taken, ["fail_on", "min_confidence", "reviewers.security.enabled", "rules.off", "rules.status.AB-1"]);
    insta::assert_snapshot!(document(&now)["overrides"], @r#"[{"paths":["a"],"reviewers":{"docs":{"enabled":false},"security":{}},"rules":{"status":{"AB-2":"enforced"}}},{"fail_on":"nit","min_confidence":0.1,"paths":["b"]}]"#);
}

#[test]
fn names_lock_whole_keys_and_nothing_beside_them() {
    let (_, taken) = laid("locked: [limits.usd]", operator("limits: {usd: 9, tokens: 5000000}"));
    assert_eq!(taken, ["limits.usd"]);
    let (_, taken) = laid("locked: [tiers]", repository("tiers: {trivial_lines: 99, lite_lines: 100}\nmin_confidence: 0.9"));
    assert_eq!(taken, ["tiers.trivial_lines"]);
    // A later lock does not unlock.
    let (remote, _) = Layer::remote("locked: [fail_on]");
    assert_eq!(remote.settings.keys().map(|key| dotted(key)).collect::<Vec<_>>(), ["locked"]);
    let (_, problems) = Layer::repository("locked: []");
    assert_eq!(problems.len(), 1, "only the organisation locks");
}

#[test]
fn what_can_be_locked() {
    for key in [
        "fail_on",
        "limits",
        "limits.usd",
        "reviewers.security",
        "reviewers.security.enabled",
        "rules.severity.AB-1",
        "tiers.sensitive_paths",
        "post.approve",
        "overrides",
    ] {
        assert_eq!(lockable(key), Ok(()), "{key}");
    }
    for key in ["", "fail_onn", "limits.", "limits.usd.x", "endpoints", "endpoints.a.url", "remote", "locked", "rules.severity.not an id"] {
        assert!(lockable(key).is_err(), "{key}");
    }
}

#[test]
fn who_is_told_what() {
    let (remote, _) = Layer::remote("locked: [fail_on]");
    let mut now = Layer::built_in().settings;
    overlay(&mut now, remote.settings);
    let mut later = operator("\nfail_on: never").settings;
    let taken = hold(&now, &mut later);
    insta::assert_snapshot!(taken[0].note(), @"`fail_on` (/etc/tribune.yaml:2) does not count: the organisation has locked it, and it can only be tightened.");
    let error = refused(&taken);
    insta::assert_snapshot!(format!("{error:?}"), @r#"UserError { title: "a locked setting cannot be loosened", cause: "the organisation's configuration locks `fail_on` from /etc/tribune.yaml:2", fix: "Take it out, or set it stricter; `tribune config show` tells which layer each value came from.", exit: Usage }"#);
}
