//! What to look for in the rest of the repository: names whose meaning the change altered, names it uses, and literals
//! that it changed.

use super::super::analysis::{Analysis, FileView};
use super::super::bundle::Bundle;
use super::super::changes::ChangeKind;
use super::super::grammar::Class;
use super::super::symbols::Symbol;
use super::super::words::{Use, Words};
use std::collections::BTreeMap;

/// More names are not searched for.
const MAX_NAMES: usize = 150;
/// More literals are not searched for.
const MAX_LITERALS: usize = 40;

/// How changed lines use a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Used {
    /// Only added lines do.
    New,
    /// Only removed lines did.
    Vanished,
    /// Both do.
    Kept,
}

/// One name to look for.
#[derive(Debug, Clone)]
pub(super) struct Name {
    /// The file (index) that it came from.
    pub(super) file: usize,
    /// What happened to the symbol of that name.
    pub(super) symbol: Option<(ChangeKind, Symbol)>,
    /// When and how changed lines use it.
    pub(super) used: Option<(Used, Use)>,
}

/// One literal to look for.
#[derive(Debug, Clone)]
pub(super) struct Literal {
    pub(super) file: usize,
    /// Whether it was removed, rather than added.
    pub(super) removed: bool,
}

/// Names and literals by their text.
#[derive(Debug, Default)]
pub(super) struct Needles {
    pub(super) names: BTreeMap<String, Name>,
    pub(super) literals: BTreeMap<String, Literal>,
}

/// Collects the needles of a bundle, the most telling ones if there are too many.
pub(super) fn needles(bundle: &Bundle, analysis: &Analysis) -> Needles {
    let mut files: Vec<usize> = bundle.parts.iter().map(|p| p.file).collect();
    files.dedup();
    // What tests use says little about the change, unless it is all there is.
    let views = || files.iter().map(|f| analysis.file(*f));
    let tests_only = views().all(|v| v.added.values().chain(v.removed.values()).all(|in_test| *in_test));
    let words = |side: fn(&FileView) -> &Words| {
        let mut all: BTreeMap<&str, (usize, Use)> = BTreeMap::new();
        for &file in &files {
            for ((text, kind), _) in side(analysis.file(file)).iter().filter(|(_, in_test)| tests_only || !**in_test) {
                let entry = all.entry(text).or_insert((file, *kind));
                entry.1 = entry.1.min(*kind);
            }
        }
        all
    };
    let (added, removed) = (words(|v| &v.added), words(|v| &v.removed));
    let mut names: BTreeMap<&str, Name> = BTreeMap::new();
    for &file in &files {
        for change in &analysis.file(file).changes {
            let symbol = change.symbol();
            let helps_tests = symbol.name.split("::").any(|part| matches!(part, "tests" | "test"));
            if symbol.is_test || helps_tests || matches!(symbol.class, Class::Container | Class::Section | Class::Test) {
                continue;
            }
            // A rename is looked for under the name that others may still use.
            let own = change.old.as_ref().filter(|_| change.kind == ChangeKind::Renamed).unwrap_or(symbol);
            // A member that is new or changed inside is a matter of its type.
            let minor = own.class == Class::Member && matches!(change.kind, ChangeKind::Added | ChangeKind::Body);
            // A function of the project may well be called `fetch`; a method of that name is anybody's.
            let free = own.class == Class::Code && own.name == own.own && own.own.len() >= 3 && own.own != "main";
            if (free || telling(&own.own)) && !minor {
                let name = Name { file, symbol: Some((change.kind, own.clone())), used: None };
                names.entry(&own.own).or_insert(name);
            }
        }
    }
    for (text, (file, kind)) in added.iter().chain(&removed) {
        let used = match (added.contains_key(text), removed.contains_key(text)) {
            (true, false) => Used::New,
            (false, true) => Used::Vanished,
            _ => Used::Kept,
        };
        if matches!(kind, Use::Call | Use::Method | Use::Capital) && telling(text) {
            let name = names.entry(text).or_insert(Name { file: *file, symbol: None, used: None });
            name.used = name.used.or(Some((used, *kind)));
        }
    }
    let mut ranked: Vec<(u32, &str, Name)> = names.into_iter().map(|(text, name)| (rank(&name), text, name)).collect();
    ranked.sort_by_key(|(rank, text, _)| (*rank, *text));
    ranked.truncate(MAX_NAMES);

    let only = |here: &BTreeMap<&str, (usize, Use)>, there: &BTreeMap<&str, (usize, Use)>, is_removed: bool| {
        here.iter()
            .filter(|(text, (_, kind))| *kind == Use::Literal && !there.contains_key(*text) && !COMMON.contains(text))
            .map(|(text, (file, _))| ((*text).to_owned(), Literal { file: *file, removed: is_removed }))
            .collect::<Vec<_>>()
    };
    let mut literals = only(&removed, &added, true);
    literals.extend(only(&added, &removed, false));
    literals.truncate(MAX_LITERALS);
    Needles { names: ranked.into_iter().map(|(_, text, name)| (text.to_owned(), name)).collect(), literals: literals.into_iter().collect() }
}

fn rank(name: &Name) -> u32 {
    let symbol = match name.symbol {
        Some((ChangeKind::Removed | ChangeKind::Renamed | ChangeKind::Signature, _)) => 0,
        Some((ChangeKind::Body, _)) => 3,
        Some((ChangeKind::Added, _)) => 5,
        None => 9,
    };
    let used = match name.used {
        Some((Used::New, Use::Call | Use::Method)) => 1,
        Some((Used::Vanished, Use::Call | Use::Method)) => 2,
        Some((Used::New, _)) => 4,
        Some((Used::Kept, Use::Call | Use::Method)) => 6,
        Some((Used::Vanished | Used::Kept, _)) => 7,
        None => 9,
    };
    symbol.min(used)
}

/// Whether a name can say something: long enough, and not one that every program has.
fn telling(name: &str) -> bool {
    name.len() >= 3 && name.len() <= 80 && !COMMON.contains(&name)
}

/// Names of standard libraries and of everyday code, sorted by language family.
const COMMON: &[&str] = &[
    // Rust
    "Arc",
    "AsRef",
    "BTreeMap",
    "BTreeSet",
    "Box",
    "Cell",
    "Clone",
    "Copy",
    "Cow",
    "Debug",
    "Default",
    "Deref",
    "Display",
    "Drop",
    "Duration",
    "Eq",
    "Err",
    "Error",
    "From",
    "FromStr",
    "Hash",
    "HashMap",
    "HashSet",
    "Instant",
    "Into",
    "Iterator",
    "IntoIterator",
    "Mutex",
    "None",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Path",
    "PathBuf",
    "RefCell",
    "Result",
    "RwLock",
    "Self",
    "Send",
    "Sized",
    "Some",
    "String",
    "Sync",
    "ToString",
    "Utf8Path",
    "Utf8PathBuf",
    "Vec",
    "VecDeque",
    "Deserialize",
    "Serialize",
    "all",
    "and_then",
    "any",
    "as_bytes",
    "as_deref",
    "as_mut",
    "as_ref",
    "as_slice",
    "as_str",
    "assert",
    "assert_eq",
    "assert_ne",
    "assert_matches",
    "bail",
    "borrow",
    "cfg",
    "chain",
    "chars",
    "clear",
    "clone",
    "cloned",
    "cmp",
    "collect",
    "contains",
    "contains_key",
    "copied",
    "count",
    "dbg",
    "debug_assert",
    "default",
    "derive",
    "drain",
    "drop",
    "either",
    "ends_with",
    "ensure",
    "entry",
    "enumerate",
    "env",
    "eprintln",
    "eq",
    "err",
    "error",
    "expect",
    "expect_err",
    "extend",
    "file",
    "filter",
    "filter_map",
    "find",
    "find_map",
    "finish",
    "first",
    "flat_map",
    "flatten",
    "flush",
    "fmt",
    "fold",
    "for_each",
    "format",
    "format_args",
    "from",
    "from_str",
    "from_utf8",
    "get",
    "get_mut",
    "get_or_insert_with",
    "hash",
    "include_str",
    "index",
    "info",
    "insert",
    "into",
    "into_iter",
    "is_empty",
    "is_err",
    "is_none",
    "is_ok",
    "is_some",
    "iter",
    "iter_mut",
    "join",
    "keys",
    "last",
    "len",
    "line",
    "lines",
    "lock",
    "main",
    "map",
    "map_err",
    "map_or",
    "map_or_else",
    "matches",
    "max",
    "min",
    "name",
    "new",
    "next",
    "not",
    "now",
    "ok",
    "ok_or",
    "ok_or_else",
    "open",
    "or_default",
    "or_else",
    "or_insert",
    "or_insert_with",
    "panic",
    "parse",
    "path",
    "peek",
    "pop",
    "position",
    "println",
    "print",
    "push",
    "push_str",
    "read",
    "recv",
    "remove",
    "replace",
    "repeat",
    "reserve",
    "retain",
    "rev",
    "send",
    "skip",
    "sleep",
    "sort",
    "sort_by",
    "sort_by_key",
    "spawn",
    "split",
    "split_whitespace",
    "splitn",
    "starts_with",
    "strip_prefix",
    "strip_suffix",
    "sum",
    "swap",
    "take",
    "then",
    "then_some",
    "to_owned",
    "to_string",
    "to_vec",
    "todo",
    "trim",
    "trim_end",
    "trim_start",
    "try_from",
    "try_into",
    "truncate",
    "unimplemented",
    "unreachable",
    "unwrap",
    "unwrap_or",
    "unwrap_or_default",
    "unwrap_or_else",
    "values",
    "vec",
    "warn",
    "windows",
    "with_capacity",
    "write",
    "write_all",
    "write_str",
    "writeln",
    "zip",
    "usize",
    "u64",
    "u32",
    "str",
    "bool",
    // Python
    "append",
    "bytes",
    "dict",
    "Dict",
    "enumerate_",
    "except",
    "Exception",
    "False",
    "float",
    "format_map",
    "getattr",
    "hasattr",
    "int",
    "isinstance",
    "items",
    "KeyError",
    "list",
    "List",
    "object",
    "Optional",
    "Any",
    "range",
    "set",
    "setattr",
    "sorted",
    "staticmethod",
    "classmethod",
    "property",
    "super",
    "True",
    "tuple",
    "type",
    "TypeError",
    "Union",
    "ValueError",
    "RuntimeError",
    "cls",
    "self",
    "upper",
    "lower",
    "encode",
    "decode",
    "update",
    "setdefault",
    "strip",
    "rstrip",
    "lstrip",
    "close",
    "mock",
    "patch",
    "pytest",
    "fixture",
    // JavaScript, TypeScript
    "Array",
    "Boolean",
    "Date",
    "JSON",
    "Map",
    "Math",
    "Number",
    "Object",
    "Promise",
    "Record",
    "RegExp",
    "Set",
    "Symbol",
    "URL",
    "addEventListener",
    "async",
    "await",
    "catch",
    "concat",
    "console",
    "describe",
    "every",
    "exports",
    "fetch",
    "finally",
    "forEach",
    "includes",
    "indexOf",
    "keyof",
    "log",
    "module",
    "parseInt",
    "process",
    "reduce",
    "reject",
    "require",
    "resolve",
    "setTimeout",
    "slice",
    "some",
    "splice",
    "startsWith",
    "endsWith",
    "stringify",
    "test",
    "then_",
    "toBe",
    "toEqual",
    "toString",
    "toHaveBeenCalled",
    "undefined",
    "useState",
    "useEffect",
    "window",
    "Partial",
    // Go, Java, C, shell
    "Errorf",
    "Fatal",
    "Fatalf",
    "Fprintf",
    "Println",
    "Printf",
    "Sprintf",
    "append_",
    "cap",
    "copy",
    "ctx",
    "Context",
    "delete",
    "make",
    "nil",
    "string",
    "Background",
    "Exit",
    "Integer",
    "Long",
    "Override",
    "System",
    "add",
    "equals",
    "getClass",
    "hashCode",
    "isEmpty",
    "put",
    "size",
    "valueOf",
    "free",
    "malloc",
    "memcpy",
    "memset",
    "printf",
    "sizeof",
    "strlen",
    "strcmp",
    "echo",
    "exit",
    "export",
    "grep",
    "sed",
    "cat",
    "local",
    "run",
    "uses",
    "with",
    "steps",
    "jobs",
    "description",
    "value",
    "version",
    "title",
    "message",
    "data",
    "code",
    "status",
    "text",
    "true",
    "false",
    "null",
    "none",
    "utf-8",
    "main.rs",
];
