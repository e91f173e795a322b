//! Where a user's own files lie: as the XDG specification has it, on Windows where such a variable is set, else in the
//! folders of the profile.

use crate::config::Env;
use std::path::PathBuf;

/// The folder of a user's configuration, for all programs: `$XDG_CONFIG_HOME`, else `~/.config` (on Windows `%APPDATA%`).
/// `None` without a home. A relative path is ignored, as the specification asks.
pub(crate) fn config_home(env: Env<'_>) -> Option<PathBuf> {
    find(env, "XDG_CONFIG_HOME", "APPDATA", ".config")
}

/// The folder of what can be made again: `$XDG_CACHE_HOME`, else `~/.cache` (on Windows `%LOCALAPPDATA%`). As [`config_home`].
pub(crate) fn cache_home(env: Env<'_>) -> Option<PathBuf> {
    find(env, "XDG_CACHE_HOME", "LOCALAPPDATA", ".cache")
}

fn find(env: Env<'_>, xdg: &str, profile: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || if cfg!(windows) { absolute(profile) } else { absolute("HOME").map(|home| home.join(below_home)) };
    absolute(xdg).or_else(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_where() {
        let here = |path: &str| std::path::absolute(path).expect("a path").display().to_string();
        let (x, h) = (here("/x"), here("/h"));
        let set = [("XDG_CONFIG_HOME", x.as_str()), ("XDG_CACHE_HOME", "relative"), ("HOME", &h), ("APPDATA", &h), ("LOCALAPPDATA", &h)];
        let of = |from: usize| move |name: &str| set[from..].iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let below = |name: &str| if cfg!(windows) { PathBuf::from(&h) } else { PathBuf::from(&h).join(name) };
        assert_eq!((config_home(&of(0)), cache_home(&of(0))), (Some(x.clone().into()), Some(below(".cache"))));
        assert_eq!(config_home(&of(1)), Some(below(".config")));
        assert_eq!((config_home(&|_| None), cache_home(&|_| Some(String::new()))), (None, None));
    }
}
