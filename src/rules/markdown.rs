//! A rule's Markdown: what stands before the examples, the examples' fences, relative links. As much of
//! Markdown as that needs.

use super::problem::Problem;

/// Whether an example shows what the rule forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExampleKind {
    /// The detector must hit it.
    Bad,
    /// The detector must not hit it.
    Good,
}

/// A fenced block under `## Bad` or `## Good`, or a variant of one under `## Also bad` or `## Also good`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Example {
    pub(super) kind: ExampleKind,
    /// Whether it is there for the detector's test alone.
    pub(super) variant: bool,
    /// The first word of the fence's info string.
    pub(super) tag: String,
    /// The second: the file that the code stands in.
    pub(super) path: Option<String>,
    pub(super) code: String,
    /// The fence's line in the file, 1-based.
    pub(super) line: usize,
}

/// A body, taken apart.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// What stands before the first section, trimmed.
    pub(super) text: String,
    pub(super) examples: Vec<Example>,
    /// What people and models read: all up to the variants, trimmed.
    pub(super) shown: String,
    /// Targets of links with their lines, fragments cut off.
    pub(super) links: Vec<(usize, String)>,
}

/// Variants of the examples that keep the defect, and such that lose it.
const ALSO_BAD: &str = "## Also bad";
const ALSO_GOOD: &str = "## Also good";

/// Takes a body apart whose first line is line `first` of the file.
pub(super) fn read(body: &str, first: usize) -> Result<Body, Problem> {
    let mut out = Body { shown: before_variants(body).trim().to_owned(), ..Body::default() };
    let mut section = Section::Text;
    let mut lines = body.lines().enumerate().map(|(i, l)| (first + i, l));
    while let Some((number, line)) = lines.next() {
        if let Some(fence) = Fence::open(line) {
            let mut code = String::new();
            let mut raw = format!("{line}\n");
            loop {
                let Some((_, line)) = lines.next() else {
                    return Err(Problem::line(number, "this fence is never closed", format!("close it with {}", fence.mark())));
                };
                raw.push_str(line);
                raw.push('\n');
                if fence.closes(line) {
                    break;
                }
                code.push_str(line);
                code.push('\n');
            }
            match section {
                Section::Text => out.text.push_str(&raw),
                Section::Examples(kind, variant) => {
                    let mut info = fence.info.split_whitespace().map(str::to_owned);
                    let (tag, path) = (info.next().unwrap_or_default(), info.next());
                    out.examples.push(Example { kind, variant, tag, path, code, line: number });
                }
                Section::Other => {}
            }
            continue;
        }
        match line.trim_end() {
            "## Bad" => section = Section::Examples(ExampleKind::Bad, false),
            "## Good" => section = Section::Examples(ExampleKind::Good, false),
            ALSO_BAD => section = Section::Examples(ExampleKind::Bad, true),
            ALSO_GOOD => section = Section::Examples(ExampleKind::Good, true),
            heading if heading.starts_with("## ") && !matches!(section, Section::Text) => section = Section::Other,
            _ => {
                out.links.extend(links(line).map(|target| (number, target)));
                if matches!(section, Section::Text) {
                    out.text.push_str(line);
                    out.text.push('\n');
                }
            }
        }
    }
    out.text = out.text.trim().to_owned();
    Ok(out)
}

/// A body up to the first section of variants outside of a fence. They are the last sections of a rule.
fn before_variants(body: &str) -> &str {
    let mut at = 0;
    let mut open: Option<Fence<'_>> = None;
    for line in body.split_inclusive('\n') {
        match &open {
            Some(fence) if fence.closes(line) => open = None,
            Some(_) => {}
            None if matches!(line.trim_end(), ALSO_BAD | ALSO_GOOD) => return &body[..at],
            None => open = Fence::open(line),
        }
        at += line.len();
    }
    body
}

enum Section {
    Text,
    /// Of which kind, and whether they are variants.
    Examples(ExampleKind, bool),
    Other,
}

pub(super) struct Fence<'l> {
    mark: char,
    length: usize,
    info: &'l str,
}

impl<'l> Fence<'l> {
    pub(super) fn open(line: &'l str) -> Option<Self> {
        let inner = line.trim_start_matches(' ');
        let mark = inner.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = inner.trim_start_matches(mark);
        let length = inner.len() - info.len();
        (line.len() - inner.len() <= 3 && length >= 3 && !(mark == '`' && info.contains('`'))).then(|| Fence { mark, length, info: info.trim() })
    }

    pub(super) fn closes(&self, line: &str) -> bool {
        let inner = line.trim();
        inner.len() >= self.length && inner.chars().all(|c| c == self.mark)
    }

    fn mark(&self) -> String {
        self.mark.to_string().repeat(self.length)
    }
}

/// The targets of `[…](target)` that are no mere fragments.
fn links(line: &str) -> impl Iterator<Item = String> + '_ {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', ' ', '#']).next().unwrap_or_default();
        (!target.is_empty()).then(|| target.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_body_apart() {
        let body = "Say [why](../README.md#x), see [it](https://example.org).\n\n```sh\n## Bad\n```\n\n## Bad\n````md a/b.md\n```\nx\n```\n````\n\n## Good\n~~~ python\nok()\n~~~\n## Notes\n```c\n```\n";
        let read = read(body, 10).expect("a body");
        assert_eq!(read.text, "Say [why](../README.md#x), see [it](https://example.org).\n\n```sh\n## Bad\n```");
        assert_eq!(read.shown, body.trim());
        assert_eq!(read.links, [(10, "../README.md".to_owned()), (10, "https://example.org".to_owned())]);
        let examples: Vec<_> = read.examples.iter().map(|e| (e.kind, e.tag.as_str(), e.path.as_deref(), e.code.as_str(), e.line)).collect();
        assert_eq!(examples, [(ExampleKind::Bad, "md", Some("a/b.md"), "```\nx\n```\n", 17), (ExampleKind::Good, "python", None, "ok()\n", 24)]);
    }

    #[test]
    fn variants_are_tested_and_not_shown() {
        let read = read("Text.\n## Bad\n```c\n## Also bad\n```\n## Good\n```c\na\n```\n## Also bad\n```c\nb\n```\n## Also good\n```c\nc\n```\n", 1)
            .expect("a body");
        assert!(read.shown.starts_with("Text.") && read.shown.ends_with("## Good\n```c\na\n```"));
        let examples: Vec<_> = read.examples.iter().map(|e| (e.kind, e.variant, e.code.trim())).collect();
        let (bad, good) = (ExampleKind::Bad, ExampleKind::Good);
        assert_eq!(examples, [(bad, false, "## Also bad"), (good, false, "a"), (bad, true, "b"), (good, true, "c")]);
    }

    #[test]
    fn refuses_an_open_fence() {
        let problem = read("text\n## Bad\n```c\nint a;\n", 5).expect_err("an open fence").of_file("a.md");
        assert_eq!(problem.to_string(), "a.md:7:0: this fence is never closed (close it with ```)");
    }
}
