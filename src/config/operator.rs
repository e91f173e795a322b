//! The operator's file: where it stands by default, when it may be used, and reading it.

use super::problem::ConfigProblem;
use super::yaml::MAX_CONFIG_BYTES;
use super::{Env, Layer};
use crate::error::UserError;
use crate::platform;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Where the operator's file is looked for: `$XDG_CONFIG_HOME/tribune/config.yaml`, else `~/.config/tribune/config.yaml` (on
/// Windows `%APPDATA%\tribune\config.yaml`). `None` without a home. A relative `XDG_CONFIG_HOME` is ignored, as its specification asks.
pub fn default_operator_file(env: Env<'_>) -> Option<PathBuf> {
    Some(platform::config_home(env)?.join("tribune").join("config.yaml"))
}

/// Refuses an operator's file inside the work tree in CI: whoever opens a change writes there, and could
/// redirect the gateway with its key. Links are resolved; `worktree` is `None` where there is none.
pub fn operator_file_allowed(file: &Path, worktree: Option<&Path>, ci: bool) -> Result<(), UserError> {
    let Some(worktree) = worktree.filter(|_| ci) else { return Ok(()) };
    // Where a path cannot be resolved, reading it fails with a better message.
    let (Ok(real), Ok(root)) = (file.canonicalize(), worktree.canonicalize()) else { return Ok(()) };
    // A link in the work tree that leads out of it is the author's choice of a file all the same. Each folder on the way is
    // resolved, since what is written may differ from what stands on disk (in case, too).
    let written = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let inside = |path: &Path| path.canonicalize().is_ok_and(|path| path.starts_with(&root));
    if real.starts_with(&root) || written.ancestors().any(inside) {
        return Err(UserError::usage(
            format!("{} cannot be an operator's file here", file.display()),
            "in CI the work tree is what the change's author wrote, and an operator's file says where code and keys go",
            "Keep the file outside the work tree: a file variable of the CI system, or the runner's own disk.",
        ));
    }
    Ok(())
}

/// Reads an operator's file. `None` when there is none and `must_exist` is false (the default place). What
/// is wrong with it ends the run (exit 2), all problems told at once.
pub fn read_operator_file(file: &Path, must_exist: bool) -> Result<Option<Layer>, UserError> {
    let failed =
        |why: String| UserError::usage(format!("{} cannot be read", file.display()), why, "Name another file with --config, or mend this one.");
    let mut bytes = Vec::new();
    match std::fs::File::open(file).and_then(|f| f.take(MAX_CONFIG_BYTES as u64 + 1).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    }
    if bytes.len() > MAX_CONFIG_BYTES {
        return Err(failed(format!("it has more than the {MAX_CONFIG_BYTES} bytes that are read")));
    }
    let text = String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8".to_owned()))?;
    let (layer, problems) = Layer::operator(&text, file);
    if problems.is_empty() {
        return Ok(Some(layer));
    }
    let name = file.display().to_string();
    let told: Vec<String> = problems.iter().map(|problem: &ConfigProblem| problem.render(&name)).collect();
    let title = format!("{name} has {} {}", problems.len(), if problems.len() == 1 { "problem" } else { "problems" });
    Err(UserError::usage(title, told.join("\n\n"), "Mend it; `tribune config schema` prints what is possible."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_ci_the_work_tree_holds_no_operators_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let (tree, outside) = (folder.path().join("tree"), folder.path().join("outside.yaml"));
        std::fs::create_dir(&tree).expect("made");
        std::fs::write(&outside, "").expect("written");
        std::fs::write(tree.join("inside.yaml"), "").expect("written");
        let allowed = |file: &Path, ci| operator_file_allowed(file, Some(&tree), ci).is_ok();
        assert!(allowed(&outside, true) && allowed(&tree.join("inside.yaml"), false));
        assert!(!allowed(&tree.join("inside.yaml"), true) && !allowed(&tree.join("../tree/inside.yaml"), true));
        assert!(operator_file_allowed(&tree.join("inside.yaml"), None, true).is_ok());
        platform::link(&tree.join("inside.yaml"), &folder.path().join("link.yaml")).expect("linked");
        platform::link(&outside, &tree.join("link.yaml")).expect("linked");
        assert!(!allowed(&folder.path().join("link.yaml"), true) && !allowed(&tree.join("link.yaml"), true));
        // A link of the work tree on the way counts, too.
        platform::link(folder.path(), &tree.join("up")).expect("linked");
        assert!(!allowed(&tree.join("up").join("outside.yaml"), true));
    }

    #[test]
    fn problems_of_the_file_end_the_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.yaml");
        assert!(read_operator_file(&file, false).expect("may be missing").is_none());
        assert_eq!(read_operator_file(&file, true).expect_err("named").exit.code(), 2);
        std::fs::write(&file, "limit: {}\nfail_on: 7\n").expect("written");
        let error = read_operator_file(&file, false).expect_err("broken");
        assert!(
            error.title.ends_with("config.yaml has 2 problems")
                && error.cause.contains("Did you mean `limits`?")
                && error.cause.contains("config.yaml:2:10"),
            "{error:?}"
        );
        for bad in [vec![b'#'; 10 << 20], vec![0xff, 0xfe]] {
            std::fs::write(&file, bad).expect("written");
            assert!(read_operator_file(&file, false).is_err());
        }
    }
}
