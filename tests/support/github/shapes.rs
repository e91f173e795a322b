//! The fake's answers in GitHub's own form.

use super::state::{CommentData, FORK, NUMBER, PROJECT, Review, State};
use crate::git_repo::git_in;
use serde_json::{Value, json};

pub(super) fn repository(state: &State, name: &str, id: u64) -> Value {
    let (owner, short) = name.split_once('/').expect("owner/name");
    json!({"id": id, "node_id": format!("R_{id}"), "name": short, "full_name": name, "private": false, "fork": name == FORK,
        "owner": {"login": owner, "id": 9, "type": "Organization"}, "default_branch": "main", "html_url": format!("{}/{name}", state.root),
        "clone_url": format!("{}/{name}.git", state.root), "url": format!("{}/api/v3/repos/{name}", state.root)})
}

pub(super) fn pull(state: &State) -> Value {
    let api = format!("{}/api/v3/repos/{PROJECT}", state.root);
    let author = state.users.iter().find(|u| u.name == crate::forge::AUTHOR).expect("an author").id;
    let source = if state.fork { repository(state, FORK, 43) } else { repository(state, PROJECT, 42) };
    let files = crate::forge::diff::files(&state.origin, &state.base, &state.head).len();
    json!({"id": 5_000_000_007u64, "node_id": "PR_7", "number": NUMBER, "state": "open", "locked": false, "title": state.title,
        "body": state.description, "user": state.user_json(author), "labels": labels(state), "draft": state.draft, "merged": false,
        "url": format!("{api}/pulls/{NUMBER}"), "html_url": format!("{}/{PROJECT}/pull/{NUMBER}", state.root),
        "issue_url": format!("{api}/issues/{NUMBER}"), "changed_files": files, "commits": 1, "comments": 0,
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "merge_commit_sha": null,
        "head": {"label": format!("{}:topic", source["owner"]["login"].as_str().unwrap_or_default()), "ref": "topic", "sha": state.head, "repo": source},
        "base": {"label": format!("octo:{}", state.target), "ref": state.target, "sha": state.start, "repo": repository(state, PROJECT, 42)}})
}

pub(super) fn comment(state: &State, comment: &CommentData) -> Value {
    let api = format!("{}/api/v3/repos/{PROJECT}", state.root);
    let kind = if comment.path.is_some() { "pulls" } else { "issues" };
    let mut json = json!({"id": comment.id, "node_id": node_id(comment), "user": state.user_json(comment.author), "body": comment.body,
        "created_at": comment.created, "updated_at": comment.updated, "url": format!("{api}/{kind}/comments/{}", comment.id),
        "html_url": format!("{}/{PROJECT}/pull/{NUMBER}#discussion_r{}", state.root, comment.id), "author_association": "NONE"});
    if let Some(path) = &comment.path {
        let seen = |n: u32| if comment.outdated { Value::Null } else { json!(n) };
        let (start, line, side) = comment.place.map_or((None, None, None), |(s, l, side)| (s, Some(l), Some(side)));
        let more = json!({"path": path, "commit_id": state.head, "original_commit_id": comment.opened_on, "diff_hunk": "@@ -1 +1 @@",
            "pull_request_review_id": comment.review, "pull_request_url": format!("{api}/pulls/{NUMBER}"),
            "subject_type": if line.is_some() { "line" } else { "file" }, "side": side.unwrap_or("RIGHT"),
            "line": line.map_or(json!(1), seen), "original_line": line, "position": line.map_or(json!(1), seen),
            "start_line": start.map_or(Value::Null, seen), "original_start_line": start, "start_side": start.map(|_| side)});
        let more = more.as_object().expect("an object").clone();
        json.as_object_mut().expect("an object").extend(more);
        if let Some(first) = comment.reply_to {
            json["in_reply_to_id"] = json!(first);
        }
    }
    json
}

pub(super) fn node_id(comment: &CommentData) -> String {
    format!("{}_{}", if comment.path.is_some() { "PRRC" } else { "IC" }, comment.id)
}

pub(super) fn review(state: &State, review: &Review) -> Value {
    json!({"id": review.id, "node_id": format!("PRR_{}", review.id), "user": state.user_json(review.author), "body": review.body, "state": review.state,
        "commit_id": review.head, "html_url": format!("{}/{PROJECT}/pull/{NUMBER}#pullrequestreview-{}", state.root, review.id),
        "pull_request_url": format!("{}/api/v3/repos/{PROJECT}/pulls/{NUMBER}", state.root), "submitted_at": "2026-01-02T00:00:00Z"})
}

pub(super) fn labels(state: &State) -> Vec<Value> {
    state.labels.iter().enumerate().map(|(i, l)| json!({"id": i, "name": l, "color": "ededed", "default": false})).collect()
}

/// A check run as a request made it.
pub(super) fn check_run(state: &State, id: u64, at: &str, json: &Value, annotations: usize) -> Value {
    let url = format!("{}/api/v3/repos/{PROJECT}/check-runs/{id}", state.root);
    let completed = json["conclusion"].is_string();
    json!({"id": id, "node_id": format!("CR_{id}"), "name": json["name"], "head_sha": json["head_sha"], "external_id": json["external_id"].as_str().unwrap_or_default(),
        "status": if completed { "completed" } else { json["status"].as_str().unwrap_or("queued") }, "conclusion": json["conclusion"],
        "started_at": at, "completed_at": completed.then_some(at), "url": url, "html_url": format!("{}/{PROJECT}/runs/{id}", state.root),
        "details_url": format!("{}/{PROJECT}/runs/{id}", state.root), "check_suite": {"id": 6_000_000_001u64}, "pull_requests": [],
        "app": {"id": 15368, "slug": "github-actions", "node_id": "A_1", "name": "GitHub Actions", "owner": {"login": "github", "id": 9919, "type": "Organization"}},
        "output": {"title": json["output"]["title"], "summary": json["output"]["summary"], "text": null, "annotations_count": annotations,
            "annotations_url": format!("{url}/annotations")}})
}

/// Entries of `/files`: without a patch where a file is binary or its patch too large.
pub(super) fn files(state: &State) -> Vec<Value> {
    let files = crate::forge::diff::files(&state.origin, &state.base, &state.head);
    let entry = |f: &crate::forge::diff::DiffFile| {
        let bytes = git_in(&state.origin, &["diff", "-M", "--no-color", &state.base, &state.head, "--", &f.old_path, &f.new_path]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let hunks = text.find("\n@@ ").map(|at| text[at + 1..].trim_end_matches('\n').to_owned());
        let of = |sign: char| hunks.iter().flat_map(|h| h.lines()).filter(|l| l.starts_with(sign)).count();
        let (added, removed) = (of('+'), of('-'));
        let status = match f.status {
            'A' => "added",
            'D' => "removed",
            'R' => "renamed",
            _ => "modified",
        };
        let mut json = json!({"sha": state.head, "filename": f.new_path, "status": status, "additions": added, "deletions": removed, "changes": added + removed,
            "blob_url": "", "raw_url": "", "contents_url": ""});
        if f.status == 'R' {
            json["previous_filename"] = json!(f.old_path);
        }
        if let Some(hunks) = hunks.filter(|h| h.len() <= 200 << 10) {
            json["patch"] = json!(hunks);
        }
        json
    };
    files.iter().map(entry).collect()
}
