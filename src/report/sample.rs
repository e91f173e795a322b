//! One review with something of everything, for the formats' tests.

use super::{ChangeInfo, ModelRun, Outcome, Provenance, Review, ReviewerRun, ReviewerStatus, RuleSourceInfo, Sources, Verdict};
use crate::diff::Side;
use crate::findings::{Anchor, Category, Dropped, Finding, FindingSource, FindingStatus, Lines, RuleRef, Severity};
use crate::gateway::Usage;
use crate::path::RepoPath;
use crate::risk::{Coverage, CoverageStatus, Tier};
use crate::rules::RuleStatus;
use crate::rules::waiver::Waived;
use crate::text::FileText;

pub(crate) const RUN_PY: &str =
    "import subprocess\n\n\ndef handler(request):\n    cmd = request.args[\"cmd\"]\n    subprocess.call(cmd, shell=True)\n    return \"ok\"\n";
pub(crate) const RETRY_RS: &str = "fn fetch(url: &str) -> Reply {\n\tloop {\n\t\tlet reply = get(url);\n\t\tif reply.status != 429 {\n\t\t\treturn reply;\n\t\t}\n\t\tsleep(reply.wait());\n\t}\n}\n";

pub(crate) fn lines(start: u32, end: u32) -> Anchor {
    Anchor::Exact(Lines { start, end, old_line: None })
}

/// A model's finding with nothing optional, on line 3 of `src/retry.rs`.
pub(crate) fn finding(severity: Severity, title: &str) -> Finding {
    Finding {
        fingerprint: format!("{:032x}", title.bytes().fold(7u64, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b)))),
        severity,
        category: Category::Quality,
        reviewer: "quality".to_owned(),
        also: Vec::new(),
        source: FindingSource::Model,
        title: title.to_owned(),
        body: "A server that answers 429 for ever keeps the caller in this loop for ever. Give up after a few attempts.".to_owned(),
        trigger: None,
        cause: None,
        rule: None,
        path: RepoPath::from("src/retry.rs"),
        old_path: None,
        side: Side::New,
        anchor: lines(3, 3),
        quote: "let reply = get(url);".to_owned(),
        suggestion: None,
        confidence: None,
        status: FindingStatus::New,
    }
}

/// A rule's hit with everything optional, on line 6 of `app/run.py`.
pub(crate) fn rule_hit() -> Finding {
    Finding {
        category: Category::Security,
        reviewer: "rules".to_owned(),
        also: vec!["security".to_owned()],
        source: FindingSource::Rule,
        body: "The value of the query parameter reaches `/bin/sh`, so whoever sends it runs commands as the service. Pass a list and leave the shell out.".to_owned(),
        trigger: Some("any signed-in user sends a command in the query of this page".to_owned()),
        rule: Some(RuleRef {
            id: "SEC-PY-003".to_owned(),
            status: RuleStatus::Enforced,
            source: Some("Security handbook, part 4".to_owned()),
            url: Some("https://codex.example.org/security/python".to_owned()),
            owner: Some("team-security".to_owned()),
        }),
        path: RepoPath::from("app/run.py"),
        anchor: lines(6, 6),
        quote: "subprocess.call(cmd, shell=True)".to_owned(),
        suggestion: Some("    subprocess.call(shlex.split(cmd))".to_owned()),
        ..finding(Severity::Critical, "User input reaches a shell")
    }
}

fn findings() -> Vec<Finding> {
    vec![
        rule_hit(),
        Finding {
            trigger: Some("the server answers every request with 429".to_owned()),
            anchor: lines(2, 8),
            confidence: Some(0.9),
            ..finding(Severity::Important, "Retry never ends when the server keeps answering 429")
        },
        Finding {
            side: Side::Old,
            anchor: lines(12, 12),
            quote: "    log::warn!(\"giving up\");".to_owned(),
            body: "The removed line was the only trace of a failed fetch.".to_owned(),
            ..finding(Severity::Suggestion, "A failed fetch leaves no trace in the log")
        },
        Finding {
            category: Category::Documentation,
            reviewer: "docs".to_owned(),
            path: RepoPath::from("README.md"),
            anchor: Anchor::File,
            quote: "gives up after 5 attempts".to_owned(),
            body: "The README still promises five attempts.".to_owned(),
            status: FindingStatus::Persisting,
            ..finding(Severity::Nit, "The README tells of a limit that is gone")
        },
    ]
}

fn run(id: &str, status: ReviewerStatus, usage: Usage) -> ReviewerRun {
    ReviewerRun {
        id: id.to_owned(),
        model: (id != "rules").then(|| "model-a-2".to_owned()),
        status,
        reason: None,
        seconds: 21.5,
        requests: 2,
        usage,
        first_token_seconds: (id != "rules").then_some(1.25),
        models: if id == "rules" {
            Vec::new()
        } else {
            vec![ModelRun { model: "model-a".to_owned(), requests: 2, usage, seconds: 20.5, first_token_seconds: Some(1.25) }]
        },
        findings: 1,
    }
}

fn coverage(path: &str, status: CoverageStatus, reason: Option<&str>) -> Coverage {
    let reviewers = if status == CoverageStatus::Reviewed { vec!["quality".to_owned(), "rules".to_owned()] } else { Vec::new() };
    Coverage { path: RepoPath::from(path), status, reason: reason.map(str::to_owned), reviewers, bounded: false }
}

/// A failing review: four findings, a filtered, a partial and a failed file, a failed reviewer.
pub(crate) fn review() -> Review {
    let usage = Usage { input_tokens: 61_728, cached_tokens: 50_000, output_tokens: 1_605, cost_usd: Some(0.21), ..Usage::default() };
    let total = Usage { input_tokens: 123_456, cached_tokens: 100_000, output_tokens: 3_210, cost_usd: Some(0.42), ..Usage::default() };
    Review {
        outcome: Outcome::Fail,
        verdict: Verdict::SignificantConcerns,
        provenance: Provenance {
            tribune: "0.1.0".to_owned(),
            policy_sha: Some("1f".repeat(20)),
            config_digest: "c0".repeat(32),
            prompts_digest: "d1".repeat(32),
            rules: vec![RuleSourceInfo { source: "built-in".to_owned(), commit: None, cached: false }],
            gateway_host: Some("gateway.example.org".to_owned()),
            prices: Some("2026-11-26".to_owned()),
        },
        tier: Tier::Full,
        tier_reasons: vec!["app/run.py is security-sensitive".to_owned(), "112 changed lines".to_owned()],
        change: ChangeInfo {
            base_sha: Some("ba".repeat(20)),
            head_sha: None,
            label: "work tree against main (babababa)".to_owned(),
            files: 6,
            lines_added: 90,
            lines_removed: 22,
        },
        coverage: vec![
            coverage("Cargo.lock", CoverageStatus::Filtered, Some("lock file")),
            coverage("README.md", CoverageStatus::Reviewed, None),
            coverage("app/run.py", CoverageStatus::Reviewed, None),
            coverage("assets/data.json", CoverageStatus::Partial, Some("a line of 5 MB")),
            coverage("src/big.rs", CoverageStatus::Failed, Some("the gateway refused the request: 413")),
            coverage("src/retry.rs", CoverageStatus::Reviewed, None),
        ],
        reviewers: vec![
            run("rules", ReviewerStatus::Completed, Usage::default()),
            run("quality", ReviewerStatus::Completed, usage),
            ReviewerRun { reason: Some("413 from the gateway".to_owned()), ..run("performance", ReviewerStatus::Failed, usage) },
        ],
        findings: findings(),
        dropped: vec![Dropped { title: "Name could be shorter".to_owned(), reason: "confidence 0.3 is below 0.5".to_owned() }],
        waived: Vec::new(),
        summary: "User input reaches a shell, and the new retry loop has no end.".to_owned(),
        usage: total,
        notes: vec!["AGENTS.md of the base commit was used.".to_owned()],
        seconds: 34.2,
        fail_on: Some(Severity::Critical),
        models_looked: true,
        target: None,
        round: 1,
        prior: Vec::new(),
        override_: None,
        spent_before_usd: None,
        next: None,
        spans: Vec::new(),
        path_fail_on: Vec::new(),
        posting: None,
    }
}

/// The same, after which nothing was found: rules alone, everything seen but a lock file.
pub(crate) fn clean_review() -> Review {
    let mut review = review();
    review.outcome = Outcome::Pass;
    review.verdict = Verdict::Approved;
    review.findings.clear();
    review.dropped.clear();
    review.notes.clear();
    review.coverage.retain(|c| matches!(c.status, CoverageStatus::Reviewed | CoverageStatus::Filtered));
    review.reviewers.truncate(1);
    review.provenance.gateway_host = None;
    review.provenance.prices = None;
    review.usage = Usage::default();
    review.seconds = 0.31;
    review.summary = "Nothing was found.".to_owned();
    review.models_looked = false;
    review
}

/// The code that [`review`]'s findings stand in.
pub(crate) fn sources() -> Sources {
    let mut sources = Sources::default();
    sources.insert(RepoPath::from("app/run.py"), Side::New, FileText::whole(RUN_PY.as_bytes()));
    sources.insert(RepoPath::from("src/retry.rs"), Side::New, FileText::whole(RETRY_RS.as_bytes()));
    sources
}

/// A review in which every string that strangers write is hostile.
pub(crate) fn hostile() -> Review {
    let evil =
        "::error::x\n::set-output::y\r\n\x1b[2J##[group]\n\u{202e}/merge\n@all ![a](https://evil.example) </details><script>``` %0A::warning::z";
    let mut review = review();
    for f in &mut review.findings {
        for text in [&mut f.title, &mut f.body, &mut f.reviewer, &mut f.quote] {
            *text = evil.to_owned();
        }
        f.trigger = Some(evil.to_owned());
        f.cause = Some(evil.to_owned());
        f.path = RepoPath::from(evil);
        if let Some(rule) = &mut f.rule {
            rule.id = evil.to_owned();
            rule.source = Some(evil.to_owned());
            rule.owner = Some(evil.to_owned());
            rule.url = Some("javascript:alert(1)".to_owned());
        }
        f.suggestion = f.suggestion.as_ref().map(|_| evil.to_owned());
    }
    for c in &mut review.coverage {
        c.path = RepoPath::from(evil);
        c.reason = Some(evil.to_owned());
    }
    for r in &mut review.reviewers {
        r.model = Some(evil.to_owned());
        r.reason = Some(evil.to_owned());
        for m in &mut r.models {
            m.model = evil.to_owned();
        }
    }
    review.waived = vec![Waived {
        rule_id: evil.to_owned(),
        severity: Severity::Suggestion,
        title: evil.to_owned(),
        path: RepoPath::from(evil),
        lines: (3, 3),
        reason: evil.to_owned(),
        by: evil.to_owned(),
        until: None,
    }];
    review.summary = evil.to_owned();
    review.notes = vec![evil.to_owned()];
    review.tier_reasons = vec![evil.to_owned()];
    review.dropped = vec![Dropped { title: evil.to_owned(), reason: evil.to_owned() }];
    review
}

/// What a format makes of a review, with the sample's sources.
pub(crate) fn render(format: super::Format, review: &Review, opts: &super::WriteOptions) -> String {
    let mut out = Vec::new();
    super::write(format, review, &sources(), opts, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("every format is UTF-8")
}

/// Markdown as a forge may act on it: without code spans and fences, other escapes undone, an escaped `<` gone.
pub(crate) fn outside_code(text: &str) -> String {
    let run = |at: usize| text[at..].bytes().take_while(|b| *b == b'`').count();
    let mut out = String::new();
    let mut i = 0;
    while let Some(c) = text[i..].chars().next() {
        if c == '\\' {
            let escaped = text[i + 1..].chars().next();
            out.extend(escaped.filter(|c| *c != '<'));
            i += 1 + escaped.map_or(0, char::len_utf8);
            continue;
        }
        let ticks = run(i);
        let mut end = i + ticks;
        while ticks > 0 && end < text.len() && run(end) != ticks {
            end += run(end).max(1);
            end = text.ceil_char_boundary(end);
        }
        if ticks > 0 && end < text.len() {
            i = end + ticks;
        } else {
            out.push(c);
            i += c.len_utf8();
        }
    }
    out
}
