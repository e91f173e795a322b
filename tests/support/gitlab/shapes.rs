//! The fake's answers in GitLab's own form.

use super::state::{Discussion, Draft, FORK_ID, IID, NoteData, PROJECT, PROJECT_ID, REQUEST_ID, State, Version};
use serde_json::{Value, json};

pub(super) fn project(state: &State) -> Value {
    let web = format!("{}/{PROJECT}", state.root);
    json!({"id": PROJECT_ID, "name": "project", "path": "project", "path_with_namespace": PROJECT, "default_branch": "main", "visibility": "private",
        "web_url": web, "http_url_to_repo": format!("{web}.git"), "ssh_url_to_repo": format!("git@localhost:{PROJECT}.git"),
        "only_allow_merge_if_all_discussions_are_resolved": state.must_resolve, "only_allow_merge_if_pipeline_succeeds": false,
        "merge_pipelines_enabled": false, "merge_trains_enabled": false, "archived": false,
        "namespace": {"id": 5, "name": "sub", "path": "sub", "kind": "group", "full_path": "group/sub"}})
}

pub(super) fn request(state: &State) -> Value {
    let head = state.head();
    let author = state.users.iter().find(|u| u.name == crate::forge::AUTHOR).expect("an author").id;
    let files = crate::forge::diff::files(&state.origin, &head.base, &head.head).len();
    json!({"id": REQUEST_ID, "iid": IID, "project_id": PROJECT_ID, "title": state.title, "description": state.description, "state": "opened",
        "draft": state.draft, "work_in_progress": state.draft, "author": state.user_json(author), "labels": state.labels,
        "source_branch": "topic", "target_branch": state.target, "source_project_id": if state.fork { FORK_ID } else { PROJECT_ID },
        "target_project_id": PROJECT_ID, "sha": head.head, "merge_commit_sha": null, "squash_commit_sha": null,
        "web_url": format!("{}/{PROJECT}/-/merge_requests/{IID}", state.root), "changes_count": files.to_string(),
        "diff_refs": {"base_sha": head.base, "head_sha": head.head, "start_sha": head.start}, "has_conflicts": false,
        "blocking_discussions_resolved": true, "detailed_merge_status": "mergeable", "user_notes_count": 0,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z", "references": {"full": format!("{PROJECT}!{IID}")}})
}

/// What approving, taking it back and asking for it answer.
pub(super) fn approvals(state: &State, by: u64, level: u64) -> Value {
    let all: Vec<Value> = state.approvals.iter().map(|(id, _)| json!({"user": state.user_json(*id)})).collect();
    let has = state.approvals.iter().any(|(id, _)| *id == by);
    let can = level >= 30 && !has && state.user(by).name != crate::forge::AUTHOR;
    json!({"id": REQUEST_ID, "iid": IID, "project_id": PROJECT_ID, "title": state.title, "state": "opened", "user_has_approved": has,
        "user_can_approve": can, "approved": !all.is_empty(), "approved_by": all, "approvals_required": 1, "approvals_left": 1 - all.len().min(1)})
}

pub(super) fn version(version: &Version) -> Value {
    json!({"id": version.id, "head_commit_sha": version.head, "base_commit_sha": version.base, "start_commit_sha": version.start,
        "created_at": version.at, "merge_request_id": REQUEST_ID, "state": "collected", "real_size": "1"})
}

pub(super) fn note(state: &State, discussion: &Discussion, note: &NoteData) -> Value {
    let resolvable = !discussion.individual && !note.system;
    let mut json = json!({"id": note.id, "type": note.kind, "body": note.body, "attachment": null, "author": state.user_json(note.author),
        "created_at": note.created, "updated_at": note.updated, "system": note.system, "noteable_id": REQUEST_ID, "noteable_type": "MergeRequest",
        "project_id": PROJECT_ID, "noteable_iid": IID, "resolvable": resolvable, "confidential": false, "internal": false,
        "imported": false, "imported_from": "none", "commands_changes": {}});
    if let Some(position) = &note.position {
        json["position"] = position.clone();
    }
    if resolvable {
        json["resolved"] = json!(discussion.resolved_by.is_some());
        json["resolved_by"] = discussion.resolved_by.as_ref().map_or(Value::Null, |(by, _)| state.user_json(*by));
        json["resolved_at"] = discussion.resolved_by.as_ref().map_or(Value::Null, |(_, at)| json!(at));
    }
    json
}

pub(super) fn discussion(state: &State, discussion: &Discussion) -> Value {
    let notes: Vec<Value> = discussion.notes.iter().map(|n| note(state, discussion, n)).collect();
    json!({"id": discussion.id, "individual_note": discussion.individual, "notes": notes})
}

pub(super) fn draft(draft: &Draft) -> Value {
    let empty = json!({"base_sha": null, "start_sha": null, "head_sha": null, "old_path": null, "new_path": null, "position_type": "text",
        "old_line": null, "new_line": null, "line_range": null});
    json!({"id": draft.id, "author_id": draft.author, "merge_request_id": REQUEST_ID, "resolve_discussion": draft.resolve,
        "discussion_id": draft.reply_to, "note": draft.note, "commit_id": null, "line_code": draft.line_code,
        "position": draft.position.clone().unwrap_or(empty)})
}

/// Entries of `/diffs`, as the real one cuts them.
pub(super) fn diffs(state: &mut State) -> Vec<Value> {
    let (origin, head) = (state.origin.clone(), state.head().clone());
    let files = crate::forge::diff::files(&origin, &head.base, &head.head);
    files
        .iter()
        .map(|f| {
            let bytes = crate::git_repo::git_in(&origin, &["diff", "-M", "--no-color", &head.base, &head.head, "--", &f.old_path, &f.new_path]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let hunks = text.find("\n@@ ").map_or("", |at| &text[at + 1..]);
            let too_large = hunks.len() > 200 << 10;
            json!({"old_path": f.old_path, "new_path": f.new_path, "a_mode": f.modes.0, "b_mode": f.modes.1, "new_file": f.status == 'A',
                "renamed_file": f.status == 'R', "deleted_file": f.status == 'D', "generated_file": false,
                "diff": if too_large { "" } else { hunks }, "collapsed": false, "too_large": too_large})
        })
        .collect()
}
