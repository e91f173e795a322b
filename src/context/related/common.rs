//! Names that every program has: searching for them would find everything and tell nothing.

/// Names of standard libraries and of everyday code, by family of languages.
#[rustfmt::skip]
pub(crate) const COMMON: &[&str] = &[
    // Rust
    "Arc", "AsRef", "BTreeMap", "BTreeSet", "Box", "Cell", "Clone", "Copy", "Cow", "Debug", "Default", "Deref", "Display", "Drop",
    "Duration", "Eq", "Err", "Error", "From", "FromStr", "Hash", "HashMap", "HashSet", "Instant", "Into", "Iterator", "IntoIterator",
    "Mutex", "None", "Option", "Ord", "PartialEq", "PartialOrd", "Path", "PathBuf", "RefCell", "Result", "RwLock", "Self", "Send", "Sized",
    "Some", "String", "Sync", "ToString", "Utf8Path", "Utf8PathBuf", "Vec", "VecDeque", "Deserialize", "Serialize", "all", "and_then",
    "any", "as_bytes", "as_deref", "as_mut", "as_ref", "as_slice", "as_str", "assert", "assert_eq", "assert_ne", "assert_matches", "bail",
    "borrow", "cfg", "chain", "chars", "clear", "clone", "cloned", "cmp", "collect", "contains", "contains_key", "copied", "count", "dbg",
    "debug_assert", "default", "derive", "drain", "drop", "either", "ends_with", "ensure", "entry", "enumerate", "env", "eprintln", "eq",
    "err", "error", "expect", "expect_err", "extend", "file", "filter", "filter_map", "find", "find_map", "finish", "first", "flat_map",
    "flatten", "flush", "fmt", "fold", "for_each", "format", "format_args", "from", "from_str", "from_utf8", "get", "get_mut",
    "get_or_insert_with", "hash", "include_str", "index", "info", "insert", "into", "into_iter", "is_empty", "is_err", "is_none", "is_ok",
    "is_some", "iter", "iter_mut", "join", "keys", "last", "len", "line", "lines", "lock", "main", "map", "map_err", "map_or",
    "map_or_else", "matches", "max", "min", "name", "new", "next", "not", "now", "ok", "ok_or", "ok_or_else", "open", "or_default",
    "or_else", "or_insert", "or_insert_with", "panic", "parse", "path", "peek", "pop", "position", "println", "print", "push", "push_str",
    "read", "recv", "remove", "replace", "repeat", "reserve", "retain", "rev", "send", "skip", "sleep", "sort", "sort_by", "sort_by_key",
    "spawn", "split", "split_whitespace", "splitn", "starts_with", "strip_prefix", "strip_suffix", "sum", "swap", "take", "then",
    "then_some", "to_owned", "to_string", "to_vec", "todo", "trim", "trim_end", "trim_start", "try_from", "try_into", "truncate",
    "unimplemented", "unreachable", "unwrap", "unwrap_or", "unwrap_or_default", "unwrap_or_else", "values", "vec", "warn", "windows",
    "with_capacity", "write", "write_all", "write_str", "writeln", "zip", "usize", "u64", "u32", "str", "bool",
    // Python
    "append", "bytes", "dict", "Dict", "except", "Exception", "False", "float", "format_map", "getattr", "hasattr", "int", "isinstance",
    "items", "KeyError", "list", "List", "object", "Optional", "Any", "range", "set", "setattr", "sorted", "staticmethod", "classmethod",
    "property", "super", "True", "tuple", "type", "TypeError", "Union", "ValueError", "RuntimeError", "cls", "self", "upper", "lower",
    "encode", "decode", "update", "setdefault", "strip", "rstrip", "lstrip", "close", "mock", "patch", "pytest", "fixture",
    // JavaScript, TypeScript
    "Array", "Boolean", "Date", "JSON", "Map", "Math", "Number", "Object", "Promise", "Record", "RegExp", "Set", "Symbol", "URL",
    "addEventListener", "async", "await", "catch", "concat", "console", "describe", "every", "exports", "fetch", "finally", "forEach",
    "includes", "indexOf", "keyof", "log", "module", "parseInt", "process", "reduce", "reject", "require", "resolve", "setTimeout", "slice",
    "some", "splice", "startsWith", "endsWith", "stringify", "test", "toBe", "toEqual", "toString", "toHaveBeenCalled", "undefined",
    "useState", "useEffect", "window", "Partial",
    // Go, Java, C, shell
    "Errorf", "Fatal", "Fatalf", "Fprintf", "Println", "Printf", "Sprintf", "cap", "copy", "ctx", "Context", "delete", "make", "nil",
    "string", "Background", "Exit", "Integer", "Long", "Override", "System", "add", "equals", "getClass", "hashCode", "isEmpty", "put",
    "size", "valueOf", "free", "malloc", "memcpy", "memset", "printf", "sizeof", "strlen", "strcmp", "echo", "exit", "export", "grep",
    "sed", "cat", "local", "run", "uses", "with", "steps", "jobs", "description", "value", "version", "title", "message", "data", "code",
    "status", "text", "true", "false", "null", "none", "utf-8", "main.rs",
];
