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

/// A fenced block under `## Bad` or `## Good`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Example {
    pub(super) kind: ExampleKind,
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
    /// Targets of links with their lines, fragments cut off.
    pub(super) links: Vec<(usize, String)>,
}

/// Takes a body apart whose first line is line `first` of the file.
pub(super) fn read(body: &str, first: usize) -> Result<Body, Problem> {
    let mut out = Body::default();
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
                Section::Examples(kind) => {
                    let mut info = fence.info.split_whitespace().map(str::to_owned);
                    out.examples.push(Example { kind, tag: info.next().unwrap_or_default(), path: info.next(), code, line: number });
                }
                Section::Other => {}
            }
            continue;
        }
        match line.trim_end() {
            "## Bad" => section = Section::Examples(ExampleKind::Bad),
            "## Good" => section = Section::Examples(ExampleKind::Good),
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

enum Section {
    Text,
    Examples(ExampleKind),
    Other,
}

struct Fence<'l> {
    mark: char,
    length: usize,
    info: &'l str,
}

impl<'l> Fence<'l> {
    fn open(line: &'l str) -> Option<Self> {
        let inner = line.trim_start_matches(' ');
        let mark = inner.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = inner.trim_start_matches(mark);
        let length = inner.len() - info.len();
        (line.len() - inner.len() <= 3 && length >= 3 && !(mark == '`' && info.contains('`'))).then(|| Fence { mark, length, info: info.trim() })
    }

    fn closes(&self, line: &str) -> bool {
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
        assert_eq!(read.links, [(10, "../README.md".to_owned()), (10, "https://example.org".to_owned())]);
        let examples: Vec<_> = read.examples.iter().map(|e| (e.kind, e.tag.as_str(), e.path.as_deref(), e.code.as_str(), e.line)).collect();
        assert_eq!(examples, [(ExampleKind::Bad, "md", Some("a/b.md"), "```\nx\n```\n", 17), (ExampleKind::Good, "python", None, "ok()\n", 24)]);
    }

    #[test]
    fn refuses_an_open_fence() {
        let problem = read("text\n## Bad\n```c\nint a;\n", 5).expect_err("an open fence").of_file("a.md");
        assert_eq!(problem.to_string(), "a.md:7:0: this fence is never closed (close it with ```)");
    }
}
