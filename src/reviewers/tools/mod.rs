//! What a reviewer may look at: six read-only tools over the git objects of both sides (TRUST 1).
//! No shell, no network, no work tree, no absolute path. Every answer is masked, fenced and bounded.

mod files;
mod symbol;

use crate::change::Change;
use crate::context::fence;
use crate::diff::{FileDiff, Side};
use crate::findings::schema::report_findings_schema;
use crate::gateway::ToolSpec;
use crate::lang::Lang;
use crate::path::RepoPath;
use crate::rules::{Rule, RuleSet, index};
use crate::secrets;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The tool that ends a review.
pub const REPORT_TOOL: &str = "report_findings";

/// Bytes of one tool's answer, fence not counted.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// What tools read from.
pub struct Toolbox {
    /// The change and both sides' objects.
    pub change: Arc<Change>,
    /// The rules in force.
    pub rules: Arc<RuleSet>,
    /// Paths whose contents never reach a model.
    pub private: Arc<dyn Fn(&RepoPath) -> bool + Send + Sync>,
    /// Keys the fences' boundaries, where there is a state key.
    pub key: Option<Vec<u8>>,
}

/// A tool's answer.
#[derive(Debug)]
pub struct Output {
    /// The tool, by our own name for it (`unknown` for one that does not exist).
    pub tool: &'static str,
    /// What was asked, one short clean line for people.
    pub about: String,
    /// What the model is shown.
    pub content: String,
    /// Whether the call failed.
    pub is_error: bool,
}

/// What a tool found, before masking and fencing, or why it found nothing (our own words).
type Found = Result<String, String>;

#[derive(Deserialize)]
#[serde(default)]
struct Input {
    path: String,
    side: Side,
    start: u32,
    end: u32,
    text: String,
    glob: Option<String>,
    name: String,
    ids: Vec<String>,
    topic: Option<String>,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            path: String::new(),
            side: Side::New,
            start: 1,
            end: u32::MAX,
            text: String::new(),
            glob: None,
            name: String::new(),
            ids: Vec::new(),
            topic: None,
        }
    }
}

/// All tools that reviewers are offered, in a fixed order; the reporting one last.
pub fn specs() -> Vec<ToolSpec> {
    let side = || json!({"type": "string", "enum": ["new", "old"], "description": "after or before the change; default new"});
    let spec = |name, description: &str, properties: Value, required: &[&str]| ToolSpec {
        name,
        description: description.to_owned(),
        schema: json!({"type": "object", "properties": properties, "required": required}),
    };
    let mut all = vec![
        spec(
            "read_file",
            "Lines of a file of the repository.",
            json!({"path": {"type": "string"}, "start": {"type": "integer"}, "end": {"type": "integer"}, "side": side()}),
            &["path"],
        ),
        spec(
            "search",
            "Lines that contain a fixed text, in the whole repository.",
            json!({"text": {"type": "string"}, "glob": {"type": "string", "description": "only these paths, e.g. src/**/*.py"}, "side": side()}),
            &["text"],
        ),
        spec(
            "list_files",
            "Files below a folder.",
            json!({"path": {"type": "string", "description": "folder; empty for the root"}, "side": side()}),
            &["path"],
        ),
        spec("show_diff", "The whole diff of one changed file.", json!({"path": {"type": "string"}}), &["path"]),
        spec(
            "find_symbol",
            "Where a function, type, constant or field is declared, with the declaration, and where it is used.",
            json!({"name": {"type": "string"}, "side": side()}),
            &["name"],
        ),
        spec(
            "codex_rule",
            "The full text of rules by id, or a line for each rule of a topic that applies to this change.",
            json!({"ids": {"type": "array", "items": {"type": "string"}}, "topic": {"type": "string", "description": "such as SEC-PY"}}),
            &[],
        ),
    ];
    all.push(ToolSpec {
        name: REPORT_TOOL,
        description: "Ends your review: everything you found, or an empty list.".to_owned(),
        schema: report_findings_schema(),
    });
    all
}

impl Toolbox {
    /// Runs one tool. `arguments` is a model's text and may be anything. Blocks on git for at most some seconds.
    pub fn call(&self, name: &str, arguments: &str) -> Output {
        let parsed = if arguments.trim().is_empty() { Ok(Input::default()) } else { serde_json::from_str::<Input>(arguments) };
        let input = match parsed {
            Ok(input) => input,
            Err(e) => return refused(known(name), format!("The input is not in the form of the tool's schema: {e}.")),
        };
        let tool = known(name);
        let (about, found) = match tool {
            "read_file" => (input.path.clone(), self.read_file(&input.path, input.side, input.start, input.end)),
            "search" => (input.text.clone(), self.search(&input.text, input.glob.as_deref(), input.side)),
            "list_files" => (input.path.clone(), self.list_files(&input.path, input.side)),
            "show_diff" => (input.path.clone(), self.show_diff(&input.path)),
            "find_symbol" => (input.name.clone(), self.find_symbol(&input.name, input.side)),
            "codex_rule" => match &input.topic {
                Some(topic) if input.ids.is_empty() => (topic.clone(), self.codex_topic(topic)),
                _ => (input.ids.join(", "), self.codex_rule(&input.ids)),
            },
            _ => return refused(
                tool,
                "There is no such tool. There are: read_file, search, list_files, show_diff, find_symbol, codex_rule, and report_findings to end."
                    .to_owned(),
            ),
        };
        let about = short(&about);
        match found {
            Ok(text) => Output { tool, content: fence(tool, &bound(&secrets::mask(&text)), self.key.as_deref()).text, about, is_error: false },
            Err(why) => Output { tool, content: why, about, is_error: true },
        }
    }

    fn codex_rule(&self, ids: &[String]) -> Found {
        if ids.is_empty() {
            return Err("Give rule ids in `ids`, or a `topic`.".into());
        }
        let mut out = String::new();
        for id in ids.iter().take(20) {
            match self.rules.get(id) {
                Some(rule) => out.push_str(&format!("{} {}\n\n{}\n\n", rule.id, rule.title, rule.body.trim())),
                None => out.push_str(&format!("{}: there is no such rule.\n\n", short(id))),
            }
        }
        Ok(out)
    }

    /// The rules of a topic that apply to a changed file and are judged by reviewers; for an empty topic, the topics.
    fn codex_topic(&self, wanted: &str) -> Found {
        let mut rules: BTreeMap<&str, &Rule> = BTreeMap::new();
        for path in self.change.files.iter().map(FileDiff::path) {
            let judged = self.rules.applicable(path, Lang::of(path)).into_iter().filter(|r| !r.has_detector);
            rules.extend(judged.map(|r| (r.id.as_str(), r)));
        }
        let wanted = wanted.trim().trim_end_matches('-');
        if wanted.is_empty() {
            let mut topics: BTreeMap<&str, usize> = BTreeMap::new();
            rules.keys().for_each(|id| *topics.entry(index::topic(id)).or_default() += 1);
            return Ok(topics.iter().map(|(topic, n)| format!("- {topic}: {n} rules\n")).collect());
        }
        let lines: String = rules.values().filter(|r| index::topic(&r.id) == wanted).map(|r| index::line(r, false)).collect();
        if lines.is_empty() { Err(format!("No rule of a topic `{}` applies to this change.", short(wanted))) } else { Ok(lines) }
    }

    /// The path of a tree entry or changed file by the name that the model was shown.
    fn resolve(&self, shown: &str, side: Side) -> Result<RepoPath, String> {
        let wanted = shown.trim().trim_start_matches("./");
        if wanted.is_empty() || wanted.starts_with('/') || wanted.split('/').any(|part| part == ".." || part == ".git") {
            return Err("Paths are relative to the repository's root, without `..`.".into());
        }
        let direct = RepoPath::from(wanted);
        let objects = self.change.objects.as_ref().ok_or("Only the patch is known here, not the repository.")?;
        let found = match objects.entry(side, &direct) {
            Some(entry) => Some(entry.path.clone()),
            // A name with odd bytes is shown in another form than git has it.
            None => objects.entries(side).ok().and_then(|all| all.iter().find(|e| e.path.display() == wanted)).map(|e| e.path.clone()),
        };
        let path =
            found.ok_or_else(|| format!("There is no file `{}` on the {} side.", short(wanted), if side == Side::New { "new" } else { "old" }))?;
        if (self.private)(&path) { Err("That path is private: its contents are not shown to models.".into()) } else { Ok(path) }
    }
}

fn known(name: &str) -> &'static str {
    ["read_file", "search", "list_files", "show_diff", "find_symbol", "codex_rule"].into_iter().find(|k| *k == name).unwrap_or("unknown")
}

fn refused(tool: &'static str, content: String) -> Output {
    Output { tool, about: String::new(), content, is_error: true }
}

/// A stranger's words on one short clean line.
fn short(text: &str) -> String {
    let clean = RepoPath::from(text);
    let clean = clean.display();
    if clean.chars().count() <= 80 { clean.into_owned() } else { clean.chars().take(79).chain(['…']).collect() }
}

/// Cuts at a line's end within the bound, and says so.
fn bound(text: &str) -> String {
    if text.len() <= MAX_ANSWER_BYTES {
        return text.to_owned();
    }
    let mut to = MAX_ANSWER_BYTES;
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    let to = text[..to].rfind('\n').map_or(to, |i| i + 1);
    format!("{}[cut here: {} more bytes; ask for a smaller part]\n", &text[..to], text.len() - to)
}
