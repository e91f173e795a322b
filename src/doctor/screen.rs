//! A diagnosis as one screen for people, and as JSON.

use super::{Diagnosis, Line, State};
use crate::findings::sanitize::terminal as clean;
use serde_json::json;

/// The widest name that others are lined up with.
const NAME: usize = 14;
/// Columns of the state.
const STATE: usize = 7;
/// However narrow the terminal is, texts get so many columns.
const LEAST: usize = 30;

/// One screen: what it comes to first, then the checks.
pub fn text(diagnosis: &Diagnosis, color: bool, width: usize) -> String {
    let paint = |code: &str, text: &str| if color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let mut out = format!("{}\n", paint("1", &format!("tribune {}: {}", env!("CARGO_PKG_VERSION"), verdict(diagnosis))));
    let name = diagnosis.lines().map(|l| l.name.chars().count()).max().unwrap_or(0).min(NAME);
    let indent = 2 + STATE + 2 + name + 2;
    let columns = width.saturating_sub(indent).max(LEAST);
    for section in diagnosis.sections.iter().filter(|s| !s.lines.is_empty()) {
        out.push_str(&format!("\n{}\n", paint("1", section.title)));
        for line in &section.lines {
            let code = match line.state {
                State::Ok => "32",
                State::Warning => "33",
                State::Problem => "1;31",
                State::NotApplicable => "2",
            };
            let label = clean(&line.name);
            let state = paint(code, &format!("{:STATE$}", line.state.word()));
            out.push_str(&format!("  {state}  {label:name$}  "));
            out.push_str(&wrapped(&line.told, columns, indent));
            if let Some(fix) = &line.fix {
                out.push_str(&" ".repeat(indent));
                out.push_str(&wrapped(&format!("fix: {fix}"), columns, indent));
            }
        }
    }
    out
}

/// What it all comes to.
fn verdict(diagnosis: &Diagnosis) -> String {
    let count = |state| diagnosis.lines().filter(|l| l.state == state).count();
    let many = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    match (count(State::Problem), count(State::Warning)) {
        (0, 0) => "nothing stands against a review".to_owned(),
        (0, warnings) => format!("nothing stops a review, {}", many(warnings, "warning")),
        (problems, warnings) => {
            let mut names: Vec<String> = Vec::new();
            for line in diagnosis.lines().filter(|l| l.state == State::Problem) {
                let name = clean(&line.name);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            let warnings = if warnings > 0 { format!(", {}", many(warnings, "warning")) } else { String::new() };
            format!("{} ({}){warnings}", many(problems, "problem"), names.join(", "))
        }
    }
}

/// Lines of at most `columns`, all but the first one indented; ends with a line end.
fn wrapped(text: &str, columns: usize, indent: usize) -> String {
    let mut lines = Vec::new();
    for line in clean(text).lines() {
        lines.extend(textwrap::wrap(line, columns).into_iter().map(|l| l.trim_end().to_owned()));
    }
    lines.retain(|l| !l.is_empty());
    format!("{}\n", lines.join(&format!("\n{}", " ".repeat(indent))))
}

/// For machines: `tribune.doctor/v1`.
pub fn json(diagnosis: &Diagnosis) -> String {
    let section = |s: &super::Section| json!({"title": s.title, "checks": s.lines.iter().map(check).collect::<Vec<_>>()});
    let all = json!({
        "schema": "tribune.doctor/v1",
        "tribune": env!("CARGO_PKG_VERSION"),
        "exit": diagnosis.exit().code(),
        "sections": diagnosis.sections.iter().filter(|s| !s.lines.is_empty()).map(section).collect::<Vec<_>>(),
    });
    format!("{}\n", serde_json::to_string_pretty(&all).expect("plain data becomes JSON"))
}

fn check(line: &Line) -> serde_json::Value {
    let mut check = json!({"name": clean(&line.name), "state": line.state, "told": clean(&line.told)});
    if let Some(fix) = &line.fix {
        check["fix"] = json!(clean(fix));
    }
    check
}
