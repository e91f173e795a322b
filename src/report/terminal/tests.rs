use crate::findings::{FindingStatus, Severity};
use crate::report::sample::{clean_review, finding, hostile, render, review};
use crate::report::{Format, Outcome, Review, WriteOptions};
use crate::risk::{Coverage, CoverageStatus};
use unicode_width::UnicodeWidthStr;

fn terminal(review: &Review, width: usize) -> String {
    render(Format::Terminal, review, &WriteOptions { width, ..WriteOptions::default() })
}

#[test]
fn at_80_columns() {
    insta::assert_snapshot!(terminal(&review(), 80), @r#"
    Security

    Critical: User input reaches a shell
      app/run.py:6

        4 | def handler(request):
        5 |     cmd = request.args["cmd"]
      > 6 |     subprocess.call(cmd, shell=True)
        7 |     return "ok"

      The value of the query parameter reaches `/bin/sh`, so whoever sends it runs
      commands as the service. Pass a list and leave the shell out.
      When: any signed-in user sends a command in the query of this page

      -     subprocess.call(cmd, shell=True)
      +     subprocess.call(shlex.split(cmd))

      SEC-PY-003 · Security handbook, part 4 · owner team-security · model, security
      reviewer
      https://codex.example.org/security/python

    Code Quality

    Important: Retry never ends when the server keeps answering 429
      src/retry.rs:2-8

        1 | fn fetch(url: &str) -> Reply {
      > 2 |     loop {
      > 3 |         let reply = get(url);
      > 4 |         if reply.status != 429 {
      > 5 |             return reply;
      > 6 |         }
      > 7 |         sleep(reply.wait());
      > 8 |     }
        9 | }

      A server that answers 429 for ever keeps the caller in this loop for ever.
      Give up after a few attempts.
      When: the server answers every request with 429
      model, quality reviewer

    Suggestion: A failed fetch leaves no trace in the log
      src/retry.rs:12  (removed code)

      > 12 |     log::warn!("giving up");

      The removed line was the only trace of a failed fetch.
      model, quality reviewer

    Documentation

    Optional nit: The README tells of a limit that is gone
      README.md  (no certain line, told before)

      > | gives up after 5 attempts

      The README still promises five attempts.
      model, docs reviewer

    6 files: 3 reviewed, 1 filtered (Cargo.lock: lock file), 1 partial, 1 failed
    Seen in part: assets/data.json: a line of 5 MB
    Not looked at: src/big.rs: the gateway refused the request: 413
    Reviewer failed: performance: 413 from the gateway
    1 finding dropped (-v lists them).
    Note: AGENTS.md of the base commit was used.

    User input reaches a shell, and the new retry loop has no end.

    Critical   app/run.py:6
               User input reaches a shell
    Important  src/retry.rs:2-8
               Retry never ends when the server keeps answering 429

    Fail: significant concerns. 1 critical, 1 important, 1 suggestion, 1 nit
      (fail-on critical).
    full tier (app/run.py is security-sensitive) · 34 s · 123,456 tokens in (81%
      cached), 3,210 out, $0.42
    "#);
}

#[test]
fn at_60_columns_nothing_is_wider() {
    let text = terminal(&review(), 60);
    for line in text.lines() {
        assert!(line.width() <= 60 || line.trim().starts_with("https://"), "{line}");
    }
}

#[test]
fn no_findings_take_three_lines() {
    insta::assert_snapshot!(terminal(&clean_review(), 80), @"
    4 files: 3 reviewed, 1 filtered (Cargo.lock: lock file)
    No model looked. For reviewers, set TRIBUNE_GATEWAY_URL and TRIBUNE_MODEL.
    Pass: approved by the rules alone. No findings in the 3 files reviewed.
    ");
    let mut all_seen = clean_review();
    all_seen.coverage.retain(|c| c.status == CoverageStatus::Reviewed);
    all_seen.models_looked = true;
    insta::assert_snapshot!(terminal(&all_seen, 80), @"
    Pass: approved. No findings in 3 files.
    full tier (app/run.py is security-sensitive) · 310 ms
    ");
}

#[test]
fn no_findings_are_not_claimed_of_files_that_nobody_saw() {
    let mut review = review();
    review.findings.clear();
    review.dropped.clear();
    review.notes.clear();
    review.verdict = crate::report::Verdict::Approved;
    review.outcome = Outcome::Inconclusive;
    insta::assert_snapshot!(terminal(&review, 80), @"
    6 files: 3 reviewed, 1 filtered (Cargo.lock: lock file), 1 partial, 1 failed
    Seen in part: assets/data.json: a line of 5 MB
    Not looked at: src/big.rs: the gateway refused the request: 413
    Reviewer failed: performance: 413 from the gateway
    Inconclusive: 2 files were not looked at in full. No findings in the 3 files
      reviewed.
    full tier (app/run.py is security-sensitive) · 34 s · 123,456 tokens in (81%
      cached), 3,210 out, $0.42
    ");
    review.coverage.retain(|c| c.status == CoverageStatus::Failed);
    let text = terminal(&review, 80);
    assert!(text.contains("No file was reviewed.") && !text.to_lowercase().contains("no findings"), "{text}");
}

#[test]
fn verbose_tells_everything() {
    let text = render(Format::Terminal, &review(), &WriteOptions { verbose: true, ..WriteOptions::default() });
    let from = text.find("Dropped").expect("the list of dropped findings");
    insta::assert_snapshot!(&text[from..], @"
    Dropped
      - Name could be shorter: confidence 0.3 is below 0.5

    Reviewers
      rules: completed, 1 finding, 22 s
      quality: completed, model-a-2, 1 finding
      performance: failed, model-a-2, 1 finding, 413 from the gateway

    Cost and time
      reviewer     requests   input  cached  output   cost  first token  in all
      quality             2  61,728     81%   1,605  $0.21        1.2 s    22 s
      performance         2  61,728     81%   1,605  $0.21        1.2 s    22 s
      Dollars by the built-in list of prices of 2026-11-26; what your gateway
      charges may differ.

    6 files: 3 reviewed, 1 filtered (Cargo.lock: lock file), 1 partial, 1 failed
    Seen in part: assets/data.json: a line of 5 MB
    Not looked at: src/big.rs: the gateway refused the request: 413
    Reviewer failed: performance: 413 from the gateway
    Note: AGENTS.md of the base commit was used.

    User input reaches a shell, and the new retry loop has no end.

    Critical   app/run.py:6
               User input reaches a shell
    Important  src/retry.rs:2-8
               Retry never ends when the server keeps answering 429

    Fail: significant concerns. 1 critical, 1 important, 1 suggestion, 1 nit
      (fail-on critical).
    full tier (app/run.py is security-sensitive; 112 changed lines) · 34 s · 123,456
      tokens in (81% cached), 3,210 out, $0.42
    ");
}

#[test]
fn the_table_of_costs_names_models_where_a_reviewer_asked_several_and_gives_way_where_it_is_narrow() {
    let mut review = review();
    let mut other = review.reviewers[1].models[0].clone();
    (other.model, other.requests, other.first_token_seconds) = ("model-b".to_owned(), 1, None);
    other.usage = crate::gateway::Usage { input_tokens: 900, output_tokens: 12, estimated: true, ..Default::default() };
    review.reviewers[1].models.push(other);
    let at = |width| {
        let text = render(Format::Terminal, &review, &WriteOptions { verbose: true, width, ..WriteOptions::default() });
        let (from, to) = (text.find("Reviewers\n").expect("the list"), text.find("6 files").expect("the ledger"));
        text[from..to].to_owned()
    };
    insta::assert_snapshot!(at(100), @"
    Reviewers
      rules: completed, 1 finding, 22 s
      quality: completed, model-a-2, 1 finding
      performance: failed, model-a-2, 1 finding, 413 from the gateway

    Cost and time
      reviewer     model      requests   input  cached  output     cost  first token  in all
      quality      model-a           2  61,728     81%   1,605    $0.21        1.2 s    22 s
      quality      model-b           1    ~900             ~12  unknown
      performance  model-a-2         2  61,728     81%   1,605    $0.21        1.2 s    22 s
      Dollars by the built-in list of prices of 2026-11-26; what your gateway charges may differ.
    ");
    assert!(at(60).contains("61,728 tokens in (81% cached)") && !at(60).contains("Cost and time"), "{}", at(60));
}

#[test]
fn files_that_one_reason_kept_from_being_seen_take_one_line() {
    let mut review = review();
    let failed = review.coverage.iter().find(|c| c.status == CoverageStatus::Failed).expect("one").clone();
    review.coverage.extend((0..20).map(|n| Coverage { path: crate::path::RepoPath::from(format!("src/part_{n}.rs").as_str()), ..failed.clone() }));
    let text = render(Format::Terminal, &review, &WriteOptions { width: 100, ..WriteOptions::default() });
    let told: Vec<&str> = text.lines().skip_while(|l| !l.starts_with("Not looked at")).take(2).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    Not looked at: src/big.rs, src/part_0.rs, src/part_1.rs and 18 more: the gateway refused the
      request: 413
    ");
    let markdown = render(Format::Markdown, &review, &WriteOptions::default());
    let line = markdown.lines().find(|l| l.contains("src/big.rs")).expect("told");
    assert_eq!(line, "- Not seen in full: `src/big.rs`, `src/part_0.rs`, `src/part_1.rs` and 18 more: the gateway refused the request: 413");
    assert!(markdown.matches("src/part_7.rs").count() == 1, "the ledger has all");
    let verbose = render(Format::Terminal, &review, &WriteOptions { verbose: true, ..WriteOptions::default() });
    assert!(verbose.contains("src/part_19.rs"));
}

#[test]
fn colour_only_repeats_the_words() {
    let plain = terminal(&review(), 80);
    let colored = render(Format::Terminal, &review(), &WriteOptions { color: true, ..WriteOptions::default() });
    assert!(colored.contains("\x1b[1m\x1b[31mCritical:\x1b[0m"), "{colored:?}");
    assert_eq!(stripped(&colored), plain);
}

/// `text` without our colours.
fn stripped(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split("\x1b[");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push_str(part.split_once('m').expect("only colours").1);
    }
    out
}

#[test]
fn strangers_cannot_write_to_the_terminal_or_give_a_ci_runner_commands() {
    for width in [40, 60, 80] {
        let colored = render(Format::Terminal, &hostile(), &WriteOptions { color: true, width, verbose: true });
        let text = stripped(&colored);
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'));
        for line in text.lines() {
            assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line}");
        }
    }
}

#[test]
fn the_worst_is_named_again_when_it_has_scrolled_away() {
    let mut review = review();
    review.findings.truncate(3);
    assert!(!terminal(&review, 80).contains("Critical   app/run.py:6"));
    review.findings.push(finding(Severity::Nit, "One more"));
    assert!(terminal(&review, 80).contains("Critical   app/run.py:6"));
}

#[test]
fn what_a_human_settled_does_not_count() {
    let mut review = review();
    review.findings[0].status = FindingStatus::Settled;
    assert!(terminal(&review, 80).contains("1 important, 1 suggestion, 1 nit, 1 settled"));
}

#[test]
fn findings_on_one_huge_line_stay_small() {
    let mut review = review();
    let line = format!("{}evil(x){}", "é".repeat(1_000_000), "b".repeat(2_000_000));
    let mut one = finding(Severity::Important, "t");
    one.anchor = crate::report::sample::lines(1, 1);
    one.quote = "evil(x)".to_owned();
    review.findings = vec![one; 200];
    let mut sources = crate::report::Sources::default();
    let text = crate::text::FileText::whole(line.as_bytes());
    sources.insert(crate::path::RepoPath::from("src/retry.rs"), crate::diff::Side::New, text);
    let mut out = Vec::new();
    crate::report::write(Format::Terminal, &review, &sources, &WriteOptions::default(), &mut out).expect("a vector takes everything");
    assert!(out.len() < 1_000_000, "each frame is clipped: {}", out.len());
}
