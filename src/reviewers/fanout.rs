//! All reviewers on all bundles, side by side. The gateway bounds how many requests run at once.

use super::run::{Desk, Task, TaskResult};
use tokio::task::JoinSet;

/// Runs all tasks and returns their results ordered by reviewer and bundle. A failing task costs only itself.
pub async fn run(desk: &Desk, tasks: Vec<Task>) -> Vec<TaskResult> {
    let mut running = JoinSet::new();
    for task in tasks {
        let desk = desk.clone();
        running.spawn(async move { desk.run(task).await });
    }
    let mut results = Vec::new();
    while let Some(done) = running.join_next().await {
        match done {
            Ok(result) => results.push(result),
            Err(e) => desk.events.note(format!("a reviewer ended inside the program: {e}")),
        }
    }
    results.sort_by(|a, b| (&a.reviewer, a.bundle).cmp(&(&b.reviewer, b.bundle)));
    results
}
