//! Tokens are put together from parts here, so that no scanner trips over this file.

use super::*;
use proptest::prelude::*;

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &str = "0123456789abcdef";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// `n` characters of an alphabet, the same for the same seed.
fn made(alphabet: &str, n: usize, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let letters = alphabet.as_bytes();
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(letters[usize::try_from(state >> 33).expect("31 bits") % letters.len()])
    };
    (0..n).map(next).collect()
}

/// One token of every kind that is known by its shape alone.
fn tokens(seed: u64) -> Vec<(&'static str, String)> {
    let a = |n| made(ALNUM, n, seed);
    let h = |n| made(HEX, n, seed);
    vec![
        ("AWS access key id", format!("{}{}", "AKIA", made(UPPER, 16, seed))),
        ("GitHub personal access token", format!("{}{}", "ghp_", a(36))),
        ("GitHub OAuth token", format!("{}{}", "gho_", a(36))),
        ("GitHub app token", format!("{}{}", "ghs_", a(36))),
        ("GitHub personal access token", format!("{}{}_{}", "github_pat_", a(22), made(ALNUM, 59, seed + 1))),
        ("GitLab personal access token", format!("{}{}", "glpat-", a(20))),
        ("GitLab job token", format!("{}64_{}", "glcbt-", a(20))),
        ("Slack bot token", format!("{}{}-{}-{}", "xoxb-", made("0123456789", 12, seed), made("0123456789", 12, seed + 1), a(24))),
        ("Stripe live key", format!("{}{}", "sk_live_", a(24))),
        ("OpenAI API key", format!("{}{}_{}", "sk-proj-", a(48), made(ALNUM, 40, seed + 1))),
        ("API key", format!("{}{}", "sk-", a(48))),
        ("Anthropic API key", format!("{}api03-{}-{}AA", "sk-ant-", a(60), made(ALNUM, 30, seed + 1))),
        ("OpenRouter API key", format!("{}{}", "sk-or-v1-", h(64))),
        ("Google API key", format!("{}{}", "AIza", a(35))),
        ("npm token", format!("{}{}", "npm_", a(36))),
        ("PyPI token", format!("{}IcHlwaS5vcmc{}", "pypi-AgE", a(80))),
        ("SendGrid API key", format!("{}{}.{}", "SG.", a(22), made(ALNUM, 43, seed + 1))),
        ("Twilio API key", format!("{}{}", "SK", h(32))),
        ("Hugging Face token", format!("{}{}", "hf_", a(34))),
        ("DigitalOcean token", format!("{}{}", "dop_v1_", h(64))),
    ]
}

fn key_block(header: &str) -> String {
    let lines: Vec<String> = (0..4).map(|i| made(ALNUM, 64, 90 + i)).collect();
    format!("-----BEGIN {header}-----\n{}\n{}==\n-----END {header}-----\n", lines.join("\n"), made(ALNUM, 22, 99))
}

fn kinds(text: &str) -> Vec<&'static str> {
    scan(&FileText::whole(text.as_bytes()), &TouchedLines::all()).iter().map(|h| h.kind).collect()
}

#[test]
fn samples_are_masked_and_not_told() {
    let value = made(ALNUM, 24, 11);
    let plain = format!("info:\n  token: {value}\n");
    let described = format!("openapi: 3.1.0\n{plain}");
    let shape = format!("{described}  key: {}\n", tokens(3)[1].1);
    assert_eq!((kinds(&plain).len(), kinds(&described).len(), kinds(&shape)), (1, 0, vec!["GitHub personal access token"]));
    assert!(!mask(&described).contains(&value));
    assert_eq!(kinds(&format!("/etc/passwd: {}", made(HEX, 32, 5))), Vec::<&str>::new());
}

#[test]
fn finds_what_is_one() {
    let random = made(ALNUM, 24, 7);
    let mut table: Vec<(&str, String)> = tokens(5).into_iter().map(|(kind, token)| (kind, format!("x = f('{token}')"))).collect();
    let named = "secret assigned to a name";
    for text in [
        format!("password = \"{random}\""),
        format!("  \"api_key\": \"{random}\","),
        format!("DB_PASSWORD={random}"),
        format!("export API_TOKEN='{random}'"),
        format!("client_secret: {random}"),
        format!("const apiKey: string = `{random}`;"),
        format!("static TOKEN: &str = \"{random}\";"),
        format!("secret := \"{random}\""),
        format!("setenv(\"AUTH_TOKEN\", \"{random}\")"),
        format!("connect(password=\"{random}\")"),
        format!("<password>{random}</password>"),
        format!("deploy --token {random} --force"),
        format!("let token = SecretString::new(\"{random}\");"),
        format!("aws_secret_access_key = {}", made(&format!("{ALNUM}/+"), 40, 3)),
        format!("twilio_auth_token: {}", made(HEX, 32, 3)),
        format!("{{\\\"password\\\": \\\"{random}\\\"}}"),
    ] {
        table.push((named, text));
    }
    table.push(("password in a URL", format!("postgres://app:{random}@db.internal:5432/app")));
    table.push(("bearer token", format!("curl -H 'Authorization: Bearer {random}'")));
    table.push(("Azure storage key", format!("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={}==", made(ALNUM, 86, 4))));
    table.push((
        "Slack webhook",
        format!("https://hooks.slack.com/{}/T{}/B{}/{}", "services", made(UPPER, 8, 1), made(UPPER, 8, 2), made(ALNUM, 24, 3)),
    ));
    table.push(("private key", key_block("RSA PRIVATE KEY")));
    table.push(("private key", key_block("OPENSSH PRIVATE KEY").replace('\n', "\\n")));
    assert!(table.len() >= 30, "{}", table.len());
    for (kind, text) in table {
        assert_eq!(kinds(&text), [kind], "{text}");
        assert_ne!(mask(&text), text.as_str(), "{text}");
    }
}

#[test]
fn leaves_what_is_none() {
    let sha = made(HEX, 40, 1);
    let table = [
        "password = \"changeme\"".to_owned(),
        "password = \"hunter2\"".to_owned(),
        "password = os.environ[\"DB_PASSWORD\"]".to_owned(),
        "password: ${DB_PASSWORD}".to_owned(),
        "export API_TOKEN=\"<your token>\"".to_owned(),
        "token = process.env.API_TOKEN".to_owned(),
        "token: ${{ secrets.GITHUB_TOKEN }}".to_owned(),
        "api_key = \"YOUR_API_KEY_HERE_1234\"".to_owned(),
        "api_key: \"xxxxxxxxxxxxxxxxxxxxxxxx12\"".to_owned(),
        format!("aws_access_key_id = {}IOSFODNN7EXAMPLE", "AKIA"),
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        format!("key = \"{}{}\"", "sk_test_", made(ALNUM, 24, 2)),
        format!("key = \"{}{}\"", "pk_live_", made(ALNUM, 24, 2)),
        format!("uses: actions/checkout@{sha}"),
        format!("commit_token = \"{sha}\""),
        "token = \"123e4567-e89b-42d3-a456-426614174000\"".to_owned(),
        format!("\"integrity\": \"sha512-{}==\"", made(ALNUM, 86, 3)),
        format!("checksum = \"{}\"", made(HEX, 64, 3)),
        format!("h1:{}=", made(ALNUM, 43, 3)),
        format!("password_hash = \"$2b$12${}\"", made(ALNUM, 53, 3)),
        "tokenizer = \"cl100k-base-v2x9y8z7\"".to_owned(),
        "let token = self.tokens.next_token2();".to_owned(),
        "token_url = \"https://auth.internal/oauth2/v2.0/token\"".to_owned(),
        "secret_name: prod/db/master2".to_owned(),
        "password = \"my-secret-password-2024\"".to_owned(),
        "reset_token = \"refreshTokenExpired2\"".to_owned(),
        "secretKeyRef: { name: app, key: password }".to_owned(),
        "postgres://postgres:postgres@localhost:5432/app".to_owned(),
        "https://user:${PASSWORD}@host/".to_owned(),
        "https://user:<password>@host/".to_owned(),
        "git@github.com:org/repo.git".to_owned(),
        "http://host:8080/a@b".to_owned(),
        "-----BEGIN PRIVATE KEY-----".to_owned(),
        "if line == \"-----BEGIN RSA PRIVATE KEY-----\":\n    return True\n".to_owned(),
        key_block("CERTIFICATE"),
        key_block("PUBLIC KEY"),
        "-----BEGIN PRIVATE KEY-----\n<your key>\n-----END PRIVATE KEY-----".to_owned(),
        "Authorization: Bearer $TOKEN".to_owned(),
        "Authorization: Bearer <token>".to_owned(),
        "Basic usage of the library is described below".to_owned(),
        "the disk-based-storage-engine-for-everyone-2024".to_owned(),
        "ALPHABET = \"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\"".to_owned(),
        format!("data:image/png;base64,{}", made(ALNUM, 200, 9)),
        "csrf_token = \"q7Rk2vXw9ZtLm4Np8sYd\"".to_owned(),
        "next_page_token: \"q7Rk2vXw9ZtLm4Np8sYd\"".to_owned(),
        format!("AccountKey={}xZs8h4G2b0T7mVq1kR9dW5uY3cJ6fL+aNpQeXo==", "Eby8vdM02xNOcqFlqUwJPLlm"),
    ];
    assert!(table.len() >= 40);
    for text in table {
        assert_eq!(kinds(&text), [""; 0], "{text}");
    }
}

#[test]
fn masks_and_leaves_the_rest() {
    let token = made(ALNUM, 36, 5);
    let jwt = format!("{}hbGciOiJIUzI1NiJ9.{}zdWIiOiI0MiJ9.{}", "eyJ", "eyJ", made(ALNUM, 43, 2));
    let text = format!("a = '{}{token}' # ü\r\nb: \"{jwt}\"\nredis://:{}@cache/0\nünicode", "ghp_", "s3cr3tPa55");
    insta::assert_snapshot!(mask(&text).replace('\r', "␍"), @r#"
    a = '‹masked:ghp_…›' # ü␍
    b: "‹masked:eyJh…›"
    redis://:‹masked:s3…›@cache/0
    ünicode
    "#);
    assert_eq!(kinds(&text), ["GitHub personal access token"]);
    assert!(matches!(mask("fn main() {}\n"), Cow::Borrowed(_)));
}

#[test]
fn masks_private_keys_line_by_line() {
    let text = format!("  key: |\n{}after = 1\n", key_block("RSA PRIVATE KEY").replace("\n", "\n    "));
    let masked = mask(&text).into_owned();
    assert_eq!(masked.lines().count(), text.lines().count());
    assert_eq!(masked.matches("‹masked:").count(), 5);
    assert!(masked.starts_with("  key: |\n-----BEGIN RSA PRIVATE KEY-----\n    ‹masked:"), "{masked}");
    assert!(masked.contains("\n    -----END RSA PRIVATE KEY-----\n    after = 1\n"), "{masked}");
    let hits = scan(&FileText::whole(text.as_bytes()), &TouchedLines::from_lines([4, 5]));
    assert_eq!(hits.iter().map(|h| (h.line, h.kind)).collect::<Vec<_>>(), [(4, "private key")]);
}

#[test]
fn tells_only_touched_lines_and_the_first_characters() {
    let line = |seed| format!("password = \"{}\"\n", made(ALNUM, 20, seed));
    let text = FileText::whole(format!("{}\n{}", line(3), line(7)).as_bytes());
    let hits = scan(&text, &TouchedLines::from_lines([3]));
    let first = &made(ALNUM, 20, 7)[..4];
    assert_eq!(hits, [SecretHit { line: 3, kind: "secret assigned to a name", shown: format!("{first}…") }]);
}

/// Text in which keywords, quotes and prefixes meet each other in every way.
fn surroundings() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[ -~]{0,12}",
        2 => "\\PC{0,6}",
        1 => prop::sample::select(vec![
            "\n", "\r\n", "\"", "'", "password=", "token: \"", "Bearer ", "://u:", "@", "-----BEGIN PRIVATE KEY-----", "ghp_", "sk-", "eyJ", "-", "\\n",
            "%3D", "‹masked:", "…›", "AKIA", "AccountKey=",
        ]).prop_map(str::to_owned),
        1 => (50_000u64..50_200).prop_map(|seed| made(ALNUM, 30, seed)),
        1 => (50_000u64..50_200, 0usize..20).prop_map(|(seed, i)| tokens(seed)[i].1.clone()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn masking_is_idempotent_and_keeps_lines(text in surroundings()) {
        let once = mask(&text).into_owned();
        prop_assert_eq!(mask(&once).into_owned(), once.clone());
        prop_assert_eq!(once.matches('\n').count(), text.matches('\n').count());
        prop_assert_eq!(once.matches('\r').count(), text.matches('\r').count());
    }

    #[test]
    fn no_token_survives_anywhere(before in surroundings(), after in surroundings(), seed in 0u64..10_000, i in 0usize..20) {
        let (kind, token) = &tokens(seed)[i];
        // Short prefixes count only where a word begins, and those of fixed length only where it ends.
        let apart = if ["AWS access key id", "API key", "Google API key", "npm token", "SendGrid API key", "Twilio API key", "Hugging Face token"].contains(kind) { "\t" } else { "" };
        let text = format!("{before}{apart}{token}{apart}{after}");
        prop_assume!(!random::is_made_up(token));
        let masked = mask(&text);
        prop_assert!(!masked.contains(token.as_str()), "{}", masked);
        // Nor does its end: what is left of it is at most what the mask shows.
        prop_assert!(!masked.contains(&token[token.len() - 12..]), "{}", masked);
    }

    #[test]
    fn garbage_does_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = FileText::whole(&bytes);
        scan(&text, &TouchedLines::all());
        mask(text.as_str());
    }
}
