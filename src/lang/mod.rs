//! The languages that rules and context can parse: what they are called, which files are written in
//! them, and their grammars as ast-grep wants them. It never guesses from a file's contents.

mod edit;
mod guard;
mod source;

use crate::path::RepoPath;
use ast_grep_core::AstGrep;
use ast_grep_core::matcher::{Pattern, PatternBuilder, PatternError};
use ast_grep_core::tree_sitter::{StrDoc, TSLanguage};
use ast_grep_language::SupportLang;
pub use ast_grep_language::{Language, LanguageExt};
pub use source::Source;
use std::borrow::Cow;

/// A language with a linked grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    /// C, and headers, which say C or C++ by nothing that can be seen from outside.
    C,
    /// C++.
    Cpp,
    /// C#.
    CSharp,
    /// Dockerfiles, called Containerfiles too.
    Dockerfile,
    /// Go.
    Go,
    /// Java.
    Java,
    /// JavaScript, JSX included.
    JavaScript,
    /// PHP; a file that begins with HTML is beyond its grammar.
    Php,
    /// Python 3.
    Python,
    /// Ruby.
    Ruby,
    /// Rust.
    Rust,
    /// POSIX shell, bash and zsh, read by bash's grammar.
    Shell,
    /// SQL, of the dialects that one tolerant grammar can hold.
    Sql,
    /// TypeScript with JSX.
    Tsx,
    /// TypeScript.
    TypeScript,
    /// YAML.
    Yaml,
}

/// A parsed text, with its root, nodes and positions.
pub type Parsed = AstGrep<StrDoc<Lang>>;

impl Lang {
    /// All of them, by name.
    pub const ALL: [Lang; 16] = [
        Lang::C,
        Lang::Cpp,
        Lang::CSharp,
        Lang::Dockerfile,
        Lang::Go,
        Lang::Java,
        Lang::JavaScript,
        Lang::Php,
        Lang::Python,
        Lang::Ruby,
        Lang::Rust,
        Lang::Shell,
        Lang::Sql,
        Lang::Tsx,
        Lang::TypeScript,
        Lang::Yaml,
    ];

    /// Its name in lower case, as rules write it.
    pub fn name(self) -> &'static str {
        match self {
            Lang::C => "c",
            Lang::Cpp => "cpp",
            Lang::CSharp => "csharp",
            Lang::Dockerfile => "dockerfile",
            Lang::Go => "go",
            Lang::Java => "java",
            Lang::JavaScript => "javascript",
            Lang::Php => "php",
            Lang::Python => "python",
            Lang::Ruby => "ruby",
            Lang::Rust => "rust",
            Lang::Shell => "shell",
            Lang::Sql => "sql",
            Lang::Tsx => "tsx",
            Lang::TypeScript => "typescript",
            Lang::Yaml => "yaml",
        }
    }

    /// What a rule that names `name` is about: `typescript` covers `tsx` too. Empty for an unknown name.
    pub fn named(name: &str) -> &'static [Lang] {
        match name {
            "typescript" => &[Lang::TypeScript, Lang::Tsx],
            _ => Self::ALL.iter().find(|l| l.name() == name).map_or(&[], std::slice::from_ref),
        }
    }

    /// The language of a file, by its extension or its well-known name.
    pub fn of(path: &RepoPath) -> Option<Lang> {
        Some(match path.extension().as_str() {
            "c" | "h" => Lang::C,
            "cc" | "cpp" | "cxx" | "c++" | "hh" | "hpp" | "hxx" | "ipp" | "cu" | "cuh" => Lang::Cpp,
            "cs" | "csx" => Lang::CSharp,
            "dockerfile" | "containerfile" => Lang::Dockerfile,
            "go" => Lang::Go,
            "java" => Lang::Java,
            "js" | "mjs" | "cjs" | "jsx" => Lang::JavaScript,
            "php" | "phtml" => Lang::Php,
            "py" | "pyi" | "pyw" | "py3" => Lang::Python,
            "rb" | "rbw" | "rake" | "gemspec" | "ru" | "podspec" => Lang::Ruby,
            "rs" => Lang::Rust,
            "sh" | "bash" | "zsh" | "ksh" | "bats" => Lang::Shell,
            "sql" | "ddl" | "pgsql" | "psql" => Lang::Sql,
            "tsx" => Lang::Tsx,
            "ts" | "mts" | "cts" => Lang::TypeScript,
            "yaml" | "yml" => Lang::Yaml,
            _ => match path.file_name().as_ref() {
                "Brewfile" | "Capfile" | "Dangerfile" | "Fastfile" | "Gemfile" | "Guardfile" | "Podfile" | "Rakefile" | "Vagrantfile" => Lang::Ruby,
                "SConscript" | "SConstruct" | "wscript" => Lang::Python,
                ".bash_aliases" | ".bash_login" | ".bash_logout" | ".bash_profile" | ".bashrc" | ".envrc" | ".kshrc" | ".profile" | ".zlogin"
                | ".zprofile" | ".zshenv" | ".zshrc" | "APKBUILD" | "PKGBUILD" => Lang::Shell,
                "Dockerfile" | "Containerfile" => Lang::Dockerfile,
                ".clang-format" | ".clang-tidy" | ".yamllint" | "CITATION.cff" => Lang::Yaml,
                name if name.starts_with("Dockerfile.") || name.starts_with("Containerfile.") => Lang::Dockerfile,
                _ => return None,
            },
        })
    }

    /// The language that a Markdown fence's tag names, by its usual aliases and in any case.
    pub fn of_fence(tag: &str) -> Option<Lang> {
        Some(match tag.to_ascii_lowercase().as_str() {
            "c" | "h" => Lang::C,
            "cpp" | "c++" | "cc" | "cxx" | "hpp" => Lang::Cpp,
            "csharp" | "c#" | "cs" => Lang::CSharp,
            "dockerfile" | "docker" | "containerfile" => Lang::Dockerfile,
            "go" | "golang" => Lang::Go,
            "java" => Lang::Java,
            "javascript" | "js" | "jsx" | "mjs" | "cjs" | "node" => Lang::JavaScript,
            "php" => Lang::Php,
            "python" | "py" | "python3" | "py3" => Lang::Python,
            "ruby" | "rb" => Lang::Ruby,
            "rust" | "rs" => Lang::Rust,
            "shell" | "sh" | "bash" | "zsh" => Lang::Shell,
            "sql" | "postgres" | "postgresql" | "pgsql" | "mysql" | "sqlite" => Lang::Sql,
            "tsx" => Lang::Tsx,
            "typescript" | "ts" | "mts" | "cts" => Lang::TypeScript,
            "yaml" | "yml" => Lang::Yaml,
            _ => return None,
        })
    }

    /// Parses `text`; broken code and fragments give a tree with error nodes. `None` where the text is too deep or too
    /// wild for the grammar (see [`guard`]). Walk the tree with a cursor, do not recurse.
    pub fn parse(self, text: &str) -> Option<Parsed> {
        Some(AstGrep::doc(StrDoc { src: text.to_owned(), lang: self, tree: guard::tree(self, text, None)? }))
    }

    /// ast-grep's language. Only those whose grammar is linked may appear here: the others panic when used.
    fn bundled(self) -> Option<SupportLang> {
        Some(match self {
            Lang::C => SupportLang::C,
            Lang::Cpp => SupportLang::Cpp,
            Lang::CSharp => SupportLang::CSharp,
            Lang::Go => SupportLang::Go,
            Lang::Java => SupportLang::Java,
            Lang::JavaScript => SupportLang::JavaScript,
            Lang::Php => SupportLang::Php,
            Lang::Python => SupportLang::Python,
            Lang::Ruby => SupportLang::Ruby,
            Lang::Rust => SupportLang::Rust,
            Lang::Shell => SupportLang::Bash,
            Lang::Tsx => SupportLang::Tsx,
            Lang::TypeScript => SupportLang::TypeScript,
            Lang::Yaml => SupportLang::Yaml,
            Lang::Dockerfile | Lang::Sql => return None,
        })
    }
}

/// Stands for `$` in the patterns of the grammars that we link ourselves, where `$` cannot begin a name: a letter that they take and
/// nobody writes.
const EXPANDO: char = 'ſ';

impl Language for Lang {
    fn pre_process_pattern<'q>(&self, query: &'q str) -> Cow<'q, str> {
        self.bundled().map_or_else(|| Cow::Owned(expand(query)), |l| l.pre_process_pattern(query))
    }

    fn expando_char(&self) -> char {
        self.bundled().map_or(EXPANDO, |l| l.expando_char())
    }

    fn kind_to_id(&self, kind: &str) -> u16 {
        self.get_ts_language().id_for_node_kind(kind, true)
    }

    fn field_to_id(&self, field: &str) -> Option<u16> {
        self.get_ts_language().field_id_for_name(field).map(|f| f.get())
    }

    fn build_pattern(&self, builder: &PatternBuilder) -> Result<Pattern, PatternError> {
        builder.build(|src| StrDoc::try_new(src, *self))
    }
}

impl LanguageExt for Lang {
    fn get_ts_language(&self) -> TSLanguage {
        match self {
            Lang::Dockerfile => tree_sitter_containerfile::LANGUAGE.into(),
            _ => self.bundled().map_or_else(|| tree_sitter_sequel::LANGUAGE.into(), |l| l.get_ts_language()),
        }
    }
}

/// Puts [`EXPANDO`] where `$` begins a meta variable: before a capital or `_`, or as `$$$`. PostgreSQL's `$1` and `$$` stay.
fn expand(query: &str) -> String {
    let mut out = String::with_capacity(query.len() + 8);
    let mut rest = query;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let dollars = rest[at..].bytes().take_while(|b| *b == b'$').count();
        rest = &rest[at + dollars..];
        let variable = dollars == 3 || rest.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
        out.extend(std::iter::repeat_n(if variable { EXPANDO } else { '$' }, dollars));
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_files_by_extension_and_name() {
        let of = |p: &str| Lang::of(&RepoPath::from(p)).map(Lang::name);
        for (path, lang) in [
            ("a/b.mjs", "javascript"),
            ("a/b.JSX", "javascript"),
            ("x.d.ts", "typescript"),
            ("x.tsx", "tsx"),
            ("stub.pyi", "python"),
            ("Rakefile", "ruby"),
            ("build/Dockerfile.prod", "dockerfile"),
            ("a.hpp", "cpp"),
            ("A.cs", "csharp"),
            ("index.php", "php"),
            ("deep/Gemfile", "ruby"),
            (".bashrc", "shell"),
            ("m/001.up.sql", "sql"),
            (".gitlab-ci.yml", "yaml"),
        ] {
            assert_eq!(of(path), Some(lang), "{path}");
        }
        assert_eq!([of("Makefile"), of("rs"), of("a.rs/b"), of(".rs")], [None; 4]);
    }

    #[test]
    fn every_grammar_is_linked() {
        for (lang, text) in [
            (Lang::C, "int main(void) { return 0; }"),
            (Lang::Cpp, "class A : B { public: A() = default; };"),
            (Lang::CSharp, "class A { int B => 1; }"),
            (Lang::Dockerfile, "FROM a:1 AS b\nRUN c --d && e\nUSER f\n"),
            (Lang::Go, "package p\n\nfunc f() {}\n"),
            (Lang::Java, "class A { }"),
            (Lang::JavaScript, "const a = <b/>;"),
            (Lang::Php, "<?php\nfunction f(): int { return 1; }\n"),
            (Lang::Python, "def f():\n    pass\n"),
            (Lang::Ruby, "def f; end"),
            (Lang::Rust, "fn f() {}"),
            (Lang::Shell, "if true; then echo; fi"),
            (Lang::Sql, "ALTER TABLE a ADD COLUMN b integer NOT NULL;"),
            (Lang::Tsx, "const a: B = <b/>;"),
            (Lang::TypeScript, "const a: B = <C>d;"),
            (Lang::Yaml, "a:\n  - b\n"),
        ] {
            let parsed = lang.parse(text).expect("in time");
            assert!(!parsed.root().get_inner_node().has_error(), "{}", lang.name());
            assert_eq!(Lang::of_fence(lang.name()), Some(lang));
            assert!(Lang::named(lang.name()).contains(&lang));
        }
        assert_eq!(Lang::named("cobol"), []);
    }

    #[test]
    fn sql_patterns_have_meta_variables() {
        let text = "SELECT a FROM t WHERE id = $1; DROP TABLE users;";
        let parsed = Lang::Sql.parse(text).expect("in time");
        let found = parsed.root().find("DROP TABLE $T").expect("a match");
        assert_eq!(found.get_env().get_match("T").map(|n| n.text().into_owned()), Some("users".to_owned()));
        assert_eq!(expand("a = $1 AND $B IN ($$$C) $$ x $$"), "a = $1 AND ſB IN (ſſſC) $$ x $$");
    }
}
