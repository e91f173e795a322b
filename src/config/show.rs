//! The configuration in force as YAML, each value with the layer that it came from. Tokens and the values
//! of headers are never shown.

use super::keys::{Key, Kind};
use super::resolve::Resolved;
use super::settings::{KeyPath, Origin, Setting};
use super::table::KEYS;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Where the comments begin, unless a line is longer.
const COMMENTS: usize = 44;

/// All keys in the order of the documentation. Ends with a line end.
pub fn show(resolved: &Resolved) -> String {
    let mut out = Out(String::new());
    if resolved.config.all_private() {
        out.line("# `private_paths` cannot be read, so every file is private: no model is asked.", None);
    }
    table(&mut out, resolved, KEYS, &mut Vec::new());
    out.0
}

struct Out(String);

impl Out {
    fn line(&mut self, text: &str, comment: Option<&str>) {
        self.0.push_str(text);
        if let Some(comment) = comment {
            let blanks = COMMENTS.saturating_sub(text.chars().count()).max(2);
            let _ = write!(self.0, "{:blanks$}# {comment}", "");
        }
        self.0.push('\n');
    }
}

fn table(out: &mut Out, resolved: &Resolved, keys: &[Key], path: &mut KeyPath) {
    for key in keys.iter().filter(|key| key.usable()) {
        path.push(key.name.to_owned());
        entry(out, resolved, &key.kind, path);
        path.pop();
    }
}

fn entry(out: &mut Out, resolved: &Resolved, kind: &Kind, path: &mut KeyPath) {
    let indent = "  ".repeat(path.len() - 1);
    let name = path.last().map(|name| scalar(&Json::from(name.as_str()))).unwrap_or_default();
    let below: Vec<String> = {
        let mut names: Vec<String> =
            resolved.settings.keys().filter(|p| p.len() > path.len() && p.starts_with(path)).map(|p| p[path.len()].clone()).collect();
        names.dedup();
        names
    };
    match (kind, resolved.settings.get(path)) {
        (Kind::Table(keys), _) if !below.is_empty() => {
            out.line(&format!("{indent}{name}:"), None);
            table(out, resolved, keys, path);
        }
        (Kind::Map { of, .. }, _) if !below.is_empty() => {
            out.line(&format!("{indent}{name}:"), None);
            for next in below {
                path.push(next);
                entry(out, resolved, of, path);
                path.pop();
            }
        }
        (kind, Some(Setting::One(value, origin))) => one(out, resolved, path, kind, &format!("{indent}{name}:"), value, origin),
        (Kind::List { of, .. }, Some(Setting::Many(items))) if !items.is_empty() => {
            out.line(&format!("{indent}{name}:"), None);
            for (value, origin) in items {
                out.line(&format!("{indent}  - {}", flow(of, value)), Some(&origin.to_string()));
            }
        }
        (_, Some(Setting::Many(_))) => out.line(&format!("{indent}{name}: []"), Some("built-in")),
        (_, None) => out.line(&format!("{indent}# {name}:"), Some("not set")),
    }
}

fn one(out: &mut Out, resolved: &Resolved, path: &KeyPath, kind: &Kind, head: &str, value: &Json, origin: &Origin) {
    let origin = origin.to_string();
    let (Kind::Record(keys), Json::Object(fields), Some("endpoints")) = (kind, value, path.first().map(String::as_str)) else {
        out.line(&format!("{head} {}", flow(kind, value)), Some(&origin));
        return;
    };
    out.line(head, Some(&origin));
    let indent = "  ".repeat(path.len());
    for key in keys.iter() {
        match (key.name, fields.get(key.name)) {
            (_, None) => {}
            ("headers", Some(headers)) => {
                out.line(&format!("{indent}headers:"), None);
                for name in sorted(headers).into_keys() {
                    out.line(&format!("{indent}  {}: (set)", scalar(&Json::from(name))), None);
                }
            }
            // Its arguments may hold a secret.
            ("token_command", Some(words)) => out.line(&format!("{indent}token_command: [{}, …]", scalar(&words[0])), None),
            (name @ ("token_env" | "token_file"), Some(value)) => {
                let there = path.last().is_some_and(|name| resolved.with_token.contains(name));
                out.line(&format!("{indent}{name}: {}", scalar(value)), Some(if there { "(set)" } else { "(not set)" }));
            }
            (name, Some(value)) => out.line(&format!("{indent}{name}: {}", scalar(value)), None),
        }
    }
}

/// A value in YAML's flow style, keys in the order of the documentation, names in that of the alphabet.
fn flow(kind: &Kind, value: &Json) -> String {
    match (kind, value) {
        (Kind::List { of, .. }, Json::Array(items)) => format!("[{}]", items.iter().map(|item| flow(of, item)).collect::<Vec<_>>().join(", ")),
        (Kind::Record(keys) | Kind::Table(keys), Json::Object(fields)) => {
            braces(keys.iter().filter_map(|key| Some(format!("{}: {}", key.name, flow(&key.kind, fields.get(key.name)?)))).collect())
        }
        (Kind::Map { of, .. }, fields) => {
            braces(sorted(fields).into_iter().map(|(name, value)| format!("{}: {}", scalar(&Json::from(name)), flow(of, value))).collect())
        }
        (_, other) => scalar(other),
    }
}

fn braces(fields: Vec<String>) -> String {
    if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
}

fn sorted(fields: &Json) -> BTreeMap<&str, &Json> {
    fields.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value)).collect()
}

/// Plain where that is surely the same text in YAML, else in double quotes as JSON has it.
fn scalar(value: &Json) -> String {
    match value {
        Json::String(text) => {
            let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b))
                && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
            if plain { text.clone() } else { value.to_string() }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flags, Layer, resolve};
    use std::path::Path;

    #[test]
    fn tells_value_and_layer_and_no_secret() {
        let env = |name: &str| match name {
            "TRIBUNE_GATEWAY_URL" => Some("https://gateway.example.com/v1".to_owned()),
            "TRIBUNE_MODEL" => Some("openai/gpt-x".to_owned()),
            "TRIBUNE_GATEWAY_TOKEN" => Some("hunter2".to_owned()),
            _ => None,
        };
        let repository = "language: German\nprivate_paths: [hr/, \"*.pem\"]\ntiers: {sensitive_paths: [billing/]}\nreviewers:\n  docs: { enabled: false }\noverrides:\n  - paths: [legacy/**]\n    min_confidence: 0.9\n";
        let operator = "endpoints:\n  corp: { url: https://corp.example.com, preset: anthropic, token_env: TRIBUNE_CORP, headers: { X-Team: hunter2 } }\nprices:\n  gpt-4.1: { input: 2, output: 8 }\n";
        let layers = vec![
            Layer::repository(repository).0,
            Layer::operator(operator, Path::new("/etc/tribune.yaml")).0,
            Layer::environment(&env).expect("valid"),
            Layer::flags(&Flags { max_tokens: Some(1000), ..Flags::default() }).expect("valid"),
        ];
        let shown = show(&resolve(layers, &env).expect("valid"));
        assert!(!shown.contains("hunter2"));
        assert!(super::super::yaml::parse(&shown).is_ok());
        let (before, rest) = shown.split_once("  sensitive_paths:\n").expect("the list");
        let after = rest.split_once("    - billing/").expect("the added glob").1;
        insta::assert_snapshot!(format!("{before}  …\n    - billing/{after}"), @r#"
        fail_on: critical                           # built-in
        min_confidence: 0.5                         # built-in
        language: German                            # .tribune.yaml:1
        private_paths:
          - hr/                                     # .tribune.yaml:2
          - "*.pem"                                 # .tribune.yaml:2
        reviewers:
          docs:
            enabled: false                          # .tribune.yaml:5
            # tiers:                                # not set
            # model:                                # not set
        rules:
          "off": []                                 # built-in
          # status:                                 # not set
          # severity:                               # not set
        waivers: []                                 # built-in
        tiers:
          trivial_lines: 10                         # built-in
          trivial_files: 20                         # built-in
          lite_lines: 100                           # built-in
          lite_files: 20                            # built-in
          full_files: 50                            # built-in
          …
            - billing/                              # .tribune.yaml:3
        noise:
          paths: []                                 # built-in
          keep: []                                  # built-in
        overrides:
          - { paths: ["legacy/**"], min_confidence: 0.9 }  # .tribune.yaml:7
        models:
          top: [{ model: openai/gpt-x, endpoint: default }]  # TRIBUNE_MODEL
          standard: [{ model: openai/gpt-x, endpoint: default }]  # TRIBUNE_MODEL
          light: [{ model: openai/gpt-x, endpoint: default }]  # TRIBUNE_MODEL
        endpoints:
          corp:                                     # /etc/tribune.yaml:2
            url: "https://corp.example.com"
            preset: anthropic
            token_env: TRIBUNE_CORP                 # (not set)
            headers:
              X-Team: (set)
          default:                                  # TRIBUNE_GATEWAY_URL
            url: "https://gateway.example.com/v1"
            token_env: TRIBUNE_GATEWAY_TOKEN        # (set)
        endpoints_off: []                           # built-in
        prices:
          gpt-4.1: { input: 2.0, output: 8.0 }      # /etc/tribune.yaml:4
        limits:
          idle_seconds: 60                          # built-in
          first_byte_seconds: 120                   # built-in
          reviewer_seconds: 300                     # built-in
          run_seconds: 1500                         # built-in
          tokens: 1000                              # --max-tokens
          usd: 2.0                                  # built-in
          usd_per_change: 6.0                       # built-in
          parallel: 8                               # built-in
          # context_tokens:                         # not set
          bundle_tokens: 40000                      # built-in
        rule_sources: []                            # built-in
        # prompts:                                  # not set
        rollout:
          mode: gate                                # built-in
          # text:                                   # not set
          overrides: []                             # built-in
        locked: []                                  # built-in
        # remote:                                   # not set
        override:
          roles: [maintainer]                       # built-in
        post:
          inline_max: 10                            # built-in
          approve: false                            # built-in
          unapprove: false                          # built-in
          request_changes: false                    # built-in
        summary: findings                           # built-in
        "#);
    }
}
