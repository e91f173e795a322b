//! The shapes of known tokens: a prefix that nothing else has, and what may follow it.

use super::random::{entropy, is_made_up};

/// Which characters a token goes on with after its prefix.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body {
    /// Letters and digits.
    Alnum,
    /// Letters, digits, `_` and `-`.
    Url,
    /// Letters, digits, `_`, `-` and `.`.
    Dotted,
    /// `0`-`9`, `a`-`f`.
    Hex,
    /// Capitals and digits.
    Upper,
    /// Base64's alphabet.
    Base64,
}

impl Body {
    pub(super) fn has(self, b: u8) -> bool {
        match self {
            Body::Alnum => b.is_ascii_alphanumeric(),
            Body::Url => b.is_ascii_alphanumeric() || b == b'_' || b == b'-',
            Body::Dotted => Body::Url.has(b) || b == b'.',
            Body::Hex => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
            Body::Upper => b.is_ascii_digit() || b.is_ascii_uppercase(),
            Body::Base64 => b.is_ascii_alphanumeric() || b"+/=".contains(&b),
        }
    }
}

/// A known token.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) prefix: &'static str,
    pub(super) kind: &'static str,
    body: Body,
    /// How many characters of `body` follow at least; a longer run belongs to the token.
    least: usize,
    /// The prefix is so short or so common that it counts only where a word begins.
    word: bool,
    /// The prefix is the name of what follows: it stays readable.
    named: bool,
    /// Masked, but not told as a finding.
    pub(super) quiet: bool,
}

const fn shape(prefix: &'static str, kind: &'static str, body: Body, least: usize) -> Shape {
    Shape { prefix, kind, body, least, word: false, named: false, quiet: false }
}

impl Shape {
    const fn word(self) -> Self {
        Shape { word: true, ..self }
    }
    const fn named(self) -> Self {
        Shape { named: true, ..self }
    }
    const fn quiet(self) -> Self {
        Shape { quiet: true, ..self }
    }
}

use Body::{Alnum, Base64, Dotted, Hex, Upper, Url};

/// Keys of test modes (`sk_test_`) are not here: by the providers' documentation they open nothing real, and
/// examples are full of them. A JWT is masked but not told: most in code are samples, expired or public by design.
pub(super) const SHAPES: &[Shape] = &[
    shape("AKIA", "AWS access key id", Upper, 16).word(),
    shape("ASIA", "AWS temporary access key id", Upper, 16).word(),
    shape("ghp_", "GitHub personal access token", Alnum, 36),
    shape("gho_", "GitHub OAuth token", Alnum, 36),
    shape("ghu_", "GitHub user token", Alnum, 36),
    shape("ghs_", "GitHub app token", Alnum, 36),
    shape("ghr_", "GitHub refresh token", Alnum, 36),
    shape("github_pat_", "GitHub personal access token", Url, 60),
    shape("glpat-", "GitLab personal access token", Dotted, 20),
    shape("glcbt-", "GitLab job token", Url, 20),
    shape("gldt-", "GitLab deploy token", Url, 20),
    shape("glrt-", "GitLab runner token", Dotted, 20),
    shape("glptt-", "GitLab trigger token", Url, 20),
    shape("glsoat-", "GitLab SCIM token", Url, 20),
    shape("glagent-", "GitLab agent token", Url, 20),
    shape("gloas-", "GitLab OAuth secret", Url, 20),
    shape("xoxb-", "Slack bot token", Url, 24),
    shape("xoxp-", "Slack user token", Url, 24),
    shape("xoxa-", "Slack app token", Url, 24),
    shape("xoxr-", "Slack refresh token", Url, 24),
    shape("xoxs-", "Slack session token", Url, 24),
    shape("xoxe-", "Slack refresh token", Url, 24),
    shape("xapp-", "Slack app token", Url, 24),
    shape("hooks.slack.com/services/", "Slack webhook", Base64, 40).named(),
    shape("sk_live_", "Stripe live key", Alnum, 20),
    shape("rk_live_", "Stripe live restricted key", Alnum, 20),
    shape("whsec_", "webhook signing secret", Base64, 24),
    shape("sk-ant-", "Anthropic API key", Url, 32),
    shape("sk-proj-", "OpenAI API key", Url, 32),
    shape("sk-svcacct-", "OpenAI API key", Url, 32),
    shape("sk-admin-", "OpenAI admin key", Url, 32),
    shape("sk-or-v1-", "OpenRouter API key", Hex, 48),
    shape("sk-", "API key", Alnum, 32).word(),
    shape("AIza", "Google API key", Url, 35).word(),
    shape("GOCSPX-", "Google OAuth secret", Url, 28),
    shape("ya29.", "Google OAuth token", Url, 30).word(),
    shape("npm_", "npm token", Alnum, 36).word(),
    shape("pypi-AgE", "PyPI token", Url, 50),
    shape("SG.", "SendGrid API key", Dotted, 60).word(),
    shape("SK", "Twilio API key", Hex, 32).word(),
    shape("hf_", "Hugging Face token", Alnum, 34).word(),
    shape("dop_v1_", "DigitalOcean token", Hex, 64),
    shape("dckr_pat_", "Docker Hub token", Url, 24),
    shape("shpat_", "Shopify access token", Hex, 32),
    shape("hvs.", "Vault token", Url, 24).word(),
    shape("glsa_", "Grafana token", Url, 32),
    shape("lin_api_", "Linear API key", Alnum, 32),
    shape("AGE-SECRET-KEY-1", "age secret key", Upper, 50),
    shape("AccountKey=", "Azure storage key", Base64, 60).named(),
    shape("SharedAccessKey=", "Azure shared access key", Base64, 40).named(),
    shape("eyJ", "JSON web token", Dotted, 40).word().quiet(),
];

/// The storage emulator's key is in its documentation and the same for everybody.
const AZURE_EMULATOR: &str = "Eby8vdM02xNOcqFlqUwJPLlm";

/// Longer runs are judged by their beginning: a bound on the work that a text made of prefixes can cause.
const JUDGED: usize = 256;

/// The secret that begins with `shape`'s prefix at byte `at` of `text`; `None` where what follows is not one.
pub(super) fn token(text: &str, at: usize, shape: &Shape) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    if shape.word && !begins_word(bytes, at) {
        return None;
    }
    let from = at + shape.prefix.len();
    let run = bytes[from..].iter().take(JUDGED).take_while(|b| shape.body.has(**b)).count();
    if run < shape.least {
        return None;
    }
    let body = &text[from..from + run];
    // Sixteen symbols make four bits at most, and the shortest bodies have few characters to show them.
    let enough = if matches!(shape.body, Hex) || shape.least < 20 { 2.5 } else { 3.0 };
    // What goes on may be its neighbour, which must not make a placeholder of it.
    let sure = &body[..shape.least];
    let varied = entropy(sure) >= enough || entropy(&body[..run.min(2 * shape.least)]) >= enough;
    if is_made_up(sure) || !varied || body.starts_with(AZURE_EMULATOR) || !believable(shape, body) {
        return None;
    }
    // All of a word that goes on belongs to it: no half of a token stays, and what follows the mask is no new word.
    let rest = bytes[from + run..].iter().take_while(|b| shape.body.has(**b) || is_word(**b) || **b == b'-').count();
    Some((if shape.named { from } else { at }, from + run + rest))
}

/// What single shapes must have besides their alphabet.
fn believable(shape: &Shape, body: &str) -> bool {
    match shape.prefix {
        "eyJ" => {
            let parts: Vec<&str> = body.split('.').collect();
            parts.len() >= 2 && parts[0].len() >= 8 && parts[1].len() >= 10 && parts[1].starts_with("eyJ")
        }
        "SG." => body.split('.').map(str::len).next() == Some(22),
        "hooks.slack.com/services/" => body.starts_with(['T', 'B']) && body.matches('/').count() >= 2,
        // Words with dashes between them are no token.
        _ => matches!(shape.body, Upper) || body.bytes().filter(|b| b.is_ascii_digit() || b.is_ascii_uppercase()).count() >= 2,
    }
}

/// Whether a word begins at `at`. What an escape leaves before it (`\n`, `%3D`, `\u003d`) is not part of the word.
pub(super) fn begins_word(bytes: &[u8], at: usize) -> bool {
    let before = |n: usize| at.checked_sub(n).map(|i| bytes[i]);
    match before(1) {
        None => true,
        Some(b) if !is_word(b) => b != b'-' || !before(2).is_some_and(is_word),
        Some(b) => {
            (before(2) == Some(b'\\') && b"nrt".contains(&b))
                || (before(3) == Some(b'%') && before(2).is_some_and(|c| c.is_ascii_hexdigit()) && b.is_ascii_hexdigit())
                || (before(6) == Some(b'\\') && before(5) == Some(b'u'))
        }
    }
}

pub(super) fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}
