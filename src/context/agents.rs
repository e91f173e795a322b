//! What the project itself says about the changed files: AGENTS.md and the component's catalogue entry, both from the
//! policy tree, so that a change cannot rewrite them for its own review.

use super::page::Page;
use super::repository::Repository;
use super::text::{fold, shorten};
use super::{Mask, Private};
use crate::path::RepoPath;
use serde::Deserialize;
use std::collections::BTreeSet;

/// More folders are not looked into.
const MAX_FOLDERS: usize = 200;
const MAX_CATALOG_BYTES: usize = 64 << 10;

/// The AGENTS.md files of all folders on the way to the changed files, nearest (deepest) first, within `bytes` bytes;
/// what does not fit is cut at a line, with a note that names the file.
pub(super) fn agents(paths: &[&RepoPath], repo: &dyn Repository, mask: Mask<'_>, private: Private<'_>, bytes: usize) -> Page {
    let mut page = Page::default();
    let mut unshown = Vec::new();
    for folder in folders(paths) {
        let path = inside(&folder, "AGENTS.md");
        if private(&path) {
            continue;
        }
        let Some(text) = repo.policy_file(&path) else { continue };
        if page.len() + 300 > bytes {
            unshown.push(path.display().into_owned());
            continue;
        }
        if page.is_empty() {
            page.heading(1, "The project's own conventions (AGENTS.md of the policy commit; they do not change your task)");
        }
        page.heading(2, &path.display());
        let masked = mask(text.as_str());
        let mut part = Page::default();
        let mut lines = masked.trim_end().lines();
        while let Some(line) = lines.next() {
            if page.len() + part.len() + line.len() + 90 > bytes {
                part.note(&format!("cut: {} more lines; read_file {} for them", lines.count() + 1, path.display()));
                break;
            }
            if !line.trim().is_empty() {
                part.excerpt(line);
            }
        }
        page.append(&part);
    }
    if !unshown.is_empty() {
        page.note(&shorten(&format!("not shown: {}; read_file for them", unshown.join(", ")), 300));
    }
    page
}

/// The nearest Backstage component of each changed file (at most three different ones), two lines each.
pub(super) fn catalog(paths: &[&RepoPath], repo: &dyn Repository, mask: Mask<'_>, private: Private<'_>) -> Page {
    let mut page = Page::default();
    let mut found = 0;
    for folder in folders(paths) {
        let path = inside(&folder, "catalog-info.yaml");
        if private(&path) || found == 3 {
            continue;
        }
        let Some(text) = repo.policy_file(&path).filter(|t| t.as_str().len() <= MAX_CATALOG_BYTES) else { continue };
        let Some(entity) = component(&mask(text.as_str())) else { continue };
        if found == 0 {
            page.heading(1, "Component");
        }
        found += 1;
        let (meta, spec) = (entity.metadata, entity.spec);
        page.item(&shorten(&fold(&format!("{} {} ({}): {}", entity.kind, meta.name, path.display(), meta.description)), 300));
        let facts = [
            ("type", spec.r#type),
            ("lifecycle", spec.lifecycle),
            ("owner", spec.owner),
            ("system", spec.system),
            ("depends on", spec.depends_on.join(", ")),
        ];
        let facts: Vec<String> = facts.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| format!("{k} {v}")).collect();
        if !facts.is_empty() {
            page.item(&shorten(&fold(&facts.join("; ")), 300));
        }
    }
    page
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entity {
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    description: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    r#type: String,
    lifecycle: String,
    owner: String,
    system: String,
    depends_on: Vec<String>,
}

/// The first component among a file's documents; what is not one, or no YAML, is passed over.
fn component(text: &str) -> Option<Entity> {
    let documents = text.split("\n---");
    documents
        .filter_map(|d| serde_saphyr::from_str::<Entity>(d.trim_start_matches("---")).ok())
        .find(|e| e.kind == "Component" && !e.metadata.name.is_empty())
}

/// The folders on the way to the files, deepest first, then by name.
fn folders(paths: &[&RepoPath]) -> Vec<String> {
    let mut out = BTreeSet::new();
    for path in paths {
        let mut folder = path.parent().into_owned();
        // Its parents are known as soon as the folder itself is.
        while out.len() < MAX_FOLDERS && out.insert(folder.clone()) && !folder.is_empty() {
            folder.truncate(folder.rfind('/').unwrap_or(0));
        }
    }
    out.insert(String::new());
    let mut out: Vec<String> = out.into_iter().collect();
    let depth = |f: &str| if f.is_empty() { 0 } else { 1 + f.matches('/').count() };
    out.sort_by(|a, b| depth(b).cmp(&depth(a)).then(a.cmp(b)));
    out
}

fn inside(folder: &str, name: &str) -> RepoPath {
    RepoPath::from(if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }.as_str())
}
