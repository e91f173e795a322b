//! The table of costs, for a terminal.

use crate::report::cost::{self, Row};
use crate::report::{Review, clean};

/// Characters of a model's name.
const MAX_MODEL: usize = 28;

type Cell = fn(&Row) -> &str;

/// The table's lines, its head first; `None` where no model was asked. Columns without anything in them are left out, and
/// the models where each reviewer has one: they stand above.
pub(super) fn table(review: &Review) -> Option<Vec<String>> {
    let rows: Vec<Row> = review.reviewers.iter().flat_map(cost::rows).collect();
    if rows.is_empty() {
        return None;
    }
    let columns: [(&str, Cell); 10] = [
        ("reviewer", |r| &r.reviewer),
        ("model", |r| &r.model),
        ("requests", |r| &r.requests),
        ("input", |r| &r.input),
        ("cached", |r| &r.cached),
        ("written", |r| &r.written),
        ("output", |r| &r.output),
        ("cost", |r| &r.cost),
        ("first token", |r| &r.first),
        ("in all", |r| &r.time),
    ];
    let mut lines = vec![String::new(); rows.len() + 1];
    for (i, (head, cell)) in columns.into_iter().enumerate() {
        let cells: Vec<String> = rows.iter().map(|r| clean::terminal(cell(r)).chars().take(MAX_MODEL).collect()).collect();
        if cells.iter().all(String::is_empty) || (head == "model" && review.reviewers.iter().all(|r| r.models.len() < 2)) {
            continue;
        }
        let width = cells.iter().map(|c| c.chars().count()).chain([head.len()]).max().unwrap_or_default();
        for (line, text) in lines.iter_mut().zip(std::iter::once(head).chain(cells.iter().map(String::as_str))) {
            // Names from the left, numbers from the right.
            let padded = if i < 2 { format!("  {text:<width$}") } else { format!("  {text:>width$}") };
            line.push_str(&padded);
        }
    }
    Some(lines)
}
