//! What is written down twice is compared: help texts and the two sample runs in the README, schemas, the rule catalogue.
//! `TRIBUNE_REGENERATE=1 cargo test --test drift` writes them anew; look at the diff before you commit it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

fn tribune(args: &[&str]) -> String {
    tribune_with(&[], args)
}

fn tribune_with(env: &[(&str, &str)], args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tribune"));
    command.env_clear().env("HOME", "/nonexistent").env("COLUMNS", "100").env("PATH", std::env::var_os("PATH").expect("a PATH"));
    command.envs(env.iter().copied());
    let output = command.args(args).output().expect("the binary runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Compares a whole file, or writes it.
fn file(path: &str, now: &str) {
    if std::env::var_os("TRIBUNE_REGENERATE").is_some() {
        std::fs::create_dir_all(Path::new(path).parent().expect("a folder")).expect("made");
        std::fs::write(path, now).expect("written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == now, "{path} is stale: run TRIBUNE_REGENERATE=1 cargo test --test drift");
}

/// Compares what stands in the README between `<!-- NAME -->` and `<!-- /NAME -->`, or writes it.
fn readme(name: &str, now: &str) {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let text = std::fs::read_to_string("README.md").expect("a README");
    let from = text.find(&begin).unwrap_or_else(|| panic!("README.md has no {begin}")) + begin.len();
    let to = from + text[from..].find(&end).unwrap_or_else(|| panic!("README.md has no {end}"));
    let now = format!("```text\n{}\n```\n", now.trim_end());
    if std::env::var_os("TRIBUNE_REGENERATE").is_some() {
        std::fs::write("README.md", format!("{}{now}{}", &text[..from], &text[to..])).expect("written");
        return;
    }
    assert!(text[from..to] == now, "{name} in README.md is stale: run TRIBUNE_REGENERATE=1 cargo test --test drift");
}

#[test]
fn the_readme_shows_what_the_program_says() {
    readme("help", &tribune(&["review", "--help"]));
    readme("sample", &as_written("cargo run --release -- review --diff tests/sample/change.patch"));
    let played = as_written("TRIBUNE_GATEWAY_URL=replay:tests/sample/recording cargo run --release -- review --diff tests/sample/change.patch");
    // The README shows its end: what the rules say stands above it already.
    let from = played.find("2 files: 2 reviewed").unwrap_or_else(|| panic!("no end of a review: {played}"));
    readme("replay", &played[from..]);
}

/// What a command of the README prints, run as it stands there: `NAME=VALUE` before `cargo run`, the arguments behind ` -- `. Only the
/// time it took differs from run to run, and is left out.
fn as_written(command: &str) -> String {
    let text = std::fs::read_to_string("README.md").expect("a README");
    let there = |line: &str| line.split("  #").next().is_some_and(|line| line.trim_end() == command);
    assert!(text.lines().any(there), "README.md no longer names the command `{command}`: run here what it names now");
    let (before, args) = command.split_once("cargo run --release -- ").expect("a run by cargo");
    let env: Vec<(&str, &str)> = before.split_whitespace().filter_map(|word| word.split_once('=')).collect();
    let args: Vec<&str> = args.split(' ').chain(["--no-progress"]).collect();
    tribune_with(&env, &args).lines().map(|line| no_time(line) + "\n").collect()
}

/// A duration such as `55 ms` or `1.2 s` becomes `50 ms`.
fn no_time(line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    for i in 1..words.len() {
        let unit = words[i].trim_end_matches(['.', ',', ')']);
        let number = words[i - 1].trim_start_matches('(').parse::<f64>().is_ok();
        if number && (unit == "ms" || unit == "s") {
            let rest = words[i][unit.len()..].to_owned();
            let open = if words[i - 1].starts_with('(') { "(" } else { "" };
            words[i - 1] = format!("{open}50");
            words[i] = format!("ms{rest}");
        }
    }
    words.join(" ")
}

#[test]
fn the_schemas_are_current() {
    file("schemas/tribune.schema.json", &tribune(&["config", "schema"]));
    file("schemas/report.v1.schema.json", &tribune(&["config", "schema", "--report"]));
    file("schemas/audit.v1.schema.json", &tribune(&["config", "schema", "--audit"]));
}

#[test]
fn the_catalogue_lists_the_rules_in_force() {
    let rules: serde_json::Value = serde_json::from_str(&tribune(&["rules", "list", "--json"])).expect("JSON");
    let mut topics: BTreeMap<(usize, &str), Vec<String>> = BTreeMap::new();
    for rule in rules.as_array().expect("a list") {
        let text = |key: &str| rule[key].as_str().unwrap_or_default().to_owned();
        let languages: Vec<&str> = rule["languages"].as_array().expect("a list").iter().filter_map(|l| l.as_str()).collect();
        let how = if rule["detector"].as_bool() == Some(true) { "detector" } else { "reviewer" };
        let title = text("title").replace('|', "\\|");
        let line = format!("| {} | {title} | {} | {} | {how} |\n", text("id"), text("level"), text("severity"));
        topics.entry(topic(&languages, &text("id"))).or_default().push(line);
    }
    let all: Vec<&String> = topics.values().flatten().collect();
    let detectors = all.iter().filter(|line| line.ends_with(" detector |\n")).count();
    let mut page = format!(
        "# The built-in rules\n\nGenerated from the rule files: {} rules, {detectors} of them checked by a detector, the others by a reviewer. `tribune rules show ID` shows one whole.\n",
        all.len()
    );
    for ((_, name), lines) in &topics {
        page.push_str(&format!("\n## {name}\n\n| id | rule | level | severity | checked by |\n|---|---|---|---|---|\n{}", lines.concat()));
    }
    file("rules/CATALOGUE.md", &page);
}

/// The catalogue's heading for a rule, and its place.
fn topic(languages: &[&str], id: &str) -> (usize, &'static str) {
    const TOPICS: [(&str, &[&str]); 15] = [
        ("Any language", &[]),
        ("C and C++", &["c", "cpp"]),
        ("C#", &["csharp"]),
        ("Docker", &["dockerfile"]),
        ("Go", &["go"]),
        ("Java", &["java"]),
        ("JavaScript and TypeScript", &["typescript", "tsx", "javascript"]),
        ("PHP", &["php"]),
        ("Python", &["python"]),
        ("Ruby", &["ruby"]),
        ("Rust", &["rust"]),
        ("Shell", &["shell"]),
        ("SQL", &["sql"]),
        ("Kubernetes", &["yaml"]),
        ("CI", &["yaml"]),
    ];
    let fits = |(name, own): &(&str, &[&str])| languages.iter().all(|l| own.contains(l)) && (*name == "Kubernetes") == id.contains("-K8S-");
    let place = if languages.is_empty() { 0 } else { TOPICS.iter().position(fits).unwrap_or(0) };
    (place, TOPICS[place].0)
}
