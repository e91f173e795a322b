//! Sets of path globs, read as in `.gitignore`: a glob without `/` fits at any depth, one that names a
//! folder fits all below it, `*` stops at `/`, a leading `/` ties to the root. No negation.

use crate::path::RepoPath;
use globset::{Candidate, Glob, GlobBuilder, GlobSet};

/// The longest glob, in bytes.
pub(crate) const MAX_GLOB_BYTES: usize = 256;
/// How many bytes of globs are compiled together; far below what the matcher's size limit allows.
const GROUP_BYTES: usize = 4 << 10;

/// Whether upper and lower case differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// They do, as in git.
    Sensitive,
    /// They do not: for sets that protect, where a miss is worse than a match too many.
    Ignored,
}

/// Globs that were checked and compiled.
#[derive(Debug, Clone)]
pub struct PathSet {
    globs: Vec<String>,
    /// Compiled in groups, since one group may only have so many bytes; each with the index of its first glob.
    sets: Vec<(usize, GlobSet)>,
}

impl PathSet {
    /// Compiles globs. Fails, saying why in one line, when one cannot be used.
    pub fn new<S: AsRef<str>>(globs: &[S], case: Case) -> Result<Self, String> {
        let mut sets = Vec::new();
        let (mut first, mut bytes, mut group) = (0, 0, Vec::new());
        for (index, glob) in globs.iter().enumerate() {
            group.extend(compile(glob.as_ref(), case)?);
            bytes += glob.as_ref().len();
            if bytes >= GROUP_BYTES || index + 1 == globs.len() {
                let set = GlobSet::new(&group).map_err(|_| "the globs are too complex together".to_owned())?;
                sets.push((first, set));
                (first, bytes) = (index + 1, 0);
                group.clear();
            }
        }
        Ok(Self { globs: globs.iter().map(|g| g.as_ref().to_owned()).collect(), sets })
    }

    /// The set that nothing matches.
    pub fn empty() -> Self {
        Self { globs: Vec::new(), sets: Vec::new() }
    }

    /// The first glob that fits the path, as it was written.
    pub fn matching(&self, path: &RepoPath) -> Option<&str> {
        let candidate = Candidate::from_bytes(path.as_bytes());
        // Each glob is compiled to two: the thing itself, and all below it.
        let index = self.sets.iter().find_map(|(first, set)| set.matches_candidate(&candidate).into_iter().min().map(|i| first + i / 2))?;
        self.globs.get(index).map(String::as_str)
    }

    /// Whether any glob fits the path.
    pub fn is_match(&self, path: &RepoPath) -> bool {
        let candidate = Candidate::from_bytes(path.as_bytes());
        self.sets.iter().any(|(_, set)| set.is_match_candidate(&candidate))
    }

    /// The globs as they were written.
    pub fn globs(&self) -> &[String] {
        &self.globs
    }
}

/// Checks one glob; the error says what is wrong with it, to go after "a glob …".
pub(crate) fn check_glob(glob: &str) -> Result<(), String> {
    let both = compile(glob, Case::Sensitive)?;
    GlobSet::new(&both).map(|_| ()).map_err(|_| "it is too complex".to_owned())
}

/// A glob as two: what it names, and all below that.
fn compile(glob: &str, case: Case) -> Result<[Glob; 2], String> {
    if glob.trim().is_empty() {
        return Err("it is empty".into());
    }
    if glob.len() > MAX_GLOB_BYTES {
        return Err(format!("it has {} bytes, more than {MAX_GLOB_BYTES}", glob.len()));
    }
    if glob.starts_with('!') {
        return Err("a leading `!` (all but) is not supported".into());
    }
    if glob.split('/').any(|part| part == ".." || part == ".") {
        return Err("`.` and `..` fit no path of a repository".into());
    }
    let bare = glob.strip_prefix('/').unwrap_or(glob);
    let bare = bare.strip_suffix('/').unwrap_or(bare);
    if bare.is_empty() {
        return Err("`/` alone names nothing; `**` fits every file".into());
    }
    let anywhere = !glob.starts_with('/') && !bare.contains('/');
    let itself = if anywhere { format!("**/{bare}") } else { bare.to_owned() };
    let build = |pattern: &str| {
        GlobBuilder::new(pattern)
            .literal_separator(true)
            .backslash_escape(true)
            .case_insensitive(case == Case::Ignored)
            .build()
            .map_err(|error| error.kind().to_string())
    };
    let below = build(&format!("{itself}/**"))?;
    // A folder's name with `/` at its end does not fit a file of that name.
    let itself = if glob.ends_with('/') { below.clone() } else { build(&itself)? };
    Ok([itself, below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_as_in_gitignore() {
        let fits = |glob: &str, path: &str| PathSet::new(&[glob], Case::Sensitive).expect("valid").is_match(&RepoPath::from(path));
        for (glob, path) in [
            ("*.py", "a.py"),
            ("*.py", "x/y/a.py"),
            ("/a.py", "a.py"),
            ("src/*.rs", "src/a.rs"),
            ("src/**", "src/a/b.rs"),
            ("**/gen/*.go", "a/gen/x.go"),
            ("docs", "docs/a.md"),
            ("docs/", "x/docs/a/b.md"),
            ("a/b", "a/b/c"),
            ("{x,y}.c", "q/y.c"),
            ("**", "a\nb"),
            ("*", "a/b"),
        ] {
            assert!(fits(glob, path), "{glob} {path}");
        }
        for (glob, path) in
            [("/a.py", "x/a.py"), ("src/*.rs", "src/a/b.rs"), ("src/*.rs", "x/src/a.rs"), ("docs/", "docs"), ("*.PY", "a.py"), ("a", "ab")]
        {
            assert!(!fits(glob, path), "{glob} {path}");
        }
        assert!(PathSet::new(&["Auth/"], Case::Ignored).expect("valid").is_match(&RepoPath::from("src/auth/x")));
        let set = PathSet::new(&["a", "b/**", "c"], Case::Sensitive).expect("valid");
        assert_eq!(set.matching(&RepoPath::new(b"b/\xff\n".to_vec())), Some("b/**"));
        assert!(!PathSet::empty().is_match(&RepoPath::from("a")));
    }

    #[test]
    fn says_what_is_wrong_with_a_glob() {
        let table: Vec<_> = ["", " ", "!a", "../x", "./x", "/", "a[", "a{b", "[z-a]", &"a".repeat(300)]
            .iter()
            .map(|g| format!("{g:.8}: {}", check_glob(g).expect_err("bad")))
            .collect();
        insta::assert_snapshot!(table.join("\n"), @"
        : it is empty
         : it is empty
        !a: a leading `!` (all but) is not supported
        ../x: `.` and `..` fit no path of a repository
        ./x: `.` and `..` fit no path of a repository
        /: `/` alone names nothing; `**` fits every file
        a[: unclosed character class; missing ']'
        a{b: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
        [z-a]: invalid range; 'z' > 'a'
        aaaaaaaa: it has 300 bytes, more than 256
        ");
    }

    #[test]
    fn hostile_globs_match_in_linear_time() {
        let glob = "*a".repeat(60);
        let globs: Vec<String> = (0..500).map(|i| format!("{glob}{i}/**/{{x,y,{{z,w}}}}*")).collect();
        let started = std::time::Instant::now();
        let set = PathSet::new(&globs, Case::Ignored).expect("what is accepted one by one is accepted together");
        let compiled = started.elapsed();
        let path = RepoPath::new("a".repeat(4000).into_bytes());
        for _ in 0..20 {
            set.is_match(&path);
        }
        assert!(started.elapsed().as_secs() < 20, "{compiled:?} {:?}", started.elapsed());
    }
}
