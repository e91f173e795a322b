//! A key or token on its way from where it is kept to the one header that carries it.

use serde::Deserialize;
use std::fmt;

/// A key or token. Its text appears in no `Debug`, has no `Display` and cannot be serialised.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret's text; blanks around it (a file's last line end) do not belong to it.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().trim().to_owned())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text itself, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// `text` with this secret blotted out. The shortest values (a `true`, a number) are no secrets, and masking
    /// them would garble the text.
    pub(crate) fn mask(&self, text: &str) -> String {
        if self.0.len() < 6 { text.to_owned() } else { text.replace(&self.0, "[secret]") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_shown_nowhere_and_masked() {
        let secret = Secret::new(" hunter2\n");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!((secret.expose(), secret.mask("a hunter2 b")), ("hunter2", "a [secret] b".to_owned()));
        assert_eq!(Secret::new("true").mask("it is true"), "it is true");
        assert!(Secret::new("").is_empty() && Secret::new("").mask("ab") == "ab");
    }
}
