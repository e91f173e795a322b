//! All reviewers on all bundles, side by side. The gateway bounds how many requests run at once.
//!
//! Requests that begin alike form a group: the first of them has the beginning written to the provider's cache, and the
//! rest start when it has begun to answer, so that they read it from there instead of paying for it again.

use super::run::{Desk, Task, TaskResult};
use crate::gateway::recovery::LONGEST_WAIT;
use std::collections::BTreeMap;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A shorter beginning is not worth the wait: OpenAI caches from 1,024 tokens on, Anthropic from 512 to 4,096, by model.
const LEAST_TOKENS: u64 = 1_024;

/// Runs all tasks and returns their results ordered by reviewer and bundle. A failing task costs only itself.
pub async fn run(desk: &Desk, tasks: Vec<Task>) -> Vec<TaskResult> {
    let mut running = JoinSet::new();
    for group in groups(tasks) {
        let warm = worth_a_wait(&group).then(CancellationToken::new);
        for (i, task) in group.into_iter().enumerate() {
            let (desk, warm) = (desk.clone(), warm.clone());
            running.spawn(async move {
                match warm {
                    Some(warm) if i > 0 => {
                        tokio::select! {
                            () = warm.cancelled() => {}
                            () = desk.cancel.cancelled() => {}
                            () = tokio::time::sleep(LONGEST_WAIT) => {}
                        }
                        desk.run(task, None).await
                    }
                    first => desk.run(task, first).await,
                }
            });
        }
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

/// Tasks whose first requests begin alike: of one bundle, to one model. Nothing changes in their order.
fn groups(tasks: Vec<Task>) -> Vec<Vec<Task>> {
    let mut groups: Vec<Vec<Task>> = Vec::new();
    let mut of = BTreeMap::new();
    for task in tasks {
        let at = *of.entry((task.chain.first().cloned(), task.bundle.0)).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(task),
            None => groups.push(vec![task]),
        }
    }
    groups
}

/// Whether there is anybody to wait, and something to wait for.
fn worth_a_wait(group: &[Task]) -> bool {
    group.len() > 1 && group.first().is_some_and(|task| task.shared_tokens() >= LEAST_TOKENS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Link;
    use std::sync::Arc;
    use std::time::Duration;

    fn task(reviewer: &str, model: &str, bundle: usize, shared: &str) -> Task {
        Task {
            reviewer: reviewer.into(),
            chain: vec![Link::new(model, "e")].into(),
            bundle: (bundle, 2),
            tools: Arc::default(),
            system: "".into(),
            shared: shared.into(),
            own: String::new(),
            time: Duration::from_secs(1),
        }
    }

    #[test]
    fn what_begins_alike_is_a_group() {
        let tasks = [("a", "m", 1), ("b", "n", 1), ("c", "m", 1), ("a", "m", 2), ("b", "n", 2), ("c", "m", 2)];
        let told: Vec<String> = groups(tasks.map(|(who, model, bundle)| task(who, model, bundle, "x")).into())
            .iter()
            .map(|group| group.iter().map(|t| format!("{}{}", t.reviewer, t.bundle.0)).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(told, ["a1 c1", "b1", "a2 c2", "b2"]);
    }

    #[test]
    fn nobody_waits_where_it_does_not_pay() {
        let long = "word ".repeat(1_000);
        let all = |shared: &str, n: usize| vec![task("a", "m", 1, shared); n];
        assert!(worth_a_wait(&all(&long, 2)));
        assert!(!worth_a_wait(&all(&long, 1)), "nobody else");
        assert!(!worth_a_wait(&all(&long[..4_000], 2)), "too short");
    }
}
