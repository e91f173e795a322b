//! Positions as GitLab wants them: from the version's three commits, with both paths, and with the line numbers of the
//! sides on which the line stands. Anything else is refused, or taken and lost later.

use super::answers::WireVersion;
use crate::diff::LineKind;
use crate::forge::{End, NewThread, Span};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

/// Steps of the ladder, in their order. A step that does not apply is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rung {
    /// On all lines.
    Lines,
    /// On the last line alone.
    Line,
    /// On the file.
    File,
}

impl Rung {
    /// The steps of a thread, best first.
    pub(super) fn of(thread: &NewThread) -> &'static [Self] {
        match &thread.span {
            None => &[Self::File],
            Some(span) if span.lines.0 == span.lines.1 => &[Self::Line, Self::File],
            Some(_) => &[Self::Lines, Self::Line, Self::File],
        }
    }
}

/// The position of a thread at a step; `None` where the step does not apply.
pub(super) fn position(version: &WireVersion, thread: &NewThread, rung: Rung) -> Option<Value> {
    let mut position = json!({
        "base_sha": version.base, "start_sha": version.start, "head_sha": version.head,
        "old_path": thread.old_path, "new_path": thread.new_path,
    });
    let kind = if rung == Rung::File { "file" } else { "text" };
    position["position_type"] = json!(kind);
    if rung == Rung::File {
        return Some(position);
    }
    let span = thread.span.as_ref()?;
    let end = span.ends.1;
    if end.kind != LineKind::Added {
        position["old_line"] = json!(end.old);
    }
    if end.kind != LineKind::Removed {
        position["new_line"] = json!(end.new);
    }
    if rung == Rung::Lines {
        position["line_range"] = range(&thread.new_path, span);
    }
    Some(position)
}

/// Only codes and types: some versions refuse line numbers inside the range of a draft.
fn range(path: &str, span: &Span) -> Value {
    let sum: String = Sha1::digest(path.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let end = |end: End| {
        let kind = if end.kind == LineKind::Added { "new" } else { "old" };
        json!({"line_code": format!("{sum}_{}_{}", end.old, end.new), "type": kind})
    };
    json!({"start": end(span.ends.0), "end": end(span.ends.1)})
}
