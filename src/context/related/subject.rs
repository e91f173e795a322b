//! Whether a line that holds a changed name means the changed thing, and how near it stands.

use super::super::changes::ChangeKind;
use super::super::grammar::Class;
use super::super::words::Use;
use super::lines::is_comment;
use super::needles::{Name, Used};
use crate::git::GrepHit;
use crate::path::RepoPath;

/// A symbol that the change altered, or a function that it calls no longer.
pub(super) struct Subject<'n> {
    /// Its name with its containers'.
    pub(super) qualified: &'n str,
    pub(super) class: Class,
    /// What happened to it; `None` for what is only no longer called.
    pub(super) change: Option<ChangeKind>,
    /// Whether nothing has that name here any more.
    pub(super) gone: bool,
    owner: Option<&'n str>,
    ambiguous: bool,
    from: &'n RepoPath,
}

impl<'n> Subject<'n> {
    /// `declared`: how many declarations of that name stand in the tree after the change. `None` where uses tell nothing.
    pub(super) fn new(text: &'n str, name: &'n Name, from: &'n RepoPath, declared: usize) -> Option<Self> {
        let (change, qualified, class) = match (&name.symbol, name.used) {
            (Some((change, symbol)), _) => (Some(*change), symbol.name.as_str(), symbol.class),
            // Something was called and is not any more: a mock of it may be left.
            (None, Some((Used::Vanished, Use::Call | Use::Method))) => (None, text, Class::Code),
            _ => return None,
        };
        let gone = matches!(change, Some(ChangeKind::Removed | ChangeKind::Renamed));
        let owner = qualified.rsplit(['.', ':']).filter(|part| !part.is_empty()).nth(1).map(|o| o.trim_end_matches('>'));
        let ambiguous = declared > usize::from(!gone) || class == Class::Member;
        Some(Self { qualified, class, change, gone, owner, ambiguous, from })
    }

    /// Whether a hit is likely of this symbol, and worth showing.
    pub(super) fn is_meant(&self, hit: &GrepHit) -> bool {
        let code = hit.text.trim_start();
        let doc = matches!(hit.path.extension().as_str(), "md" | "rst" | "txt" | "adoc");
        let comment = is_comment(code);
        if (comment || doc || is_import(code)) && !self.gone {
            return false;
        }
        let same = same_family(self.from, &hit.path);
        if !same && !doc && !self.gone {
            return false;
        }
        // A compiler would have found what still uses a method that is gone: more likely it is another's of that name.
        let compiled =
            matches!(self.from.extension().as_str(), "rs" | "go" | "java" | "kt" | "scala" | "cs" | "swift" | "c" | "cc" | "cpp" | "ts" | "tsx");
        let checked = self.gone && compiled && self.owner.is_some() && same && !doc && !comment;
        // Where several have that name, only lines that name its type too are sure.
        !(self.ambiguous || checked) || self.owner.is_some_and(|owner| hit.text.contains(owner))
    }
}

/// Whether two files can use each other's names.
pub(crate) fn same_family(a: &RepoPath, b: &RepoPath) -> bool {
    let family = |p: &RepoPath| match p.extension().as_str() {
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte" => "script",
        "c" | "h" | "cc" | "cpp" | "hpp" | "cxx" => "c",
        "java" | "kt" | "scala" | "groovy" => "jvm",
        "py" | "pyi" => "python",
        "rs" => "rust",
        "go" => "go",
        "rb" | "rake" => "ruby",
        _ => "other",
    };
    let (a, b) = (family(a), family(b));
    a == b || a == "other" || b == "other"
}

/// How many folders lie between two files.
pub(super) fn distance(a: &RepoPath, b: &RepoPath) -> usize {
    let (a, b) = (a.parent(), b.parent());
    let common = a.split('/').zip(b.split('/')).take_while(|(a, b)| a == b).count();
    a.split('/').count() + b.split('/').count() - 2 * common
}

/// What nearness adds to a fact's score.
pub(super) fn nearness(a: &RepoPath, b: &RepoPath) -> i32 {
    match distance(a, b) {
        0 => 8,
        1 | 2 => 4,
        _ => 0,
    }
}

fn is_import(code: &str) -> bool {
    ["use ", "pub use ", "import ", "from ", "#include", "require "].iter().any(|w| code.starts_with(w))
}

/// A line of a list of names alone, such as of an import over several lines.
pub(super) fn is_list(code: &str) -> bool {
    code.chars().all(|c| c.is_alphanumeric() || "_:{},;* ".contains(c)) && !code.contains(": ")
}
