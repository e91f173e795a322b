//! The summary as it appears in a merge request: the result first (its beginning is what a mail shows), then what has to be
//! read, then everything else folded. It stays below what forges take in one comment, cut on a finding's boundary.

use super::plain::{cut_chars, one_line, plain};
use super::replacement::replacement;
use super::{Review, Sources, WriteOptions, clean, comment, cost, uri, words};
use crate::findings::sanitize::no_commands;
use crate::findings::{Finding, FindingStatus, Severity};
use crate::path::RepoPath;
use crate::risk::Coverage;
use layout::Block;
use std::io;

mod layout;

/// Bytes of the whole, below the 65,536 characters that a comment may have: what is posted gets a marker of its own.
const MAX_BYTES: usize = 60_000;
/// Bytes of everything that is not a finding, so that the findings always have room.
const MAX_ASIDE: usize = 8_000;
/// Characters of a body, of a line of a suggestion, of a note.
const MAX_BODY: usize = 2_000;
const MAX_LINE: usize = 300;
/// Lines of either side of a suggestion.
const MAX_DIFF: usize = 30;
/// Rows of the table of reviewers.
const MAX_RUNS: usize = 20;

pub(super) fn write(review: &Review, sources: &Sources, _: &WriteOptions, out: &mut dyn io::Write) -> io::Result<()> {
    // Printed in a CI job, a line of quoted code must not be a command to its runner.
    out.write_all(no_commands(&summary(review, sources)).as_bytes())
}

/// The summary comment, below 60,000 bytes, ending with a line end.
pub fn summary(review: &Review, sources: &Sources) -> String {
    let alone = Comments { bytes: MAX_BYTES, most: 1, in_thread: &|_| false, link: &|_| None, news: "", title: None };
    pages(review, sources, &alone).remove(0)
}

/// The comments that a summary is told in.
pub struct Comments<'a> {
    /// Bytes of each.
    pub bytes: usize,
    /// How many there may be; findings that find no room are counted.
    pub most: usize,
    /// Whether a finding is told in a thread of its own: then its line is enough.
    pub in_thread: &'a dyn Fn(&Finding) -> bool,
    /// Where a finding's place leads, as a URL of the forge's own making.
    pub link: &'a dyn Fn(&Finding) -> Option<String>,
    /// What is new since the last round: ready Markdown, ending with a line end, or nothing.
    pub news: &'a str,
    /// What stands in the place of outcome and verdict, where the review has neither that counts. Ours.
    pub title: Option<&'a str>,
}

/// The summary in as many comments as it takes, at least one, each ending with a line end. Cut between findings only.
pub fn pages(review: &Review, sources: &Sources, comments: &Comments<'_>) -> Vec<String> {
    let mut head = first_lines(review, comments.title);
    head.push_str(comments.news);
    head.push_str(&counts_table(review));
    let aside = aside(review);
    let first = comments.bytes.saturating_sub(head.len() + aside.len());
    let mut pages = layout::lay_out(blocks(review, sources, comments), first, comments.bytes, comments.most);
    pages[0] = format!("{head}{}{aside}", pages[0]);
    pages
}

fn first_lines(review: &Review, title: Option<&str>) -> String {
    let gate = words::gate(review).filter(|_| title.is_none()).map(|g| format!(" ({g})")).unwrap_or_default();
    let title = title.map_or_else(|| words::headline(review), str::to_owned);
    let mut out = format!("**{title}**: {}{gate}.\n\n", words::counts(review));
    let summary = clean::markdown(&cut_chars(plain(&review.summary).trim(), MAX_BODY));
    if !summary.is_empty() && review.findings.iter().any(|f| f.status != FindingStatus::Settled) {
        out.push_str(&format!("{summary}\n\n"));
    }
    out
}

/// Category by severity; only rows and columns that have something, and none for a single finding.
fn counts_table(review: &Review) -> String {
    let open = || review.findings.iter().filter(|f| f.status != FindingStatus::Settled);
    let columns: Vec<Severity> = words::WORST_FIRST.into_iter().filter(|s| open().any(|f| f.severity == *s)).collect();
    if open().count() < 2 {
        return String::new();
    }
    let labels: Vec<&str> = columns.iter().map(|s| s.label()).collect();
    let mut out = format!("| | {} |\n|---|{}\n", labels.join(" | "), "--:|".repeat(columns.len()));
    for (category, findings) in words::by_category(open()) {
        let cell = |s: &Severity| match findings.iter().filter(|f| f.severity == *s).count() {
            0 => String::new(),
            n => n.to_string(),
        };
        let cells: Vec<String> = columns.iter().map(cell).collect();
        out.push_str(&format!("| {} | {} |\n", category.label(), cells.join(" | ")));
    }
    out.push('\n');
    out
}

/// What is told of the findings, in order: critical and important ones by heading, then the others, folded.
fn blocks(review: &Review, sources: &Sources, comments: &Comments<'_>) -> Vec<Block> {
    let in_full = |f: &&Finding| f.severity >= Severity::Important && f.status != FindingStatus::Settled;
    let mut out = Vec::new();
    for (category, findings) in words::by_category(review.findings.iter().filter(in_full)) {
        let (threads, told): (Vec<&Finding>, Vec<&Finding>) = findings.into_iter().partition(|f| (comments.in_thread)(f));
        let heading = format!("### {}\n\n", category.label());
        out.extend(threads.iter().map(|f| Block { folded: None, heading: heading.clone(), text: line(f, comments), list: true }));
        out.extend(told.iter().map(|f| Block { folded: None, heading: heading.clone(), text: entry(f, sources, comments), list: false }));
    }
    let folded: Vec<&Finding> = review.findings.iter().filter(|f| !in_full(f)).collect();
    let label = folded_label(&folded);
    for (category, findings) in words::by_category(folded.into_iter()) {
        let heading = format!("#### {}\n\n", category.label());
        out.extend(findings.iter().map(|f| Block {
            folded: Some(label.clone()),
            heading: heading.clone(),
            text: entry(f, sources, comments),
            list: false,
        }));
    }
    out
}

/// A finding that has a thread.
fn line(finding: &Finding, comments: &Comments<'_>) -> String {
    format!("- **{}** · {}\n", comment::bold_line(finding), place(finding, comments))
}

fn place(finding: &Finding, comments: &Comments<'_>) -> String {
    let place = clean::code_span(&format!("{}{}", finding.path.display(), words::line_suffix(finding)));
    match (comments.link)(finding).as_deref().and_then(uri::link) {
        Some(url) => format!("[{place}]({url})"),
        None => place,
    }
}

fn folded_label(findings: &[&Finding]) -> String {
    let settled = findings.iter().filter(|f| f.status == FindingStatus::Settled).count();
    let of = |s: Severity| findings.iter().filter(|f| f.severity == s && f.status != FindingStatus::Settled).count();
    let mut parts = Vec::new();
    parts.extend(Some(of(Severity::Suggestion)).filter(|n| *n > 0).map(|n| words::count(n, "suggestion")));
    parts.extend(Some(of(Severity::Nit)).filter(|n| *n > 0).map(|n| words::count(n, "optional nit")));
    parts.extend(Some(settled).filter(|n| *n > 0).map(|n| format!("{n} settled")));
    parts.join(", ")
}

fn entry(finding: &Finding, sources: &Sources, comments: &Comments<'_>) -> String {
    let mut out = format!("**{}** · {}\n\n", comment::bold_line(finding), place(finding, comments));
    let mut put = |text: String| {
        if !text.is_empty() {
            out.push_str(&text);
            out.push_str("\n\n");
        }
    };
    put(clean::markdown(&cut_chars(plain(&finding.body).trim(), MAX_BODY)));
    if let Some(trigger) = finding.trigger.as_deref().map(one_line).filter(|t| !t.is_empty()) {
        put(format!("**When:** {}", clean::inline(&cut_chars(&trigger, MAX_BODY))));
    }
    if let Some(change) = replacement(finding, sources) {
        let mut diff = String::new();
        for (mark, lines) in [('-', &change.old), ('+', &change.new)] {
            for line in lines.iter().take(MAX_DIFF) {
                diff.push_str(&format!("{mark} {}\n", cut_chars(line, MAX_LINE)));
            }
            if lines.len() > MAX_DIFF {
                diff.push_str(&format!("{mark} … {} more lines\n", lines.len() - MAX_DIFF));
            }
        }
        put(clean::code_fence(&diff, "diff").trim_end().to_owned());
    }
    put(format!("<sub>{}</sub>", comment::origin(finding)));
    out
}

/// Everything that is no finding: files not seen and notes in the open, ledger and reviewers folded.
fn aside(review: &Review) -> String {
    let mut list = Lines::new(MAX_ASIDE / 2);
    for alike in words::missed_alike(review) {
        list.push(format!("- Not seen in full: {}\n", files_line(&alike)));
    }
    for (who, why) in words::failures(review) {
        let label = if who.len() == 1 { "Reviewer" } else { "Reviewers" };
        list.push(format!("- {label} failed: {}: {}\n", clean::inline(&words::listed(&who)), short(&why)));
    }
    list.push_all(words::waived(review, |path| path.display().into_owned()).map(|w| format!("- {}\n", clean::inline(&w))));
    for note in &review.notes {
        list.push(format!("- {}\n", short(note)));
    }
    list.push_all(words::no_model(review).map(|hint| format!("- {}\n", clean::inline(hint))));
    let mut out = list.finish();
    if !out.is_empty() {
        out.push('\n');
    }

    let mut files = Lines::new(MAX_ASIDE / 2);
    for file in &review.coverage {
        files.push(format!("- {}: {}\n", words::status_name(file.status), file_line(file)));
    }
    // Names only in the folded part: HTML is no place for a path.
    let label = words::ledger(review, 0, file_line);
    out.push_str(&format!("<details><summary>{label}</summary>\n\n{}\n</details>\n\n", files.finish()));
    out.push_str(&reviewers(review));
    out
}

/// A list that ends with "and N more" when it is long.
struct Lines {
    out: String,
    room: usize,
    more: usize,
}

impl Lines {
    fn new(room: usize) -> Self {
        Self { out: String::new(), room, more: 0 }
    }

    fn push(&mut self, line: String) {
        if self.more > 0 || self.out.len() + line.len() > self.room {
            self.more += 1;
        } else {
            self.out.push_str(&line);
        }
    }

    fn push_all(&mut self, lines: impl IntoIterator<Item = String>) {
        lines.into_iter().for_each(|l| self.push(l));
    }

    fn finish(mut self) -> String {
        if self.more > 0 {
            self.out.push_str(&format!("- and {} more\n", words::thousands(self.more as u64)));
        }
        self.out
    }
}

fn file_line(file: &Coverage) -> String {
    let path = name(&file.path);
    match &file.reason {
        Some(reason) => format!("{path}: {}", short(reason)),
        None => path,
    }
}

/// Files with one reason in a line. Where there are many, all stand in the ledger.
fn files_line(alike: &[&Coverage]) -> String {
    let mut names: Vec<String> = alike.iter().take(words::NAMED).map(|f| name(&f.path)).collect();
    if alike.len() > words::NAMED {
        names.push(format!("{} more", words::thousands((alike.len() - words::NAMED) as u64)));
    }
    match alike.first().and_then(|f| f.reason.as_ref()) {
        Some(reason) => format!("{}: {}", words::listed(&names), short(reason)),
        None => words::listed(&names),
    }
}

fn name(path: &RepoPath) -> String {
    clean::code_span(&cut_chars(&path.display(), MAX_LINE))
}

fn short(text: &str) -> String {
    clean::inline(&cut_chars(&one_line(text), MAX_LINE))
}

fn cell(text: &str) -> String {
    clean::inline(&cut_chars(&one_line(text), 60))
}

fn reviewers(review: &Review) -> String {
    let mut label = vec![words::duration(review.seconds)];
    label.extend(words::usage(&review.usage));
    let mut out = format!("<details><summary>Reviewers, cost and time: {}</summary>\n\n", label.join(", "));
    out.push_str(&format!("{}; {}.\n\n", short(&words::tier(review, true)), short(&review.change.label)));
    out.push_str("| reviewer | model | state | findings | requests | input | output | cost | time (first token) |\n");
    out.push_str("|---|---|---|--:|--:|--:|--:|--:|--:|\n");
    for run in review.reviewers.iter().take(MAX_RUNS) {
        let mut rows = cost::rows(run);
        if rows.is_empty() {
            rows.push(cost::Row { reviewer: one_line(&run.id), time: words::duration(run.seconds), ..Default::default() });
        }
        for (i, row) in rows.into_iter().enumerate() {
            let (state, found) = if i == 0 { (words::reviewer_status(run.status), run.findings.to_string()) } else { ("", String::new()) };
            let of_input = |share: &str, what: &str| if share.is_empty() { String::new() } else { format!(", {share} {what}") };
            let first = if row.first.is_empty() { String::new() } else { format!(" ({})", row.first) };
            out.push_str(&format!(
                "| {} | {} | {state} | {found} | {} | {}{}{} | {} | {} | {}{first} |\n",
                cell(&row.reviewer),
                cell(&row.model),
                row.requests,
                row.input,
                of_input(&row.cached, "cached"),
                of_input(&row.written, "written"),
                row.output,
                row.cost,
                row.time,
            ));
        }
    }
    let remarks = cost::remarks(review);
    if !remarks.is_empty() {
        out.push_str(&format!("\n{}\n", clean::inline(&remarks.join(" "))));
    }
    if !review.dropped.is_empty() {
        out.push_str(&format!("\n{} dropped; the JSON report says why.\n", words::count(review.dropped.len(), "finding")));
    }
    out.push_str(&format!("\ntribune {}\n</details>\n", clean::inline(&review.provenance.tribune)));
    out
}

#[cfg(test)]
mod tests;
