//! Prices, limits and accounts of the whole binary.

use crate::gateway::{FakeGateway, answer};
use crate::git_repo::Repo;
use crate::harness::{Done, JSON, ask, coverage, finding, project, reviewers, run, tribune};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The prices of the tests, for the model that [`ask`] asks: per million 1 dollar of input, 0.1 cached, 4 of output.
const PRICES: &str = "prices: {fake: {input: 1, cached: 0.1, output: 4}}\n";

/// An operator's file outside the repository.
fn operator(repo: &Repo, text: &str) -> String {
    let file = repo.outside.path().join("operator.yaml");
    std::fs::write(&file, text).expect("written");
    file.display().to_string()
}

/// A gateway that counts like a provider: a token for every four bytes, all of the prefix that it has seen before cached.
/// Its reviewer `quality` finds something in each bundle.
fn counting() -> FakeGateway {
    let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
    FakeGateway::smart(move |request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let prefix = body.split("# Reviewer:").next().unwrap_or_default().to_owned();
        let cached = if seen.lock().expect("no panic").insert(prefix.clone()) { 0 } else { prefix.len() as u64 / 4 };
        // Which bundle gets through where money is short is nobody's business.
        let part = (0..9).find(|n| body.contains(&format!("def collect_{n}_0(values)")));
        let found = part.map(|n| finding(&format!("lib/part_{n}.py"), &format!("def collect_{n}_0(values):"), "important", "Wrong"));
        let (name, arguments) = match request.reviewer().as_str() {
            "coordinator" => ("submit_review", json!({"findings": [], "summary": "Judged."})),
            "quality" if found.is_some() => ("report_findings", json!({"findings": [found]})),
            _ => ("report_findings", json!({"findings": []})),
        };
        answer("").call(name, arguments).usage(body.len() as u64 / 4, cached, 300).to(request)
    })
}

/// What the provider counted in dollars, by [`PRICES`].
fn provider_usd(gateway: &FakeGateway) -> (u64, f64) {
    let mut seen = std::collections::BTreeSet::new();
    let (mut input, mut usd) = (0, 0.0);
    for request in gateway.requests() {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let prefix = body.split("# Reviewer:").next().unwrap_or_default().to_owned();
        let cached = if seen.insert(prefix.clone()) { 0 } else { prefix.len() as u64 / 4 };
        input += body.len() as u64 / 4;
        usd += ((body.len() as u64 / 4 - cached) as f64 + cached as f64 * 0.1 + 300.0 * 4.0) / 1e6;
    }
    (input, usd)
}

/// A change of so many files of 300 lines, of code or of Chinese prose.
fn large(files: usize, dense: bool) -> Repo {
    let repo = project();
    for n in 0..files {
        let mut text = String::new();
        for i in 0..300 {
            let _ = match dense {
                false => writeln!(text, "def collect_{n}_{i}(values):\n    return [value + {i} for value in values if value]"),
                true => writeln!(text, "NOTE_{n}_{i} = \"本页提供模型和功能的详细定价信息所有价格均以美元计\""),
            };
        }
        repo.write(format!("lib/part_{n}.py"), text);
    }
    repo
}

fn usd(report: &Value) -> f64 {
    report["usage"]["cost_usd"].as_f64().expect("all models have a price")
}

#[test]
fn a_cap_in_dollars_is_never_exceeded_and_the_report_adds_up_to_what_the_provider_counted() {
    for (files, dense) in [(6, false), (3, true)] {
        let repo = large(files, dense);
        let config = operator(&repo, &format!("{PRICES}limits: {{bundle_tokens: 12000}}\n"));
        let gateway = counting();
        let done = ask(&repo, &gateway, &[&JSON[..], &["--config", &config, "--max-cost", "0.10"]].concat());
        let report = done.report();
        assert_eq!(done.code, 3, "{}", done.stderr);
        let (input, dollars) = provider_usd(&gateway);
        assert!(!gateway.requests().is_empty() && usd(&report) <= 0.10, "{} of {}", usd(&report), gateway.requests().len());
        assert!((usd(&report) - dollars).abs() < 1e-5, "{} told, {dollars} counted", usd(&report));
        assert_eq!(report["usage"]["input_tokens"], input);
        let sums = |field: &str| -> f64 {
            let runs = report["reviewers"].as_array().expect("a list");
            let models = runs.iter().filter_map(|r| r["models"].as_array()).flatten();
            models.map(|m| m["usage"][field].as_f64().unwrap_or(0.0)).sum()
        };
        assert_eq!(sums("input_tokens"), input as f64);
        assert!((sums("cost_usd") - dollars).abs() < 1e-4);
        let requests: u64 = report["reviewers"].as_array().expect("a list").iter().filter_map(|r| r["requests"].as_u64()).sum();
        assert_eq!(requests, gateway.requests().len() as u64);
    }
}

#[test]
fn a_limit_that_is_reached_is_told_once_and_keeps_what_was_found() {
    let repo = large(3, false);
    let config = operator(&repo, &format!("{PRICES}limits: {{bundle_tokens: 8000}}\n"));
    let gateway = counting();
    let args = ["review", "--no-progress", "--config", &config, "--max-cost", "0.06"];
    let text = ask(&repo, &gateway, &args).stdout;
    let told: Vec<&str> = text.lines().filter(|l| l.contains("The limit of")).collect();
    assert_eq!(told.len(), 1, "{text}");
    let whole = text.replace("\n  ", " ");
    assert!(whole.contains("Note: The limit of $0.060 for this run (--max-cost) was reached: $0.0"), "{text}");
    assert!(whole.contains("requests were not made, or not to the end, which could have taken $0."), "{text}");
    assert!(whole.contains("s failed: ") && whole.contains(": the limit on dollars was reached"), "{text}");
    assert!(text.lines().filter(|l| l.starts_with("Reviewer")).count() <= 2, "those with the same reason together: {text}");
    assert!(text.contains("Inconclusive"), "{text}");
    let done = ask(&repo, &counting(), &[&JSON[..], &["--config", &config, "--max-cost", "0.035", "--only", "quality"]].concat());
    assert_eq!((done.code, done.report()["findings"][0]["title"].as_str()), (3, Some("Wrong")), "{}", done.stdout);
    assert!(coverage(&done.report()).iter().any(|c| c.starts_with("failed")), "{:?}", coverage(&done.report()));
}

#[test]
fn max_cost_needs_prices_and_a_cap_in_a_file_says_what_it_does_not_limit() {
    let repo = project();
    repo.write("app.py", "x = 1\n");
    let gateway = reviewers(|_| vec![]);
    let done = ask(&repo, &gateway, &["review", "--no-progress", "--max-cost", "1"]);
    assert_eq!((done.code, gateway.requests().len()), (2, 0));
    let told = done.stderr.replace("\n  ", " ");
    assert!(told.contains("--max-cost cannot be kept: what fake costs is not known") && told.contains("prices: {\"fake\": {input: "), "{told}");
    let config = operator(&repo, "limits: {usd: 1}\n");
    let done = ask(&repo, &gateway, &[&JSON[..], &["--config", &config]].concat());
    let report = done.report();
    assert_eq!(done.code, 0);
    assert!(report["notes"].to_string().contains("`limits.usd` does not limit everything"), "{}", report["notes"]);
    assert!(report["usage"].get("cost_usd").is_none() && report["usage"]["input_tokens"].as_u64() > Some(0), "tokens, and no invented price");
    assert!(ask(&repo, &gateway, &[&JSON[..], &["--config", &operator(&repo, PRICES), "--max-cost", "1"]].concat()).code == 0);
    assert!(run(&repo, &["review", "--offline", "--no-progress", "--max-cost", "1"]).code == 0, "no model is asked");
}

#[test]
fn well_known_models_have_a_price_and_prices_of_the_operator_go_before_it() {
    let repo = project();
    repo.write("app.py", "x = 1\n");
    let gateway = reviewers(|_| vec![]);
    let with = |model: &str, config: &str| {
        let config = operator(&repo, config);
        let mut command = tribune(&repo);
        command.env("TRIBUNE_GATEWAY_URL", gateway.url()).env("TRIBUNE_MODEL", model).args(JSON).args(["--only", "quality", "--config", &config]);
        Done::of(&mut command).report()
    };
    for (model, config, prices, list) in [
        ("claude-sonnet-5-5", "{}", Some([2.0, 0.1, 10.0]), true),
        ("anthropic/claude-sonnet-5-5", "{}", Some([2.0, 0.1, 10.0]), true),
        ("claude-sonnet-5-5", "prices: {claude-sonnet-5-5: {input: 1, output: 1}}", Some([1.0, 1.0, 1.0]), false),
        ("some-model", "{}", None, false),
    ] {
        let report = with(model, config);
        let run = &report["reviewers"][1];
        let usage = &run["models"][0]["usage"];
        let tokens = |field: &str| usage[field].as_f64().expect("a count");
        let dollars = |[input, cached, output]: [f64; 3]| {
            ((tokens("input_tokens") - tokens("cached_tokens")) * input + tokens("cached_tokens") * cached + tokens("output_tokens") * output) / 1e6
        };
        let told = usage["cost_usd"].as_f64();
        assert_eq!(told.map(|d| (d * 1e6).round()), prices.map(|p| (dollars(p) * 1e6).round()), "{model}: {run}");
        assert!(tokens("input_tokens") > tokens("cached_tokens") && tokens("cached_tokens") > 0.0, "{run}");
        assert_eq!((run["models"][0]["model"].as_str(), run["model"].as_str()), (Some(model), Some("fake-model-1")), "asked, and answered");
        assert_eq!(report["provenance"].get("prices").is_some(), list, "{model}");
    }
}

#[test]
fn a_plan_tells_what_it_would_cost_and_may_cost() {
    let repo = large(2, false);
    let gateway = reviewers(|_| vec![]);
    let config = operator(&repo, PRICES);
    let text = ask(&repo, &gateway, &["plan", "--config", &config, "--max-cost", "0.5"]).stdout;
    for part in [
        "with the provider's cache",
        "prices: `prices` of the configuration",
        "at most $0.50 a run (--max-cost)",
        "2,000,000 tokens a run of models without a price",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let plan: Value = serde_json::from_str(&ask(&repo, &gateway, &["plan", "--json", "--config", &config]).stdout).expect("JSON");
    let (plain, cached) = (plan["cost_usd"].as_f64().expect("known"), plan["cached_usd"].as_f64().expect("known"));
    assert!(plain > cached && cached > 0.0, "{plan}");
    let unknown = ask(&repo, &gateway, &["plan"]).stdout;
    assert!(unknown.contains("the cost is not known") && gateway.requests().is_empty(), "{unknown}");
}

#[test]
fn time_that_is_over_says_which_limit_it_was() {
    let repo = project();
    repo.write("app.py", "x = 1\n");
    let gateway = FakeGateway::smart(|_| vec![crate::gateway::Step::Hang]);
    let of_run = ask(&repo, &gateway, &[&JSON[..], &["--timeout", "1"]].concat());
    assert_eq!(of_run.code, 3);
    let notes = of_run.report()["notes"].to_string();
    assert!(notes.contains("The limit of 1 s for this run (--timeout) was reached"), "{notes}");
    let config = operator(&repo, "limits: {reviewer_seconds: 1}\n");
    let of_reviewer = ask(&repo, &gateway, &[&JSON[..], &["--config", &config]].concat()).report();
    assert!(
        of_reviewer["coverage"][0]["reason"].to_string().contains("its time of 1 s was over (`limits.reviewer_seconds` sets it)"),
        "{of_reviewer}"
    );
    assert!(!of_reviewer["notes"].to_string().contains("The limit of"), "{of_reviewer}");
}
