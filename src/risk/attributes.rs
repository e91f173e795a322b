//! The part of `.gitattributes` that says what is generated or vendored. Only the policy commit's files are
//! to be given here (TRUST 3). Macros and quoted patterns are not read; what is not understood hides nothing.

use crate::path::RepoPath;
use globset::{Candidate, GlobBuilder, GlobMatcher};

/// The longest file that is read, in bytes.
const MAX_BYTES: usize = 256 << 10;
/// The most lines that count, over all files.
const MAX_RULES: usize = 500;

/// What a line says about the files that fit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Generated,
    Vendored,
    NotDiffed,
}

impl Mark {
    pub(super) fn name(self) -> &'static str {
        match self {
            Mark::Generated => "linguist-generated",
            Mark::Vendored => "linguist-vendored",
            Mark::NotDiffed => "-diff",
        }
    }
}

#[derive(Debug)]
struct Rule {
    matcher: GlobMatcher,
    /// The folder that the pattern starts from where it names one, else `None`: it goes by file names.
    place: Option<String>,
    mark: Mark,
    set: bool,
}

/// Attributes of the policy commit, ready to be asked.
#[derive(Debug, Default)]
pub struct Attributes {
    rules: Vec<Rule>,
}

impl Attributes {
    /// Reads `.gitattributes` files: each with its path and text. Order does not matter.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a RepoPath, &'a str)>) -> Self {
        let mut files: Vec<_> =
            files.into_iter().filter_map(|(path, text)| Some((path.as_str().map(|_| path.parent().into_owned())?, text))).collect();
        // Deeper files come later, and so win.
        files.sort_by(|a, b| (a.0.matches('/').count(), !a.0.is_empty(), &a.0).cmp(&(b.0.matches('/').count(), !b.0.is_empty(), &b.0)));
        let mut rules = Vec::new();
        for (folder, text) in files.into_iter().filter(|(_, text)| text.len() <= MAX_BYTES) {
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '[', '"', '!'])) {
                let mut words = line.split_ascii_whitespace();
                let Some(pattern) = words.next() else { continue };
                for (mark, set) in words.filter_map(mark) {
                    if rules.len() < MAX_RULES {
                        rules.extend(compile(&folder, pattern, mark, set));
                    }
                }
            }
        }
        Self { rules }
    }

    /// What the attributes say about a file, and what else they say that of: the folder of the pattern (`None`:
    /// the pattern goes by names).
    pub(super) fn mark(&self, path: &RepoPath) -> Option<(Mark, Option<&str>)> {
        let candidate = Candidate::from_bytes(path.as_bytes());
        [Mark::Generated, Mark::Vendored, Mark::NotDiffed].into_iter().find_map(|mark| {
            let last = self.rules.iter().rev().find(|rule| rule.mark == mark && rule.matcher.is_match_candidate(&candidate))?;
            last.set.then_some((mark, last.place.as_deref()))
        })
    }
}

fn mark(word: &str) -> Option<(Mark, bool)> {
    let (name, set) = match word.strip_prefix(['-', '!']) {
        Some(name) => (name, false),
        None => match word.split_once('=') {
            Some((name, value)) => (name, value == "true"),
            None => (word, true),
        },
    };
    match name {
        "linguist-generated" | "gitlab-generated" => Some((Mark::Generated, set)),
        "linguist-vendored" => Some((Mark::Vendored, set)),
        "diff" => Some((Mark::NotDiffed, !set && word.starts_with('-'))),
        "binary" => Some((Mark::NotDiffed, set)),
        _ => None,
    }
}

fn compile(folder: &str, pattern: &str, mark: Mark, set: bool) -> Option<Rule> {
    if pattern.len() > 256 || pattern.ends_with('/') {
        return None;
    }
    let start = if folder.is_empty() { String::new() } else { format!("{}/", globset::escape(folder)) };
    let bare = pattern.strip_prefix('/').unwrap_or(pattern);
    let by_name = !pattern.contains('/') || pattern.starts_with("**/");
    let glob = if !pattern.contains('/') { format!("{start}**/{bare}") } else { format!("{start}{bare}") };
    let matcher = GlobBuilder::new(&glob).literal_separator(true).backslash_escape(true).build().ok()?.compile_matcher();
    let within = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    Some(Rule { matcher, place: (!by_name).then(|| format!("{within}{}", fixed_folder(bare))), mark, set })
}

/// The folders that a glob names before its first wildcard, with `/` at the end; empty where there are none.
pub(super) fn fixed_folder(glob: &str) -> &str {
    let wild = glob.find(['*', '?', '[', '{', '\\']).unwrap_or(glob.len());
    glob[..wild].rfind('/').map_or("", |end| &glob[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_git_would_but_no_more() {
        let files = [
            (RepoPath::from("web/.gitattributes"), "gen/** -linguist-generated\n*.snap linguist-generated=true\n"),
            (
                RepoPath::from(".gitattributes"),
                "# comment\n*.pb.go linguist-generated\n/web/gen/** linguist-generated\nthird/** linguist-vendored=true\n*.svg -diff\n*.txt diff\n*.lock binary\n[attr]m linguist-generated\n\"a b\" linguist-generated\ndocs/ linguist-generated\n[bad linguist-generated\n*.x linguist-generated=false\n",
            ),
        ];
        let attributes = Attributes::new(files.iter().map(|(p, t)| (p, *t)));
        let mark = |path: &str| {
            attributes.mark(&RepoPath::from(path)).map(|(mark, place)| format!("{mark:?} {}", place.unwrap_or("by name"))).unwrap_or_default()
        };
        for (path, expected) in [
            ("a/b.pb.go", "Generated by name"),
            ("third/x/y.c", "Vendored third/"),
            ("x/third/y.c", ""),
            ("web/gen/x.ts", ""),
            ("web/a/b.snap", "Generated by name"),
            ("a.snap", ""),
            ("i.svg", "NotDiffed by name"),
            ("a.txt", ""),
            ("a.lock", "NotDiffed by name"),
            ("docs/a", ""),
            ("a.x", ""),
        ] {
            assert_eq!(mark(path), expected, "{path}");
        }
    }
}
