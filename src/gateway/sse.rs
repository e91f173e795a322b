//! Server-sent events: bytes in, events out. Knows nothing of what the events say.

use memchr::{memchr, memchr2};
use std::mem;

/// The most bytes of one line and of one event.
const MAX_EVENT: usize = 16 << 20;

/// The most bytes that are kept of what is no event.
const MAX_STRAY: usize = 64 << 10;

/// One event. It borrows from the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SseEvent<'a> {
    /// Its name, empty where it has none.
    pub(crate) name: &'a str,
    /// Its `data` lines, joined with LF.
    pub(crate) data: &'a str,
}

/// An event longer than 16 MiB.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EventTooLong;

/// An incremental parser. Lines end in LF, CR LF or CR; what is not UTF-8 becomes U+FFFD, line by line, so
/// that a read may end inside a character.
#[derive(Debug, Default)]
pub(crate) struct SseParser {
    line: Vec<u8>,
    after_cr: bool,
    name: String,
    data: String,
    has_data: bool,
    framed: bool,
    stray: Vec<u8>,
}

impl SseParser {
    /// Whether any line so far was one of an event stream; prose has none.
    pub(crate) fn is_framed(&self) -> bool {
        self.framed
    }

    /// The start of what stood between the events without being of one: an error can come as bare JSON.
    pub(crate) fn stray(&self) -> Option<&[u8]> {
        (!self.stray.is_empty()).then_some(self.stray.as_slice())
    }

    /// Takes the next bytes and tells each event that they complete. Stops at the first error of `tell`.
    pub(crate) fn feed<E: From<EventTooLong>>(&mut self, mut bytes: &[u8], tell: &mut impl FnMut(SseEvent<'_>) -> Result<(), E>) -> Result<(), E> {
        while !bytes.is_empty() {
            if mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = memchr2(b'\n', b'\r', bytes) else {
                self.keep(bytes)?;
                break;
            };
            self.after_cr = bytes[end] == b'\r';
            if self.line.is_empty() {
                self.take_line(&bytes[..end], tell)?;
            } else {
                self.keep(&bytes[..end])?;
                let line = mem::take(&mut self.line);
                self.take_line(&line, tell)?;
                self.line = line;
                self.line.clear();
            }
            bytes = &bytes[end + 1..];
        }
        Ok(())
    }

    /// The stream is over: what an unterminated last event held, since some servers leave the last blank line out.
    pub(crate) fn finish(&mut self) -> Option<SseEvent<'_>> {
        let line = mem::take(&mut self.line);
        if !line.is_empty() {
            // A line that cannot be taken any more is as lost as one that never came.
            let _ = self.take_line(&line, &mut |_| Ok::<(), EventTooLong>(()));
        }
        self.has_data.then_some(SseEvent { name: &self.name, data: &self.data })
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), EventTooLong> {
        if self.line.len() + bytes.len() > MAX_EVENT {
            return Err(EventTooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn take_line<E: From<EventTooLong>>(&mut self, line: &[u8], tell: &mut impl FnMut(SseEvent<'_>) -> Result<(), E>) -> Result<(), E> {
        if line.is_empty() {
            let told = if mem::take(&mut self.has_data) { tell(SseEvent { name: &self.name, data: &self.data }) } else { Ok(()) };
            self.name.clear();
            self.data.clear();
            return told;
        }
        let (field, value) = match memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        self.framed |= matches!(field, b"" | b"data" | b"event" | b"id" | b"retry");
        match field {
            b"data" => {
                if self.data.len() + value.len() >= MAX_EVENT {
                    return Err(EventTooLong.into());
                }
                if mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                push_text(&mut self.data, value);
            }
            b"event" => {
                self.name.clear();
                push_text(&mut self.name, value);
            }
            b"" | b"id" | b"retry" => {}
            _ if self.stray.len() + line.len() < MAX_STRAY => {
                self.stray.extend_from_slice(line);
                self.stray.push(b'\n');
            }
            _ => {}
        }
        Ok(())
    }
}

/// Appends bytes as text. Most are UTF-8, which is quick to find out.
fn push_text(text: &mut String, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(valid) => text.push_str(valid),
        Err(_) => text.push_str(&String::from_utf8_lossy(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(reads: &[&[u8]]) -> Vec<(String, String)> {
        let mut parser = SseParser::default();
        let mut events = Vec::new();
        for read in reads {
            parser
                .feed(read, &mut |e| {
                    events.push((e.name.to_owned(), e.data.to_owned()));
                    Ok::<(), EventTooLong>(())
                })
                .expect("short");
        }
        events.extend(parser.finish().map(|e| (e.name.to_owned(), e.data.to_owned())));
        events
    }

    fn told(text: &str) -> String {
        parse(&[text.as_bytes()]).iter().map(|(n, d)| format!("{n}|{d:?} ")).collect()
    }

    #[test]
    fn events_of_all_shapes() {
        insta::assert_snapshot!(told("data: a\n\ndata:b\n\ndata:  c\n\n"), @r#"|"a" |"b" |" c" "#);
        insta::assert_snapshot!(told("event: x\r\ndata: 1\r\ndata: 2\r\n\r\n:c\r\n\r\ndata\r\n\r\n"), @r#"x|"1\n2" |"" "#);
        insta::assert_snapshot!(told("data: a\r\rdata: b\r\r"), @r#"|"a" |"b" "#);
        insta::assert_snapshot!(told("event: only a name\n\ndata: n\n\n"), @r#"|"n" "#);
        insta::assert_snapshot!(told("id: 7\nretry: 9\nfoo\ndata: a:b\n\n"), @r#"|"a:b" "#);
        insta::assert_snapshot!(told("data: a\ndata: cut"), @r#"|"a\ncut" "#);
        insta::assert_snapshot!(told("data: a\n"), @r#"|"a" "#);
        insta::assert_snapshot!(told(": only a comment\n\n\n"), @"");
    }

    #[test]
    fn events_are_bounded() {
        let mut parser = SseParser::default();
        let mut feed = |bytes: &[u8]| parser.feed(bytes, &mut |_| Ok::<(), EventTooLong>(()));
        let megabyte = vec![b'x'; 1 << 20];
        assert_eq!(feed(b"data: "), Ok(()));
        let failed = (0..17).position(|_| feed(&megabyte).is_err());
        assert_eq!(failed, Some(15));

        let mut parser = SseParser::default();
        let lines = [b"data: ", megabyte.as_slice(), b"\n"].concat();
        let mut feed = || parser.feed(&lines, &mut |_| Ok::<(), EventTooLong>(()));
        assert_eq!((0..17).position(|_| feed().is_err()), Some(15));
    }

    proptest! {
        #[test]
        fn reads_can_end_anywhere(text in "(data: ?[aä€😀:]{0,5}|event: x|: c|\r\n|\r|\n|\n\n|d){0,20}", cuts in prop::collection::vec(0usize..200, 0..8)) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut reads = Vec::new();
            let mut from = 0;
            for cut in cuts {
                reads.push(&bytes[from..cut]);
                from = cut;
            }
            reads.push(&bytes[from..]);
            prop_assert_eq!(parse(&reads), parse(&[bytes]));
        }
    }
}
