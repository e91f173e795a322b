//! Forges (GitLab, GitHub): where a merge request is read from and where comments go. One trait, [`Forge`], in the
//! words that all share; a forge is one folder here. Names of forges appear nowhere else.
//!
//! It never decides what is posted, what a comment means or who may settle: `publish` and `history` do.

mod branch;
mod call;
mod examine;
mod github;
mod gitlab;
mod here;
mod http;
mod locate;
mod once;
mod project;
mod span;
mod text;
mod told;
mod types;

pub use examine::{Around, Wishes, around};
pub use here::{here, labels, place};
pub use locate::{Found, HeadOf, Kind, Located, Token, connect, locate};
pub use project::project;
pub use span::{End, Span};
pub use told::told;
pub use types::{
    Annotation, ApiDiff, Check, Comment, Conclusion, Conversation, ForgeError, MergeRequest, NewThread, Place, Posted, Provenance, Role, Target,
    Thread, User,
};

use crate::doctor::Line;
use crate::git::GitAccess;
use futures::future::BoxFuture;

/// What a request to a forge comes to.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, ForgeError>>;

/// One merge request on one forge, as its token sees it.
///
/// Reading is cheap and may be called in any order; an implementation pages to the end, within bounds, and says in the
/// error which bound was met. Writing is never repeated blindly: after an answer that leaves it open whether a write
/// happened, the implementation reads back before it tries again.
pub trait Forge: Send + Sync {
    /// Which merge request this is.
    fn target(&self) -> &Target;

    /// The most bytes of one comment's body, markers included.
    fn comment_bytes(&self) -> usize;

    /// The info string of a suggestion block for a comment on lines `start..=end` (`suggestion:-2+0`, `suggestion`).
    fn suggestion(&self, start: u32, end: u32) -> String;

    /// A link to a line of a file at a commit, of the forge's own making.
    fn link(&self, sha: &str, path: &str, lines: Option<(u32, u32)>) -> String;

    /// How git reads the target project with this token.
    fn git_access(&self) -> GitAccess;

    /// What stands for or against a review, as the forge tells it of itself, the token and the project. Never fails: what
    /// cannot be had is a check, too. Changes nothing.
    fn examine<'a>(&'a self, wishes: &'a Wishes) -> BoxFuture<'a, Vec<Line>>;

    /// The merge request as it stands now.
    fn merge_request(&self) -> Reply<'_, MergeRequest>;

    /// Whether it still stands as it was read: the same head into the same branch, [`ForgeError::Conflict`] where not. Asked just
    /// before something is written about it.
    fn still<'a>(&'a self, at: &'a MergeRequest) -> Reply<'a, ()>;

    /// How a maintainer has models review this head of a fork by hand: a line to copy. `None` where there is no such way.
    fn by_hand(&self, _head: &str) -> Option<String> {
        None
    }

    /// The forge's own diff, for where git has not both commits, and how complete it is.
    fn diff(&self) -> Reply<'_, ApiDiff>;

    /// All comments and threads, oldest first.
    fn conversation(&self) -> Reply<'_, Conversation>;

    /// The token's own user; `None` where the forge does not tell (a job token).
    fn me(&self) -> Reply<'_, Option<User>>;

    /// What a user may do in the project, confirmed by the forge.
    fn role(&self, user: &User) -> Reply<'_, Role>;

    /// Who set this label last; `None` where the forge does not tell.
    fn label_setter<'a>(&'a self, label: &'a str) -> Reply<'a, Option<User>>;

    /// Writes a plain comment; returns its id.
    fn comment<'a>(&'a self, body: &'a str) -> Reply<'a, String>;

    /// Replaces the body of a plain comment of ours.
    fn edit_comment<'a>(&'a self, id: &'a str, body: &'a str) -> Reply<'a, ()>;

    /// Deletes a plain comment of ours.
    fn delete_comment<'a>(&'a self, id: &'a str) -> Reply<'a, ()>;

    /// Opens threads on the version that `at` names, if [`Forge::still`] finds it standing, with as few notifications as the forge allows, and says what became
    /// of each, in the given order. A place that the forge refuses goes down the ladder (single line, file, refused);
    /// one refusal never loses the others. Threads that an earlier, broken run left behind unpublished are reused or
    /// removed, ours only.
    fn open_threads<'a>(&'a self, at: &'a MergeRequest, threads: &'a [NewThread]) -> Reply<'a, Vec<Posted>>;

    /// Replaces the body of the first comment of a thread of ours.
    fn edit_thread<'a>(&'a self, thread: &'a Thread, body: &'a str) -> Reply<'a, ()>;

    /// Answers in a thread.
    fn reply<'a>(&'a self, thread: &'a Thread, body: &'a str) -> Reply<'a, ()>;

    /// Resolves a thread of ours. `false`: the token may not, or the thread cannot be resolved; nothing was claimed.
    fn resolve<'a>(&'a self, thread: &'a Thread) -> Reply<'a, bool>;

    /// Removes a thread of ours; folds it where the forge cannot remove it (others have answered).
    fn remove_thread<'a>(&'a self, thread: &'a Thread) -> Reply<'a, ()>;

    /// Adds and removes labels.
    fn label<'a>(&'a self, add: &'a [String], remove: &'a [String]) -> Reply<'a, ()>;

    /// Approves exactly this head, as the token's user. Refused where the head has moved or the forge does not allow it.
    fn approve<'a>(&'a self, head: &'a str) -> Reply<'a, ()>;

    /// Takes our own approval back (or our request for changes, where that is the last word); it is no error where there is none.
    fn unapprove(&self) -> Reply<'_, ()>;

    /// Asks for changes, where the forge has this as a state.
    fn request_changes<'a>(&'a self, head: &'a str, body: &'a str) -> Reply<'a, ()>;

    /// How our check (or status) at a commit ended; `None` where there is none.
    fn checked<'a>(&'a self, head: &'a str) -> Reply<'a, Option<Conclusion>>;

    /// Shows the outcome at the commit (a check run, a commit status). `false`: this forge or token has no such thing.
    fn check<'a>(&'a self, check: &'a Check) -> Reply<'a, bool>;
}
