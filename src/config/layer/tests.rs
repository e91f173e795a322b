//! What is told of layers that are wrong, and what stays in force.

use super::*;

fn problems(text: &str) -> String {
    validate(text).iter().map(|p| p.render(".tribune.yaml")).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn tells_all_problems_with_place_and_way_out() {
    let text = r#"fail-on: critical
min_confidence: 1.5
language: 7
limits: { usd: 100 }
summary: rarely
reviewers:
  security: { enabled: "yes", tires: [full] }
  Quality: { enabled: false }
tiers:
  trivial_lines: -1
  sensitive_paths: "src/**"
noise:
  paths: [ok/**, "", "a[", !!str 7]
rules:
  off: [sec-1]
  severity: { SEC-PY-001: hihg }
overrides:
  - min_confidence: .nan
    paths: [docs/]
  - fail_on: never
  - paths: [x]
    language: German
sensitive_paths: [x]
"#;
    insta::assert_snapshot!(problems(text), @r#"
    error: unknown key `fail-on`
     --> .tribune.yaml:1:1
      |
    1 | fail-on: critical
      | ^^^^^^^
      |
      = help: Did you mean `fail_on`?

    error: `min_confidence` has to be a number from 0 to 1, not `1.5`
     --> .tribune.yaml:2:17
      |
    2 | min_confidence: 1.5
      |                 ^^^

    error: `language` has to be a language's English name such as `German`, not `7`
     --> .tribune.yaml:3:11
      |
    3 | language: 7
      |           ^
      |
      = help: Put it in quotes, if it is meant as text.

    error: `limits` cannot be set by a repository, only by the operator
     --> .tribune.yaml:4:1
      |
    4 | limits
      | ^^^^^^
      |
      = help: Take it out here. It belongs in the operator's file ($XDG_CONFIG_HOME/tribune/config.yaml, on Windows %APPDATA%\tribune\config.yaml), or the one that --config names.

    error: `summary` has to be `findings` or `always`, not the text `rarely`
     --> .tribune.yaml:5:10
      |
    5 | summary: rarely
      |          ^^^^^^

    error: `reviewers.security.enabled` has to be `true` or `false`, not the text `yes`
     --> .tribune.yaml:7:24
      |
    7 |   security: { enabled: "yes", tires: [full] }
      |                        ^^^^^

    error: unknown key `tires`
     --> .tribune.yaml:7:31
      |
    7 |   security: { enabled: "yes", tires: [full] }
      |                               ^^^^^
      |
      = help: Did you mean `tiers`?

    error: `Quality` is not a reviewer's id such as `security`: reviewers' ids are small letters, digits and `-`
     --> .tribune.yaml:8:3
      |
    8 |   Quality: { enabled: false }
      |   ^^^^^^^

    error: `tiers.trivial_lines` has to be a whole number from 0 to 1000000, not `-1`
      --> .tribune.yaml:10:18
       |
    10 |   trivial_lines: -1
       |                  ^^

    error: `tiers.sensitive_paths` has to be a list, not the text `src/**`
      --> .tribune.yaml:11:20
       |
    11 |   sensitive_paths: "src/**"
       |                    ^^^^^^^^
       |
       = help: Write it as a list: `["src/**"]`.

    error: `` is not a path glob such as `src/**/*.py`: it is empty
      --> .tribune.yaml:13:18
       |
    13 |   paths: [ok/**, "", "a[", !!str 7]
       |                  ^^

    error: `a[` is not a path glob such as `src/**/*.py`: unclosed character class; missing ']'
      --> .tribune.yaml:13:22
       |
    13 |   paths: [ok/**, "", "a[", !!str 7]
       |                      ^^^^

    error: `sec-1` is not a rule id such as `SEC-PY-003`: rule ids are capitals and digits in groups, joined by `-`
      --> .tribune.yaml:15:9
       |
    15 |   off: [sec-1]
       |         ^^^^^

    error: `rules.severity.SEC-PY-001` has to be `critical`, `important`, `suggestion` or `nit`, not the text `hihg`
      --> .tribune.yaml:16:27
       |
    16 |   severity: { SEC-PY-001: hihg }
       |                           ^^^^

    error: `overrides[0].min_confidence` has to be a number from 0 to 1, not `NaN`
      --> .tribune.yaml:18:21
       |
    18 |   - min_confidence: .nan
       |                     ^^^^

    error: `paths` is missing
      --> .tribune.yaml:20:5
       |
    20 |   - fail_on: never
       |     ^
       |
       = help: The files that this entry is for.

    error: `language` cannot stand here
      --> .tribune.yaml:22:5
       |
    22 |     language: German
       |     ^^^^^^^^
       |
       = help: It holds for the whole change: set it at the top.

    error: unknown key `sensitive_paths`
      --> .tribune.yaml:23:1
       |
    23 | sensitive_paths: [x]
       | ^^^^^^^^^^^^^^^
       |
       = help: `sensitive_paths` belongs under `tiers`.
    "#);
}

#[test]
fn an_operator_only_key_is_refused_by_name() {
    for key in ["models", "endpoints", "prices", "limits", "rule_sources", "remote", "override"] {
        let (layer, problems) = Layer::repository(&format!("{key}: {{}}\nlanguage: German\n"));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].title.contains(key) && problems[0].help.contains("operator's file"), "{problems:?}");
        assert_eq!(layer.settings.len(), 1, "the rest stays in force");
    }
}

#[test]
fn a_repository_does_not_say_who_approves() {
    let (layer, problems) = Layer::repository("post: {inline_max: 3, approve: true}\nsummary: always\n");
    let told: Vec<_> = problems.iter().map(|p| p.one_line("c.yaml")).collect();
    assert_eq!(problems.len(), 1, "{told:?}");
    assert!(told[0].contains("`approve` cannot be set by a repository"), "{told:?}");
    assert_eq!(layer.settings.len(), 2);
}

#[test]
fn no_message_repeats_a_secret() {
    let texts = [
        "endpoints: {a: {url: 'https://u:hunter2@h', headers: {X: hunter2}, token: hunter2, api_key: hunter2, preset: hunter2}}",
        "endpoints:\n  a:\n    url: [hunter2]\n    headers: hunter2\n    token: hunter2\n",
        "endpoints: {a: {headers: {'a b': hunter2, X: \"hunter2\\n\"}}, hunter: hunter2}",
        "endpoints: {a: {headers: {X: hunter2}}} {",
        "endpoint: {a: {headers: {X: hunter2}}}",
    ];
    for text in texts {
        for (_, problems) in [Layer::operator(text, Path::new("c.yaml")), Layer::repository(text)] {
            assert!(!problems.is_empty());
            let told: String = problems.iter().map(|p| format!("{}\n{}\n", p.render("c.yaml"), p.one_line("c.yaml"))).collect();
            // A text that is no YAML at all could be anything; only an operator's holds secrets of ours.
            assert!(!told.contains("hunter2") || told.contains("not YAML"), "{told}");
        }
    }
    let (_, problems) = Layer::operator(texts[1], Path::new("c.yaml"));
    insta::assert_snapshot!(problems.iter().map(|p| p.render("c.yaml")).collect::<Vec<_>>().join("\n\n"), @"
    error: `endpoints.a.url` has to be a URL such as `https://gateway.example.com/v1`, not a list
    --> c.yaml:3:10

    error: `endpoints.a.headers` has to be a mapping by the name of a header that can be added, not a text
    --> c.yaml:4:14

    error: `token` cannot stand here
     --> c.yaml:5:5
      |
    5 |     token
      |     ^^^^^
      |
      = help: A token never stands in a file: name its variable by `token_env`, or its file by `token_file`.
    ");
}

#[test]
fn problems_of_deep_keys_are_told_with_their_place() {
    let (_, problems) = Layer::operator(
        "remote: {}\nlimits: {usd_per_change: six}\nendpoints: {a: {url: 'https://h', preset: litelm, token_command: [x, 7], client_cert: y}}\n",
        Path::new("/c.yaml"),
    );
    let told: Vec<_> = problems.iter().map(|p| p.one_line("c.yaml")).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    c.yaml:1:9: `url` is missing (A document with these keys, over https (http on this machine). Fetched at each run, at most 2 s; the last good copy serves where it cannot be had.)
    c.yaml:2:26: `limits.usd_per_change` has to be a number from 0 to 1000000, not the text `six`
    c.yaml:3:43: `endpoints.a.preset` has to be `openai`, `anthropic`, `google`, `cloudflare`, `litellm`, `openrouter` or `portkey`, not a text (Did you mean `litellm`?)
    c.yaml:3:66: `endpoints.a.token_command` has to be a program and its arguments (Write it as `[program, argument]`; numbers in quotes.)
    ");
}

#[test]
fn unknown_private_paths_make_all_private() {
    let private = |text: &str| Layer::repository(text).0.all_private;
    for text in [
        "private_paths: [\"a[\", b]",
        "private_paths: b",
        "private_paths: {a: b}",
        "x: [",
        "a: 1\na: 2",
        "private-path: [b]",
        "overrides: [{paths: [a], private_paths: [b]}]",
        &"x".repeat(300_000),
    ] {
        assert!(private(text), "{text:.40}");
    }
    for text in ["", "private_paths: [b]", "private_paths:", "oops: 1\nprivate_paths: [b]"] {
        assert!(!private(text), "{text}");
    }
}

#[test]
fn a_huge_or_hostile_file_fails_fast() {
    let started = std::time::Instant::now();
    let told = |text: &str| validate(text).iter().map(|p| p.one_line(".tribune.yaml").len()).collect::<Vec<_>>();
    assert_eq!(told(&"a: 1\n".repeat(2 << 20)).len(), 1);
    assert_eq!(told(&(0..20_000).map(|i| format!("key{i}: 1\n")).collect::<String>()).len(), 1);
    let many = told(&(0..400).map(|i| format!("key{i}: 1\n")).collect::<String>());
    assert!(many.len() == 51 && many.iter().all(|len| *len < 400), "{many:?}");
    assert!(told(&format!("noise: {{paths: [{}]}}", "\"[\", ".repeat(499))).len() == 51);
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn relative_paths_start_from_the_file() {
    let (layer, problems) = Layer::operator(
        "rule_sources: [rules, /abs]\nendpoints: {a: {url: 'https://h', token_file: t, client_cert: c.pem}, b: {url: 'https://h', token_command: ./get --for me}, c: {url: 'https://h', token_command: [vault, a b]}}\n",
        Path::new("/etc/tribune/config.yaml"),
    );
    assert_eq!(problems, []);
    let document = super::super::settings::document(&layer.settings);
    let beside = |name: &str| Path::new("/etc/tribune").join(name).display().to_string();
    assert_eq!(document["endpoints"]["a"]["token_file"], beside("t"));
    assert_eq!(document["endpoints"]["a"]["client_cert"], beside("c.pem"));
    assert_eq!(document["endpoints"]["b"]["token_command"], serde_json::json!([beside("./get"), "--for", "me"]));
    assert_eq!(document["endpoints"]["c"]["token_command"], serde_json::json!(["vault", "a b"]));
    assert_eq!(document["rule_sources"], serde_json::json!([beside("rules"), "/abs"]));
}
