//! Requirements that demand the same become one rule. A model proposes, code sees to it that each requirement is in exactly one group.

use super::extract::Requirement;
use super::talk::{Ask, Talk, json, tool};
use crate::config::ModelTier;
use serde::Deserialize;
use serde_json::json as value;
use std::collections::BTreeSet;

/// Requirements of one request.
const BATCH: usize = 150;
/// Requirements of one group.
const MAX_GROUP: usize = 12;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Raw {
    groups: Vec<RawGroup>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawGroup {
    ids: Vec<String>,
}

/// Groups of indices, by their first; without an answer each requirement is a group of its own.
pub(super) async fn group(talk: &Talk<'_>, requirements: &[Requirement]) -> Vec<Vec<usize>> {
    let mut groups = Vec::new();
    for (n, batch) in requirements.chunks(BATCH).enumerate() {
        let from = n * BATCH;
        let mut free: BTreeSet<usize> = (from..from + batch.len()).collect();
        if batch.len() > 1 {
            let list: String = batch
                .iter()
                .enumerate()
                .map(|(i, r)| format!("R{} ({}): {}\n", from + i + 1, if r.must { "must" } else { "should" }, r.statement))
                .collect();
            let ask = Ask {
                stage: "group",
                part: n + 1,
                about: format!("requirements {} to {}", from + 1, from + batch.len()),
                tier: ModelTier::Standard,
                tool: tool("report_groups", "Ends your work: the groups of two or more.", schema()),
                material: ("requirements", &list),
                own: String::new(),
            };
            let raw = talk.ask(ask, json::<Raw>).await.unwrap_or_default();
            for group in raw.groups {
                let numbers = group.ids.iter().filter_map(|id| id.trim().trim_start_matches(['R', 'r']).parse::<usize>().ok()?.checked_sub(1));
                // An id that is not of this batch, or in a group already, is nobody's.
                let mut members: Vec<usize> = numbers.filter(|i| free.remove(i)).collect();
                free.extend(members.drain(members.len().min(MAX_GROUP)..));
                members.sort_unstable();
                if !members.is_empty() {
                    groups.push(members);
                }
            }
        }
        groups.extend(free.into_iter().map(|i| vec![i]));
    }
    groups.sort();
    groups
}

fn schema() -> serde_json::Value {
    let group = value!({"type": "object", "required": ["ids"], "properties": {"ids": {"type": "array", "items": {"type": "string"}}}});
    value!({"type": "object", "required": ["groups"], "properties": {"groups": {"type": "array", "items": group}}})
}
