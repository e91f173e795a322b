//! What changed lines say about security and release, as tables of patterns. They decide only who looks,
//! never what is found, so they aim at few false alarms and accept a miss.

use regex::bytes::{Regex, RegexSet};
use std::sync::LazyLock;

/// How much of a line is looked at, in bytes.
pub(super) const LINE: usize = 2_000;

/// Words of code (not of prose) that a security reviewer wants to see changed, and what to call them.
const SECURITY: &[(&str, &str)] = &[
    ("a password", r"(?i)passw(?:or)?d|passphrase"),
    ("a secret or credential", r"(?i)secret|credential|api_?key|private_?key|(?:access|auth|refresh|bearer)_?token|\bbearer\b"),
    (
        "authentication or permission",
        r"(?i)authenticat|authori[sz]|oauth|\bjwt\b|\bsaml\b|session_?id|csrf|xsrf|permission|is_?admin|\bacl\b|setuid|sudo\b|chmod",
    ),
    ("cryptography", r"(?i)encrypt|decrypt|\bhmac|cipher|\b(?:md5|sha1)\b|verify_?signature|\brsa\b|ed25519|random\.random|math\.random"),
    (
        "a certificate check",
        r"(?i)verify\s*[=:]\s*false|insecureskipverify|rejectunauthorized|danger_accept_invalid|check_hostname|cert_none|ssl_?context|tls_?config|verify_mode|ca_?certs\b|client_?cert",
    ),
    (
        "running a program",
        r"(?i)\bsubprocess\b|child_process|os\.system|shell\s*[=:]\s*true|\bpopen\b|runtime\.getruntime|processbuilder|exec\.command|\bcommand::new|\beval\s*\(|\bexec\s*\(",
    ),
    ("deserialising", r"(?i)\bpickle\b|unpickl|yaml\.(?:unsafe_)?load\s*\(|objectinputstream|unserialize|binaryformatter|marshal\.load"),
    (
        "SQL built from parts",
        r#"(?i)(?:execute|query|raw|prepare)\w*\s*\(\s*(?:f["']|["'`][^"'`]*["'`]\s*[%+.]|`[^`]*\$\{)|(?:select|insert|update|delete)\s.{0,200}(?:\$\{|["']\s*\+|%s["']\s*%)"#,
    ),
    ("markup built from parts", r"(?i)innerhtml|outerhtml|dangerouslysetinnerhtml|\bv-html\b|mark_safe|html_safe|document\.write"),
    ("unsafe code", r"\bunsafe\s*(?:\{|fn\b|impl\b)|transmute\b"),
    (
        "paths or addresses from outside",
        r"(?i)path_?traversal|\.\./|send_file\s*\(|redirect\s*\(|access-control-allow|\bcors\b|set-cookie|samesite|httponly",
    ),
];

/// Words that a release reviewer wants to see changed.
const RELEASE: &[(&str, &str)] = &[
    ("an environment variable", r"env::var|os\.environ|os\.getenv|\bgetenv\s*\(|process\.env\b|os\.Getenv|System\.getenv|ENV\["),
    ("a command line flag", r"#\[arg\(|add_argument\s*\(|\.option\s*\(\s*['\x22]-|flag\.(?:String|Bool|Int|Duration)|click\.option"),
    ("a feature flag", r"(?i)feature_?flag|is_?feature_?enabled|launchdarkly|unleash"),
    ("a schema statement", r"(?i)\b(?:alter|drop|create)\s+(?:table|index|column|type|view)\b"),
];

static SECURITY_SET: LazyLock<RegexSet> = LazyLock::new(|| set(SECURITY));
static RELEASE_SET: LazyLock<RegexSet> = LazyLock::new(|| set(RELEASE));

fn set(table: &[(&str, &str)]) -> RegexSet {
    // Without Unicode the patterns are small and fast; what they look for is ASCII.
    RegexSet::new(table.iter().map(|(_, pattern)| format!("(?-u){pattern}"))).expect("a test compiles all patterns")
}

/// A public declaration, by language; the first group is its name.
static PUBLIC: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x-u)^(?:
            \s*pub\s+(?:async\s+|const\s+|unsafe\s+)*(?:fn|struct|enum|trait|type|const|static|mod)\s+(\w+)          # Rust
          | export\s+(?:default\s+)?(?:async\s+)?(?:function|class|const|let|interface|type|enum)\s*\*?\s+(\w+)      # TypeScript, JavaScript
          | func\s+(?:\([^)]{0,200}\)\s*)?([A-Z]\w*)                                                                 # Go
          | \s*(?:public|protected)\s+[\w<>\[\],.?\s]{1,200}?\b(\w+)\s*[({]                                          # Java, C#
          | (?:async\s+)?(?:def|class)\s+([A-Za-z]\w*)                                                               # Python
        )",
    )
    .expect("a test compiles all patterns")
});

/// `name = "1.2.3"`, `"name": "^1.2.3"`, `name==1.2.3`, `name v1.2.3`: a dependency and its version's first two numbers.
static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?-u)([A-Za-z0-9@][A-Za-z0-9@/._-]{0,200})["']?\s*(?:[:=~^<>!]{1,3}\s*)?[^"'\n]{0,40}?["']?\s*[v^~=<>]{0,3}\s*(\d{1,6})\.(\d{1,6})"#,
    )
    .expect("a test compiles all patterns")
});

fn cut(line: &[u8]) -> &[u8] {
    &line[..line.len().min(LINE)]
}

/// The first pattern of a set that fits. Most lines fit none, which is cheaper to find out than which.
fn first(set: &RegexSet, line: &[u8]) -> Option<usize> {
    let line = cut(line);
    if set.is_match(line) { set.matches(line).iter().next() } else { None }
}

/// What in a line concerns security.
pub(super) fn security(line: &[u8]) -> Option<&'static str> {
    first(&SECURITY_SET, line).map(|i| SECURITY[i].0)
}

/// What in a line concerns a release.
pub(super) fn release(line: &[u8]) -> Option<&'static str> {
    first(&RELEASE_SET, line).map(|i| RELEASE[i].0)
}

/// The name that a line declares publicly.
pub(super) fn public_name(line: &[u8]) -> Option<&[u8]> {
    PUBLIC.captures(cut(line))?.iter().skip(1).flatten().next().map(|name| name.as_bytes())
}

/// What semantic versioning calls incompatible: the first number, and the second below 1.0.
pub(super) type Major = (u32, Option<u32>);

/// A dependency and its version, as far as that tells what is incompatible.
pub(super) fn version(line: &[u8]) -> Option<(&[u8], Major)> {
    let found = VERSION.captures(cut(line))?;
    let number = |i: usize| std::str::from_utf8(found.get(i)?.as_bytes()).ok()?.parse::<u32>().ok();
    let (major, minor) = (number(2)?, number(3)?);
    Some((found.get(1)?.as_bytes(), (major, (major == 0).then_some(minor))))
}

/// Compiles all tables of this file.
pub(super) fn compile() {
    [&SECURITY_SET, &RELEASE_SET].into_iter().for_each(|table| {
        LazyLock::force(table);
    });
    [&PUBLIC, &VERSION].into_iter().for_each(|table| {
        LazyLock::force(table);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hears_security() {
        for line in [
            "user.password_hash = x",
            "let apiKey = env",
            "if (!user.isAdmin) throw",
            "subprocess.run(cmd, shell=True)",
            "cursor.execute(f\"select * from t where a={a}\")",
            "db.query(\"select * from t where a = '\" + a)",
            "el.innerHTML = name",
            "unsafe { *p }",
            "requests.get(url, verify=False)",
            "ctx = create_urllib3_context(); _preloaded_ssl_context.load_verify_locations(x)",
            "pickle.loads(data)",
        ] {
            assert!(security(line.as_bytes()).is_some(), "{line}");
        }
        for line in [
            "let token = lexer.next();",
            "fn tokenize(text: &str)",
            "let total = a + b;",
            "// the author of this",
            "author = name",
            "evaluate(x)",
            "executor.spawn(task)",
            "use super::*;",
            "let key = map.keys().next();",
        ] {
            assert_eq!(security(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn hears_release() {
        for line in ["let x = std::env::var(\"A\")", "parser.add_argument('--x')", "ALTER TABLE users ADD x int", "process.env.PORT"] {
            assert!(release(line.as_bytes()).is_some(), "{line}");
        }
        assert_eq!(release(b"let x = 1;"), None);
    }

    #[test]
    fn knows_public_names() {
        let name = |line: &str| public_name(line.as_bytes()).map(|n| String::from_utf8_lossy(n).into_owned()).unwrap_or_default();
        for (line, expected) in [
            ("pub fn open(path: &Path) -> File {", "open"),
            ("    pub async fn send(&self) {", "send"),
            ("pub(crate) fn hidden() {", ""),
            ("export default function App() {", "App"),
            ("export const LIMIT = 3;", "LIMIT"),
            ("func (s *Server) Close() error {", "Close"),
            ("func helper() {", ""),
            ("    public static List<String> names(int a) {", "names"),
            ("def fetch(url):", "fetch"),
            ("    def method(self):", ""),
            ("def _private():", ""),
            ("let x = 1;", ""),
        ] {
            assert_eq!(name(line), expected, "{line}");
        }
    }

    #[test]
    fn reads_versions_of_all_manifests() {
        let read = |line: &str| version(line.as_bytes()).map(|(name, v)| format!("{} {v:?}", String::from_utf8_lossy(name))).unwrap_or_default();
        for (line, expected) in [
            ("serde = \"1.0.200\"", "serde (1, None)"),
            ("clap = { version = \"4.6\", features = [\"derive\"] }", "clap (4, None)"),
            ("    \"@types/node\": \"^20.1.0\",", "@types/node (20, None)"),
            ("requests==2.31.0", "requests (2, None)"),
            ("\tgithub.com/x/y v0.3.1", "github.com/x/y (0, Some(3))"),
            ("gem 'rails', '~> 7.1'", "rails (7, None)"),
            ("no version here", ""),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn many_lines_are_cheap() {
        let started = std::time::Instant::now();
        for i in 0..100_000 {
            let line = format!("        let value_{i} = compute(a, b).map(|x| x + {i}).unwrap_or_default();");
            assert!(security(line.as_bytes()).is_none() && release(line.as_bytes()).is_none());
        }
        assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    }

    #[test]
    fn long_lines_are_cheap() {
        let line = "select a \"'+%s`${".repeat(500_000).into_bytes();
        let started = std::time::Instant::now();
        for _ in 0..50 {
            let _ = (security(&line), release(&line), public_name(&line), version(&line));
        }
        assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    }
}
