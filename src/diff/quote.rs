//! Git's C-style quoting of paths: `"a\tb\303\251"`.

/// Reads a quoted word at the start of `input`: its bytes and what follows the closing quote.
/// `None` when it does not start with `"` or is not well-formed.
pub(crate) fn unquote(input: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = input.strip_prefix(b"\"")?;
    let mut out = Vec::new();
    loop {
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        match byte {
            b'"' => return Some((out, rest)),
            b'\\' => {
                let (&escape, tail) = rest.split_first()?;
                rest = tail;
                out.push(match escape {
                    b'a' => 0x07,
                    b'b' => 0x08,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 0x0b,
                    b'f' => 0x0c,
                    b'r' => b'\r',
                    b'"' | b'\\' => escape,
                    b'0'..=b'3' => {
                        let digits = rest.get(..2).filter(|d| d.iter().all(|b| (b'0'..=b'7').contains(b)))?;
                        rest = &rest[2..];
                        (escape - b'0') * 64 + (digits[0] - b'0') * 8 + (digits[1] - b'0')
                    }
                    _ => return None,
                });
            }
            _ => out.push(byte),
        }
    }
}

/// Appends `prefix` and `path`, quoted where a reader could otherwise misread them (blanks included,
/// so that no header needs guessing where a name ends).
pub(crate) fn quote_into(out: &mut Vec<u8>, prefix: &[u8], path: &[u8]) {
    let plain = |b: &u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\');
    if path.iter().all(plain) {
        out.extend_from_slice(prefix);
        out.extend_from_slice(path);
        return;
    }
    out.push(b'"');
    out.extend_from_slice(prefix);
    for &byte in path {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b' ' => out.push(b' '),
            _ if byte.is_ascii_graphic() => out.push(byte),
            _ => out.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_quoting() {
        let all: Vec<u8> = (0..=255).collect();
        let mut quoted = Vec::new();
        quote_into(&mut quoted, b"a/", &all);
        quoted.extend_from_slice(b" tail");
        let (back, rest) = unquote(&quoted).expect("well-formed");
        assert_eq!((&back[..2], &back[2..], rest), (&b"a/"[..], &all[..], &b" tail"[..]));
    }

    #[test]
    fn reads_what_git_writes_and_nothing_else() {
        assert_eq!(unquote(br#""caf\303\251\t\"\\" x"#), Some((b"caf\xc3\xa9\t\"\\".to_vec(), &b" x"[..])));
        for bad in [&br#"a"#[..], br#""a"#, br#""\"#, br#""\9""#, br#""\40""#, br#""\477""#, br#""\q""#] {
            assert_eq!(unquote(bad), None, "{}", String::from_utf8_lossy(bad));
        }
    }
}
