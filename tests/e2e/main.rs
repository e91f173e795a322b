//! The whole binary against real repositories and a gateway faked at the socket.

#[path = "../support/gateway.rs"]
mod gateway;
#[path = "../git_repo/mod.rs"]
mod git_repo;
mod harness;
#[path = "../support/program.rs"]
mod program;

mod cache;
mod central;
mod chains;
mod commands;
mod facts;
mod hostile;
mod models;
mod money;
mod policy;
mod rules;
mod sources;
mod tape;
mod telemetry;
mod waivers;
