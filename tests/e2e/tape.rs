//! Recording a run and playing it again.

use crate::gateway::FakeGateway;
use crate::git_repo::Repo;
use crate::harness::{Done, JSON, TOKEN, ask, finding, findings, project, reviewers, tribune};
use serde_json::Value;
use std::path::Path;

const EDIT: &str = "import subprocess\nimport os\n\ndef pack(name):\n    subprocess.run([\"tar\", name], check=False)\n    return name\n";
const FULL: [&str; 2] = ["--tier", "full"];

fn models() -> FakeGateway {
    reviewers(|who| match who {
        "quality" => {
            vec![finding("app.py", "    subprocess.run([\"tar\", name], check=False)", "important", "A failed archive is taken for a whole one")]
        }
        "docs" => vec![finding("app.py", "import os", "suggestion", "Nothing says what os is for")],
        _ => vec![],
    })
}

/// Records a full review into `dir`.
fn record(repo: &Repo, dir: &Path) -> Done {
    ask(repo, &models(), &[&JSON[..], &FULL, &["--record", dir.to_str().expect("UTF-8")]].concat())
}

/// Plays `dir`, with nothing of a gateway in the environment but that.
fn replay(repo: &Repo, dir: &Path, args: &[&str]) -> Done {
    let mut command = tribune(repo);
    command.env("TRIBUNE_GATEWAY_URL", format!("replay:{}", dir.display()));
    Done::of(command.args(JSON).args(args))
}

/// The notes on the recording.
fn notes(report: &Value) -> String {
    let all = report["notes"].as_array().expect("notes").iter().filter_map(Value::as_str);
    all.filter(|note| note.contains("recorded in") || note.contains("ecording")).collect::<Vec<_>>().join("\n")
}

/// A report without what depends on the clock and on the way to the models.
fn comparable(mut report: Value) -> Value {
    for key in ["notes", "seconds"] {
        report[key] = Value::Null;
    }
    report["provenance"]["gateway_host"] = Value::Null;
    report["provenance"]["config_digest"] = Value::Null;
    for run in report["reviewers"].as_array_mut().expect("reviewers") {
        for key in ["seconds", "first_token_seconds"] {
            run[key] = Value::Null;
        }
        for model in run["models"].as_array_mut().into_iter().flatten() {
            for key in ["seconds", "first_token_seconds"] {
                model[key] = Value::Null;
            }
        }
    }
    report
}

#[test]
fn a_recorded_review_is_played_without_gateway_model_and_token() {
    let repo = project();
    repo.write("app.py", EDIT);
    let dir = repo.outside.path().join("tape");
    let live = record(&repo, &dir);
    assert_eq!(live.code, 0, "{}", live.stderr);
    assert_eq!(notes(&live.report()), format!("7 exchanges with models recorded in {}.", dir.display()));
    let again = replay(&repo, &dir, &FULL);
    assert_eq!(again.code, 0, "{}", again.stderr);
    let report = again.report();
    assert_eq!(comparable(report.clone()), comparable(live.report()));
    assert_eq!(report["provenance"]["gateway_host"], "replay");
    assert_eq!(notes(&report), format!("No model was asked: the answers come from the recording {}, made by tribune 0.1.0.", dir.display()));
    for file in std::fs::read_dir(&dir).expect("a folder") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("UTF-8");
        assert!(!text.contains(TOKEN));
    }
    // The request can be read, and begins with what all share.
    let request: Value = serde_json::from_slice(&std::fs::read(dir.join("quality-1-1-1.request.json")).expect("a request")).expect("JSON");
    assert_eq!((request["model"].as_str(), request["stream"].as_bool()), (Some("fake"), Some(true)));
}

#[test]
fn another_change_is_played_by_position_and_told() {
    let repo = project();
    repo.write("app.py", EDIT);
    let dir = repo.outside.path().join("tape");
    record(&repo, &dir);
    repo.write("app.py", EDIT.replace("return name", "return name.strip()"));
    let report = replay(&repo, &dir, &FULL).report();
    assert_eq!(findings(&report).len(), 2, "what the models said still fits");
    let told = notes(&report);
    assert!(told.contains("6 answers (codex, docs, performance, quality, release, security) were played by position."), "{told}");
    // The recording of a smaller run has no word of the other reviewers: they fail, and so does nobody else.
    let small = repo.outside.path().join("small");
    ask(&repo, &models(), &[&JSON[..], &FULL, &["--only", "quality,docs", "--record", small.to_str().expect("UTF-8")]].concat());
    let done = replay(&repo, &small, &FULL);
    let report = done.report();
    assert_eq!((done.code, findings(&report).len()), (3, 2));
    let security = report["reviewers"].as_array().and_then(|all| all.iter().find(|r| r["id"] == "security")).expect("it ran").clone();
    assert_eq!(security["status"], "failed");
    assert!(done.stdout.contains("the recording has no answer to request 1 of security. Record this run anew."), "{}", done.stdout);
}

#[test]
fn only_the_operators_environment_names_a_recording() {
    let repo = project();
    repo.write("app.py", EDIT);
    let dir = repo.outside.path().join("tape");
    record(&repo, &dir);
    let url = format!("replay:{}", dir.display());
    let settings = format!("endpoints: {{default: {{url: '{url}'}}}}\nmodels: {{top: [{{model: m}}]}}\n");
    let config = repo.outside.path().join("operator.yaml");
    std::fs::write(&config, &settings).expect("written");
    let done = Done::of(tribune(&repo).args(JSON).args(["--config", config.to_str().expect("UTF-8")]));
    assert_eq!(done.code, 2, "{}", done.stderr);
    assert!(done.stderr.contains("endpoints.default.url"), "{}", done.stderr);
    repo.git(&["stash", "-q"]);
    repo.git(&["checkout", "-q", "main"]);
    repo.write(".tribune.yaml", &settings);
    repo.commit("policy");
    repo.git(&["checkout", "-q", "-b", "next"]);
    repo.write("app.py", EDIT);
    let report = Done::of(tribune(&repo).args(JSON)).report();
    assert!(report["reviewers"].as_array().expect("reviewers").iter().all(|r| r["id"] == "rules"), "no model looked");
}

#[test]
#[cfg_attr(windows, ignore = "compares the system's own words")]
fn what_cannot_be_recorded_or_played_is_told_before_anything_happens() {
    let repo = project();
    repo.write("app.py", EDIT);
    let gateway = models();
    let full = repo.outside.path().join("full");
    std::fs::create_dir(&full).expect("made");
    std::fs::write(full.join("mine.txt"), "mine").expect("written");
    let full = full.to_str().expect("UTF-8");
    let first = |stderr: &str| stderr.replace(&repo.outside.path().display().to_string(), "OUT").lines().take(3).collect::<Vec<_>>().join(" ");
    let recorded = ask(&repo, &gateway, &[&JSON[..], &["--record", full]].concat());
    let dir = repo.outside.path().join("tape");
    record(&repo, &dir);
    let table = [
        (recorded.code, first(&recorded.stderr)),
        {
            let d = replay(&repo, Path::new(full), &[]);
            (d.code, first(&d.stderr))
        },
        {
            let d = replay(&repo, &dir, &["--record", "elsewhere"]);
            (d.code, first(&d.stderr))
        },
        {
            let d = replay(&repo, &dir, &["--post"]);
            (d.code, first(&d.stderr))
        },
        {
            let d = replay(&repo, Path::new(""), &[]);
            (d.code, first(&d.stderr))
        },
    ];
    insta::assert_snapshot!(table.map(|(code, text)| format!("exit {code}: {text}")).join("\n"), @"
    exit 2: error: nothing can be recorded in OUT/full   it holds something else than a recording   fix: Name a new or empty folder.
    exit 2: error: OUT/full cannot be played   recording.json: No such file or directory (os error 2)   fix: Name a folder that `tribune review --record DIR` wrote, after `replay:`.
    exit 2: error: a recording that is played is not recorded again   --record is given, and TRIBUNE_GATEWAY_URL names a recording   fix: Leave out one of them: a recording is a folder, and can be copied.
    exit 2: error: what a recording says is not posted   --post is given, and TRIBUNE_GATEWAY_URL names a recording   fix: Leave out one of them: --report markdown=FILE writes what would be posted.
    exit 2: error: TRIBUNE_GATEWAY_URL cannot be used   `replay:` is there, and no folder after it   fix: Set it to `replay:DIR`, DIR being what --record wrote.
    ");
    assert_eq!(gateway.requests().len(), 0);
}

/// The README's demonstration: every reviewer has an answer, the judge is heard, and the output says that it is scripted.
#[test]
fn the_sample_shows_a_whole_review_without_a_key() {
    let repo = project();
    let root = env!("CARGO_MANIFEST_DIR");
    let patch = format!("{root}/tests/sample/change.patch");
    let done = replay(&repo, Path::new(&format!("{root}/tests/sample/recording")), &["--diff", &patch]);
    let report = done.report();
    assert_eq!((done.code, report["outcome"].as_str()), (1, Some("fail")), "{}", done.stderr);
    let runs = report["reviewers"].as_array().expect("reviewers");
    assert!(runs.len() >= 8 && runs.iter().all(|run| run["status"] == "completed"), "{runs:?}");
    assert!(report["summary"].as_str().is_some_and(|summary| summary.starts_with("Two ways lead from strangers' text to a shell")));
    assert!(done.stdout.contains("The judge dropped 1 finding below important.") && done.stdout.contains("Scripted: written by hand"));
    assert!(!done.stdout.contains("played by position"), "scripted answers belong to no request");
    assert!(report["usage"]["cost_usd"].as_f64().is_some_and(|usd| usd > 0.0));
}
