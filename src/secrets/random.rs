//! Tells values that a machine made at random from words, placeholders and other values that people write.

/// Words by which people mark a value as not real. In lower case.
const MADE_UP: [&str; 26] = [
    "example",
    "sample",
    "dummy",
    "fake",
    "bogus",
    "placeholder",
    "changeme",
    "change-me",
    "change_me",
    "replaceme",
    "replace-me",
    "replace_me",
    "your-",
    "your_",
    "yourkey",
    "yourtoken",
    "redacted",
    "masked",
    "xxxx",
    "0000000",
    "test-only",
    "test_only",
    "testonly",
    "not-a-secret",
    "notasecret",
    "deadbeef",
];

/// Runs that no random source makes: the alphabet and the digits in order.
const IN_ORDER: [&str; 6] = ["abcdef", "fedcba", "qwertyui", "12345678", "23456789", "98765432"];

/// Whether a value is visibly not a secret: marked as made up, or one that stands for another (`${VAR}`, `<token>`).
pub(super) fn is_placeholder(value: &str) -> bool {
    let stands_for_another = value.starts_with(['$', '<', '{', '%', '*', '[', '('])
        || ["${", "{{", "$(", "<%", "‹masked:", "process.env", "import.meta.env", "os.environ", "getenv", "secrets.", "vault:", "arn:", "ENC["]
            .iter()
            .any(|mark| value.contains(mark));
    stands_for_another || is_made_up(value)
}

/// Whether the characters themselves say that nobody should believe in them.
pub(super) fn is_made_up(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    MADE_UP.iter().chain(&IN_ORDER).any(|word| lower.contains(word))
}

/// Shannon's entropy in bits a byte.
pub(super) fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let total = value.len().max(1) as f64;
    counts.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / total).map(|p| -p * p.log2()).sum()
}

/// Whether a value that something calls a secret looks like one: made by a machine, not of words, not a
/// hash, UUID, path or version. `least` is the shortest length to believe in.
pub(super) fn is_random(value: &str, least: usize) -> bool {
    if value.len() < least || value.len() > 512 || !value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_-.~!@#$%^&*,?".contains(&b)) {
        return false;
    }
    let known_not = [
        "sha1-", "sha256-", "sha384-", "sha512-", "sha1:", "sha256:", "md5:", "$2a$", "$2b$", "$2y$", "$argon2", "pk_", "pk-", "/", "./", "../", "~/",
    ];
    if known_not.iter().any(|p| value.starts_with(p)) || is_placeholder(value) || is_uuid(value) {
        return false;
    }
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    if letters < 3 || digits < 2 {
        return false;
    }
    // Random letters and digits change their class at every second step, words and dates at every sixth.
    let enough = if value.len() >= 20 { 3.2 } else { 3.0 };
    class_changes(value) >= 0.3 && entropy(value) >= enough
}

/// Of the steps from one letter or digit to the next, how many lead to another class (lower, upper, digit); 0 to 1.
fn class_changes(value: &str) -> f64 {
    let class = |b: u8| if b.is_ascii_digit() { 0 } else { 1 + u8::from(b.is_ascii_uppercase()) };
    let classes: Vec<u8> = value.bytes().filter(u8::is_ascii_alphanumeric).map(class).collect();
    let changes = classes.windows(2).filter(|w| w[0] != w[1]).count();
    changes as f64 / classes.len().saturating_sub(1).max(1) as f64
}

fn is_uuid(value: &str) -> bool {
    value.len() == 36 && value.bytes().enumerate().all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_random_values_from_words() {
        for value in ["q7Rk2vXw9ZtLm4Np8sYd", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ81hNvKp2", "9f86d081884c7d659a2feaa0c55ad015", "k3j9h5gx2f7d"] {
            assert!(is_random(value, 12), "{value}");
        }
        for value in [
            "my-secret-password-2024",
            "refreshTokenExpired2",
            "correct-horse-battery-staple",
            "123e4567-e89b-42d3-a456-426614174000",
            "${DB_PASSWORD}",
            "/run/secrets/db_password_v2",
            "2024-01-01T00:00:00Z",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            "sha512-q7Rk2vXw9ZtLm4Np8sYd",
            "aaaaaaaaaaaaaaaaaaaaaa11",
            "short1A",
        ] {
            assert!(!is_random(value, 12), "{value}");
        }
    }
}
