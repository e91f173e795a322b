//! `tribune publish`: what it posts, what it refuses, and what it lets nobody do by a report.

#[path = "../support/forge.rs"]
mod forge;
#[path = "../support/gateway.rs"]
mod gateway;
#[path = "../git_repo/mod.rs"]
mod git_repo;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/scene.rs"]
mod scene;

mod drafts;
mod gone;
mod heads;
mod hostile;
mod many;
mod nameless;
mod places;
mod two_jobs;
mod unverified;

use scene::{Jobs, Kind, Scene};

const BOTH: [Kind; 2] = [Kind::GitLab, Kind::GitHub];

/// Everything on the page that a reader can see.
fn page(scene: &Scene) -> String {
    let threads = scene.fake.threads().into_iter().map(|t| format!("{}:{:?} resolved: {} {:?}", t.path, t.line, t.resolved, t.bodies));
    let comments = scene.fake.comments().into_iter().map(|c| format!("{}: {}", c.author, c.body));
    let rest = [format!("{:?} {:?} {:?}", scene.fake.labels(), scene.fake.approvals(), scene.fake.checks())];
    threads.chain(comments).chain(rest).collect::<Vec<_>>().join("\n")
}
