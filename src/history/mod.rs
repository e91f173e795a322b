//! What was said before, read back from our own comments, and what it means for this round (DESIGN 5). Nothing is stored
//! but comments: a run begins with [`read`], and ends with the [`State`] that its summary carries in a [`marker`].
//!
//! Everything here is a pure function over a conversation, a merge request, roles and facts of git. It names no forge, writes
//! nothing, prints nothing, and asks no model.

mod drift;
mod gate;
mod humans;
mod marker;
pub(crate) mod outline;
mod own;
mod pack;
mod past;
mod prompt;
mod read;
mod reconcile;
mod round;
mod state;
#[cfg(test)]
pub(crate) mod testing;
mod vouch;
mod whereabouts;
mod words;

pub use drift::{Drift, Moved};
pub use gate::Gate;
pub(crate) use humans::role_name;
pub use humans::{Argument, Humans, Roles, Settled};
pub use marker::{Kind, Trust, marker};
pub use own::{Own, own};
pub use pack::{code, file_tag};
pub use past::{Past, Standing};
pub(crate) use prompt::prior_part;
pub use read::{Known, Memory, has_markers, read};
pub(crate) use reconcile::{Facts, reconcile};
pub use round::{Override, Prior, Stored, exit, next_state, skip_counts, unchanged};
pub use state::{Place, Record, State, Status};
pub use vouch::{Vouched, vouch};
pub(crate) use whereabouts::{Ground, Now};
pub use words::{SETTLING, glass_line};
