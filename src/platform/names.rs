//! The rules of Windows for names, as work on text.

/// What a program's file may end in, first come first. Others (`.js`, `.ps1`) would need a program of their own to run them.
const PROGRAM_ENDINGS: [&str; 4] = ["exe", "com", "cmd", "bat"];
/// A longer path without `\\?\` does not reach every function of Windows.
const MAX_PLAIN: usize = 240;

/// Where a path of git stands on disk, or why it can stand nowhere, in words that go after "its name". Names that Windows
/// would take for another file (git's own folder among them) are refused, so that no change can have one read in its place.
pub(super) fn on_disk(path: &[u8]) -> Result<String, &'static str> {
    let text = std::str::from_utf8(path).map_err(|_| "is not UTF-8, and Windows has no such names")?;
    text.split('/').try_for_each(part)?;
    Ok(text.replace('/', "\\"))
}

fn part(name: &str) -> Result<(), &'static str> {
    let stem = name.split('.').next().unwrap_or_default().trim_end_matches(' ');
    if name.contains(|c: char| c < ' ' || r#"<>:"\|?*"#.contains(c)) {
        Err("has a character that no name on Windows can have")
    } else if name.is_empty() || name.ends_with(['.', ' ']) {
        Err("has a part that ends in a dot or a blank, which Windows leaves out")
    } else if is_device(stem) {
        Err("has a part that is a device on Windows")
    } else if name.eq_ignore_ascii_case(".git") {
        Err("stands for git's own folder on Windows")
    } else if is_short(stem) {
        Err("has the form of a short name, which may be another file's on Windows")
    } else {
        Ok(())
    }
}

fn is_device(stem: &str) -> bool {
    let stem = stem.to_ascii_lowercase();
    let numbered = || ["com", "lpt"].iter().any(|port| stem.strip_prefix(port).is_some_and(|n| n.chars().count() == 1 && n.contains(is_port)));
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$") || numbered()
}

fn is_port(c: char) -> bool {
    matches!(c, '0'..='9' | '¹' | '²' | '³')
}

/// `GIT~1`: at most eight characters, the last of them a tilde and digits.
fn is_short(stem: &str) -> bool {
    let digits = stem.rsplit_once('~').map(|(_, digits)| digits);
    stem.len() <= 8 && digits.is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
}

/// A canonical path (`\\?\C:\a`, `\\?\UNC\host\share`) as people and git write it, where that names the same file.
pub(super) fn plain(path: &str) -> Option<String> {
    let rest = path.strip_prefix(r"\\?\")?;
    let (root, below) = match rest.strip_prefix(r"UNC\") {
        Some(share) => (r"\\", share),
        None if rest.as_bytes().get(1) == Some(&b':') => ("", rest.get(3..)?),
        None => return None,
    };
    // A part that only the long form can name.
    let odd = |name: &str| name.ends_with(['.', ' ']) || is_device(name.split('.').next().unwrap_or_default().trim_end_matches(' '));
    let fits = rest.len() <= MAX_PLAIN && !below.split('\\').any(odd);
    fits.then(|| format!("{root}{}", rest.strip_prefix(r"UNC\").unwrap_or(rest)))
}

/// What a program of this name can be called in a folder of the PATH.
pub(super) fn program_names(name: &str) -> Vec<String> {
    let named = name.rsplit_once('.').is_some_and(|(_, ending)| PROGRAM_ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)));
    if named { vec![name.to_owned()] } else { PROGRAM_ENDINGS.iter().map(|ending| format!("{name}.{ending}")).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_git_stand_on_disk_or_are_refused_with_a_reason() {
        let told = |paths: &[&[u8]]| paths.iter().map(|p| on_disk(p).unwrap_or_else(str::to_owned)).collect::<Vec<_>>();
        assert_eq!(
            told(&[
                "src/a b/é.rs".as_bytes(),
                b".github/x",
                b"console/auxiliary.c",
                b"comb/com10/lpt",
                b"backup~",
                b"long-name~1",
                b"a~b",
                b".gitignore"
            ]),
            [r"src\a b\é.rs", r".github\x", r"console\auxiliary.c", r"comb\com10\lpt", "backup~", "long-name~1", "a~b", ".gitignore"]
        );
        let refused: [(&str, &[&[u8]]); 6] = [
            ("is not UTF-8, and Windows has no such names", &[b"caf\xe9", b"\xed\xa0\x80"]),
            (
                "has a character that no name on Windows can have",
                &[b"a:b", b"C:/x", br"a\b", br"..\x", b"a?", b"a/b\n", b"x::$DATA", b".git::$INDEX_ALLOCATION/config"],
            ),
            (
                "has a part that ends in a dot or a blank, which Windows leaves out",
                &[b"a.", b"a /b", b"../x", b"a/./b", b".git./config", b"/x", b"a//b", b""],
            ),
            ("has a part that is a device on Windows", &[b"aux", b"src/AUX.c", b"nul.tar.gz", b"con .txt", b"COM1", "lpt³".as_bytes(), b"CONIN$"]),
            ("stands for git's own folder on Windows", &[b".GIT/config", b"sub/.git/hooks"]),
            ("has the form of a short name, which may be another file's on Windows", &[b"GIT~1/config", b"git~10", b"PROGRA~1.TXT"]),
        ];
        for (why, paths) in refused {
            assert_eq!(told(paths), vec![why; paths.len()]);
        }
    }

    #[test]
    fn canonical_paths_lose_their_prefix_where_they_name_the_same() {
        for (long, short) in [
            (r"\\?\C:\Users\x", Some(r"C:\Users\x")),
            (r"\\?\D:\", Some(r"D:\")),
            (r"\\?\UNC\host\share\x", Some(r"\\host\share\x")),
            (r"\\?\C:\a\nul.txt", None),
            (r"\\?\C:\a \b", None),
            (r"\\?\Volume{1}\x", None),
            (r"C:\x", None),
        ] {
            assert_eq!(plain(long).as_deref(), short, "{long}");
        }
        assert_eq!(plain(&format!(r"\\?\C:\{}", "x".repeat(300))), None);
    }

    #[test]
    fn programs_have_endings() {
        assert_eq!(program_names("az"), ["az.exe", "az.com", "az.cmd", "az.bat"]);
        assert_eq!((program_names("git.EXE"), program_names("python3.12").len()), (vec!["git.EXE".to_owned()], 4));
    }
}
