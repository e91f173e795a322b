//! The GitHub client against a fake GitHub: what it reads, what it writes, and what is left when things go wrong.

#[path = "../support/client.rs"]
mod client;
#[path = "../support/forge.rs"]
mod forge;
#[path = "../git_repo/mod.rs"]
mod git_repo;
mod reading;
mod reviews;
mod writing;

use client::{files, request, shown, thread};
use forge::github::FakeGitHub;
use forge::{FakeForge, Rights, Start};
use std::time::Duration;
use tribune::diff::Side;
use tribune::forge::{Forge, ForgeError, Located, connect, locate};

/// The client, as a job with such a token gets it.
async fn client(fake: &FakeGitHub, rights: Rights) -> Box<dyn Forge> {
    client_in(fake.env(rights), None).await.expect("a client")
}

/// A minute lasts a second here, at the fake as at the client.
async fn client_in(env: Vec<(String, String)>, url: Option<&str>) -> Result<Box<dyn Forge>, ForgeError> {
    let env = |name: &str| env.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    match locate(&env, url).expect("an address") {
        Located::Here(mut found) => {
            found.minute = Duration::from_secs(1);
            connect(&found).await
        }
        other => panic!("{other:?}"),
    }
}

/// The sample change on this forge.
fn sample() -> FakeGitHub {
    let fake = client::sample_start(FakeGitHub::start);
    fake.set_minute(Duration::from_secs(1));
    fake
}
