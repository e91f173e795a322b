//! Where an organisation's rules come from: a folder, or a git repository at one commit.

use std::path::PathBuf;

/// An entry of `rule_sources`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleSource {
    /// A folder of this machine.
    Directory(PathBuf),
    /// A repository elsewhere. The commit's id vouches for its contents, whoever hands them out.
    Git {
        /// Without a password: `https://…`, `ssh://…`, `user@host:path`, or `file:///…`.
        url: String,
        /// The full id.
        commit: String,
    },
}

impl RuleSource {
    /// Reads an entry; the error says why it cannot be used, to go after "it".
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.len() > 2_000 || text.chars().any(char::is_control) {
            return Err("it is empty, too long, or holds control characters".to_owned());
        }
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        let scp =
            scheme.is_none() && text.split_once('@').is_some_and(|(user, rest)| is_word(user) && rest.contains(':') && !text.starts_with(['/', '.']));
        if scheme.is_none() && !scp {
            return Ok(RuleSource::Directory(PathBuf::from(text)));
        }
        let pinned =
            text.rsplit_once('@').filter(|(_, id)| matches!(id.len(), 40 | 64) && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
        let (url, commit) = pinned.ok_or("a repository is named at one commit: its URL, `@`, and the 40 digits of the commit's id")?;
        if !url.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("a URL has no blanks".to_owned());
        }
        let (user, host) = authority(url);
        match scheme {
            Some("https") if user.is_some() => return Err("a user or password never stands in a URL: git's credential helper knows them".to_owned()),
            Some("ssh") | None if user.is_some_and(|u| !is_word(u)) => return Err("a password never stands in a URL".to_owned()),
            Some("file") if url.starts_with("file:///") => {}
            // `-oProxyCommand=…` as a host would be an option to ssh.
            Some("https" | "ssh") | None if !host.is_empty() && !host.starts_with('-') => {}
            _ => return Err("repositories are read over https or ssh".to_owned()),
        }
        Ok(RuleSource::Git { url: url.to_owned(), commit: commit.to_owned() })
    }

    /// The only protocol that git may speak for it.
    pub fn protocol(url: &str) -> &'static str {
        match url.split_once("://").map(|(scheme, _)| scheme) {
            Some("https") => "https",
            Some("file") => "file",
            _ => "ssh",
        }
    }
}

/// User and host of `scheme://user@host/…` or `user@host:…`.
fn authority(url: &str) -> (Option<&str>, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let all = if url.contains("://") { rest.split('/').next() } else { rest.split(':').next() }.unwrap_or_default();
    all.rsplit_once('@').map_or((None, all), |(user, host)| (Some(user), host))
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_folders_from_repositories() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        for folder in ["rules", "/etc/tribune/rules", "../x@y", "./a:b@c:d"] {
            assert_eq!(RuleSource::parse(folder), Ok(RuleSource::Directory(PathBuf::from(folder))));
        }
        for (url, protocol) in [
            ("https://host.example/org/codex.git", "https"),
            ("https://host.example:8443/a@b/c", "https"),
            ("ssh://git@host.example:22/org/codex.git", "ssh"),
            ("git@host.example:org/codex.git", "ssh"),
            ("file:///srv/codex.git", "file"),
        ] {
            let expected = RuleSource::Git { url: url.to_owned(), commit: id.to_owned() };
            assert_eq!((RuleSource::parse(&format!("{url}@{id}")), RuleSource::protocol(url)), (Ok(expected), protocol));
        }
    }

    #[test]
    fn refuses_what_is_not_pinned_or_not_safe() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let table: Vec<String> = [
            "https://h/x.git".to_owned(),
            "https://h/x.git@main".to_owned(),
            "https://h/x.git@0123456".to_owned(),
            format!("https://h/x.git@{}", id.to_uppercase()),
            format!("https://user:secret@h/x@{id}"),
            format!("ssh://user:secret@h/x@{id}"),
            format!("http://h/x@{id}"),
            format!("git://h/x@{id}"),
            format!("ext::sh -c x://y@{id}"),
            format!("ssh://-oProxyCommand=x/y@{id}"),
            format!("file://h/x@{id}"),
            format!("https:///x@{id}"),
            format!("https://h/a b@{id}"),
            String::new(),
        ]
        .iter()
        .map(|t| RuleSource::parse(t).expect_err("refused"))
        .collect();
        insta::assert_snapshot!(table.join("\n"), @"
        a repository is named at one commit: its URL, `@`, and the 40 digits of the commit's id
        a repository is named at one commit: its URL, `@`, and the 40 digits of the commit's id
        a repository is named at one commit: its URL, `@`, and the 40 digits of the commit's id
        a repository is named at one commit: its URL, `@`, and the 40 digits of the commit's id
        a user or password never stands in a URL: git's credential helper knows them
        a password never stands in a URL
        repositories are read over https or ssh
        repositories are read over https or ssh
        a URL has no blanks
        repositories are read over https or ssh
        repositories are read over https or ssh
        repositories are read over https or ssh
        a URL has no blanks
        it is empty, too long, or holds control characters
        ");
    }
}
