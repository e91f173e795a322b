use super::*;
use crate::report::Outcome;
use crate::report::sample::{clean_review, finding, hostile, outside_code, review, sources};

#[test]
fn a_failing_review() {
    insta::assert_snapshot!(summary(&review(), &sources()), @"
    **Fail: significant concerns**: 1 critical, 1 important, 1 suggestion, 1 nit (fail-on critical).

    User input reaches a shell, and the new retry loop has no end.

    | | Critical | Important | Suggestion | Optional nit |
    |---|--:|--:|--:|--:|
    | Security | 1 |  |  |  |
    | Code Quality |  | 1 | 1 |  |
    | Documentation |  |  |  | 1 |

    ### Security

    **Critical: User input reaches a shell** · `app/run.py:6`

    The value of the query parameter reaches `/bin/sh`, so whoever sends it runs commands as the service. Pass a list and leave the shell out.

    **When:** any signed-in user sends a command in the query of this page

    ```diff
    -     subprocess.call(cmd, shell=True)
    +     subprocess.call(shlex.split(cmd))
    ```

    <sub>[`SEC-PY-003`](https://codex.example.org/security/python) · Security handbook, part 4 · owner team-security · model, security reviewer</sub>

    ### Code Quality

    **Important: Retry never ends when the server keeps answering 429** · `src/retry.rs:2-8`

    A server that answers 429 for ever keeps the caller in this loop for ever. Give up after a few attempts.

    **When:** the server answers every request with 429

    <sub>model, quality reviewer</sub>

    <details><summary>1 suggestion, 1 optional nit</summary>

    #### Code Quality

    **Suggestion: A failed fetch leaves no trace in the log** · `src/retry.rs:12`

    The removed line was the only trace of a failed fetch.

    <sub>model, quality reviewer · removed code</sub>

    #### Documentation

    **Optional nit: The README tells of a limit that is gone** · `README.md`

    The README still promises five attempts.

    <sub>model, docs reviewer · no certain line · told before</sub>

    </details>

    - Not seen in full: `assets/data.json`: a line of 5 MB
    - Not seen in full: `src/big.rs`: the gateway refused the request: 413
    - Reviewer failed: performance: 413 from the gateway
    - AGENTS.md of the base commit was used.

    <details><summary>6 files: 3 reviewed, 1 filtered, 1 partial, 1 failed</summary>

    - filtered: `Cargo.lock`: lock file
    - reviewed: `README.md`
    - reviewed: `app/run.py`
    - partial: `assets/data.json`: a line of 5 MB
    - failed: `src/big.rs`: the gateway refused the request: 413
    - reviewed: `src/retry.rs`

    </details>

    <details><summary>Reviewers, cost and time: 34 s, 123,456 tokens in (81% cached), 3,210 out, $0.42</summary>

    full tier (app/run.py is security-sensitive; 112 changed lines); work tree against main (babababa).

    | reviewer | model | state | findings | requests | input | output | cost | time (first token) |
    |---|---|---|--:|--:|--:|--:|--:|--:|
    | rules |  | completed | 1 |  |  |  |  | 22 s |
    | quality | model-a-2 | completed | 1 | 2 | 61,728, 81% cached | 1,605 | $0.21 | 22 s (1.2 s) |
    | performance | model-a-2 | failed | 1 | 2 | 61,728, 81% cached | 1,605 | $0.21 | 22 s (1.2 s) |

    Dollars by the built-in list of prices of 2026-11-26; what your gateway charges may differ.

    1 finding dropped; the JSON report says why.

    tribune 0.1.0
    </details>
    ");
}

#[test]
fn nothing_found_by_the_rules_alone() {
    insta::assert_snapshot!(summary(&clean_review(), &sources()), @"
    **Pass: approved by the rules alone**: no findings in the 3 files reviewed.

    - No model looked. For reviewers, set TRIBUNE_GATEWAY_URL and TRIBUNE_MODEL.

    <details><summary>4 files: 3 reviewed, 1 filtered</summary>

    - filtered: `Cargo.lock`: lock file
    - reviewed: `README.md`
    - reviewed: `app/run.py`
    - reviewed: `src/retry.rs`

    </details>

    <details><summary>Reviewers, cost and time: 310 ms</summary>

    full tier (app/run.py is security-sensitive; 112 changed lines); work tree against main (babababa).

    | reviewer | model | state | findings | requests | input | output | cost | time (first token) |
    |---|---|---|--:|--:|--:|--:|--:|--:|
    | rules |  | completed | 1 |  |  |  |  | 22 s |

    tribune 0.1.0
    </details>
    ");
}

#[test]
fn the_beginning_makes_sense_in_a_mail() {
    let text = summary(&review(), &sources());
    let start: String = text.chars().take(200).collect();
    insta::assert_snapshot!(start, @"
    **Fail: significant concerns**: 1 critical, 1 important, 1 suggestion, 1 nit (fail-on critical).

    User input reaches a shell, and the new retry loop has no end.

    | | Critical | Important | Suggestion
    ");
}

#[test]
fn what_does_not_fit_is_left_out_whole_and_counted() {
    let mut review = review();
    review.outcome = Outcome::Inconclusive;
    let long = "A sentence of fifty characters stands here, really. ".repeat(30);
    review.findings = (0..300)
        .map(|n| {
            let severity = if n < 20 { Severity::Critical } else { Severity::Nit };
            Finding { body: long.clone(), ..finding(severity, &format!("Finding number {n}")) }
        })
        .collect();
    review.notes = (0..2_000).map(|n| format!("note {n}")).collect();
    let text = summary(&review, &sources());
    assert!(text.len() <= MAX_BYTES, "{}", text.len());
    let shown = text.matches("Finding number ").count();
    let left_out: usize = text
        .lines()
        .find_map(|l| l.strip_suffix(" more findings are left out here, since a comment can hold no more. The JSON report has all."))
        .and_then(|n| n.parse().ok())
        .expect("it says how many are left out");
    assert_eq!(shown + left_out, 300);
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    assert_eq!(text.matches(long.trim()).count(), shown, "each is whole");
    assert!(text.contains("- and 1,"), "notes are counted too");
    assert!(text.trim_end().ends_with("</details>"));
}

#[test]
fn nothing_in_it_acts() {
    let mut out = Vec::new();
    write(&hostile(), &sources(), &WriteOptions::default(), &mut out).expect("a vector takes everything");
    let printed = String::from_utf8(out).expect("Markdown is UTF-8");
    assert!(printed.lines().all(|l| !l.trim_start().starts_with("::") && !l.contains("##[")), "{printed}");
    for text in [printed, summary(&hostile(), &sources())] {
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'));
        let acting = outside_code(&text);
        for bad in ["https://evil", "javascript:", "<script", "@all", "/merge"] {
            assert!(!acting.contains(bad), "{bad} in {acting}");
        }
    }
}
