//! Which branch policy comes from: the same on all forges.

use super::ForgeError;
use std::future::Future;

/// A branch as a forge tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Branch {
    /// Only some may push to it.
    pub(super) protected: bool,
    /// Its last commit, where the forge tells.
    pub(super) tip: Option<String>,
}

/// Whether policy may come from the target branch, and the commit that it comes from (TRUST 3): the tip of the target branch if
/// that is protected or the default branch, else of the default branch. `look` reads a branch; one that is gone protects nobody.
pub(super) async fn policy<'n, L, F>(target: &'n str, default: &'n str, look: L) -> Result<(bool, Option<String>), ForgeError>
where
    L: Fn(&'n str) -> F,
    F: Future<Output = Result<Option<Branch>, ForgeError>>,
{
    let found = look(target).await?;
    let protected = target == default || found.as_ref().is_some_and(|branch| branch.protected);
    let from = if protected { found } else { look(default).await? };
    Ok((protected, from.and_then(|branch| branch.tip)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A forge with `main` and `release`, protected or not, and `gone`, which is not there: the answer, and what was read.
    async fn of(target: &str, default: &str, protected: bool) -> (bool, Option<String>, Vec<String>) {
        let read = Mutex::new(Vec::new());
        let look = |name: &str| {
            read.lock().expect("one at a time").push(name.to_owned());
            let branch = (name != "gone").then(|| Branch { protected, tip: Some(format!("tip of {name}")) });
            async move { Ok(branch) }
        };
        let (from_target, commit) = policy(target, default, look).await.expect("the forge answers");
        (from_target, commit, read.into_inner().expect("one at a time"))
    }

    #[tokio::test]
    async fn the_authors_own_branch_has_no_say() {
        let tip = |name: &str| Some(format!("tip of {name}"));
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        for (target, default, protected, expected) in [
            ("release", "main", true, (true, tip("release"), names(&["release"]))),
            ("release", "main", false, (false, tip("main"), names(&["release", "main"]))),
            ("main", "main", false, (true, tip("main"), names(&["main"]))),
            ("gone", "main", true, (false, tip("main"), names(&["gone", "main"]))),
            ("gone", "gone", true, (true, None, names(&["gone"]))),
        ] {
            assert_eq!(of(target, default, protected).await, expected, "{target}, {default}, {protected}");
        }
    }
}
