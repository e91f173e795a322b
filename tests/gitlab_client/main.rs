//! The GitLab client against a fake GitLab: what it reads, what it writes, and what is left when things go wrong.

mod change;
#[path = "../support/client.rs"]
mod client;
#[path = "../support/forge.rs"]
mod forge;
#[path = "../git_repo/mod.rs"]
mod git_repo;
mod reading;
mod threads;
mod trouble;
mod writing;

use client::{files, request, shown, thread};
use forge::gitlab::FakeGitLab;
use forge::{FakeForge, Rights, Start};
use tribune::diff::Side;
use tribune::forge::{Forge, ForgeError, Located, NewThread, connect, locate};

/// The client, as a job with such a token gets it.
async fn client(fake: &FakeGitLab, rights: Rights) -> Box<dyn Forge> {
    client_in(fake.env(rights), None).await.expect("a client")
}

async fn client_in(env: Vec<(String, String)>, url: Option<&str>) -> Result<Box<dyn Forge>, ForgeError> {
    let env = |name: &str| env.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    match locate(&env, url).expect("an address") {
        Located::Here(found) => connect(&found).await,
        other => panic!("{other:?}"),
    }
}

/// The sample change on this forge.
fn sample() -> FakeGitLab {
    client::sample_start(FakeGitLab::start)
}
