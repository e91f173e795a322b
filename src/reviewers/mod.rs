//! The specialised reviewers: what each is told ([`definition`], [`prompt`]), what it may look at
//! ([`tools`]), how one of them works through a bundle ([`run`]) and how they work side by side
//! ([`fanout`]); and how others ask models one question ([`once`]). A reviewer is data: one file in `prompts/`. Nothing here decides what is shown of
//! what they say; that is `findings` and `judge`.

mod conversation;
pub mod definition;
pub mod fanout;
pub mod once;
pub mod prompt;
pub mod run;
pub mod select;
pub mod tools;
