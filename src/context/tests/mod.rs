//! The context, side by side with the changes it was made from.

mod changes;
mod diff;
mod fake;
mod packing;
mod related;
mod symbols;
mod whole;
