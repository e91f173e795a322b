//! A cursor over the lines of a patch.

/// What is left of a patch, line by line, split at `\n` as git does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next line without its `\n`; it stays.
    pub(crate) fn peek(&self) -> Option<&'a [u8]> {
        (!self.rest.is_empty()).then(|| &self.rest[..self.line_end()])
    }

    /// The next line without its `\n`; it is consumed.
    pub(crate) fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.line_end();
        let line = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Some(line)
    }

    /// Consumes the next line and returns what follows `prefix`, if it starts with it.
    pub(crate) fn take(&mut self, prefix: &[u8]) -> Option<&'a [u8]> {
        // Looking at the prefix first keeps a long line from being searched for its end once per candidate.
        self.starts(prefix).then(|| self.next().map(|line| &line[prefix.len()..])).flatten()
    }

    /// Whether the next line starts with `prefix` (which holds no `\n`).
    pub(crate) fn starts(&self, prefix: &[u8]) -> bool {
        self.rest.starts_with(prefix)
    }

    fn line_end(&self) -> usize {
        self.rest.iter().position(|b| *b == b'\n').unwrap_or(self.rest.len())
    }
}

/// A header line without the `\r` that a patch saved with Windows line ends has.
pub(crate) fn trim_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
