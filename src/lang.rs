//! The languages that rules and context can parse.
