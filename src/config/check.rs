//! Checks a tree of YAML against the table of keys: what is right becomes settings, what is wrong a
//! problem. It goes on after a problem, so that all of a file's are told at once and the rest can stay in force.

use super::keys::{Key, Kind, Remote, either};
use super::problem::{ConfigProblem, Show, nearest, quoted};
use super::settings::{KeyPath, Origin, Setting, Settings};
use super::table::{KEYS, ROOT};
use super::yaml::{Name, Node, Place, Value};
use serde_json::Value as Json;

/// The most problems that are told of one file.
const MAX_PROBLEMS: usize = 50;
/// The most elements of a list or mapping.
const MAX_ITEMS: usize = 500;

/// Whose settings are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Author {
    /// Somebody who can write to the repository.
    Repository,
    /// Whoever runs the program.
    Operator,
    /// The organisation's service.
    Remote,
}

/// One check of one document.
pub(crate) struct Checker<'a> {
    author: Author,
    /// The lines of the text, for messages; empty where there is none.
    lines: Vec<&'a str>,
    origin: &'a dyn Fn(u32) -> Origin,
    path: KeyPath,
    settings: Settings,
    problems: Vec<ConfigProblem>,
    untold: usize,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(author: Author, text: &'a str, origin: &'a dyn Fn(u32) -> Origin) -> Self {
        Self { author, lines: text.lines().collect(), origin, path: Vec::new(), settings: Settings::new(), problems: Vec::new(), untold: 0 }
    }

    /// Checks a whole document.
    pub(crate) fn document(mut self, node: &Node) -> (Settings, Vec<ConfigProblem>) {
        self.descend(&ROOT, node);
        if self.untold > 0 {
            self.problems.push(ConfigProblem::new("", format!("{} further problems are not listed", self.untold), "Mend these first."));
        }
        (self.settings, self.problems)
    }

    /// Whether values here can be secrets, so that no message may repeat them.
    fn secretive(&self) -> bool {
        let Some(first) = self.path.first() else { return false };
        first == "endpoints" || (self.author == Author::Repository && KEYS.iter().any(|key| key.name == first && key.operator))
    }

    /// A problem with the value at `at`.
    fn problem(&mut self, at: Place, title: impl Into<String>, help: impl Into<String>) {
        let show = if self.secretive() { Show::Nothing } else { Show::Line };
        self.tell(at, show, title.into(), help.into());
    }

    /// A problem with a key's name at `at`.
    fn problem_of_name(&mut self, at: Place, title: impl Into<String>, help: impl Into<String>) {
        let show = if self.secretive() { Show::Mark } else { Show::Line };
        self.tell(at, show, title.into(), help.into());
    }

    fn tell(&mut self, at: Place, show: Show, title: String, help: String) {
        if self.problems.len() == MAX_PROBLEMS {
            self.untold += 1;
            return;
        }
        let key = super::settings::dotted(&self.path);
        self.problems.push(ConfigProblem::new(key, title, help).at(at, &self.lines, show));
    }

    /// Goes down to the values that layers combine, and keeps them.
    fn descend(&mut self, kind: &'static Kind, node: &Node) {
        match kind {
            Kind::Table(_) | Kind::Map { .. } => self.entries(kind, node, &mut |checker, kind, node| checker.descend(kind, node)),
            Kind::List { of, adds: true, .. } => {
                let items = self.items(of, node);
                if !items.is_empty() {
                    let items = items.into_iter().map(|(value, at)| (value, (self.origin)(at.line))).collect();
                    self.settings.insert(self.path.clone(), Setting::Many(items));
                }
            }
            _ => {
                if let Some(value) = self.value(kind, node) {
                    self.settings.insert(self.path.clone(), Setting::One(value, (self.origin)(node.at.line)));
                }
            }
        }
    }

    /// A value as JSON; `None`, with a problem told, where it cannot be used.
    fn value(&mut self, kind: &'static Kind, node: &Node) -> Option<Json> {
        match (kind, &node.value) {
            (Kind::Bool, Value::Bool(value)) => Some(Json::Bool(*value)),
            (Kind::Whole { min, max }, Value::Whole(n)) if (i128::from(*min)..=i128::from(*max)).contains(n) => {
                u64::try_from(*n).ok().map(Json::from)
            }
            (Kind::Number { min, max }, Value::Whole(n)) => self.number(kind, node, *n as f64, *min, *max),
            (Kind::Number { min, max }, Value::Float(n)) => self.number(kind, node, *n, *min, *max),
            (Kind::OneOf(choices), Value::Text(text)) => match choices.iter().find(|c| c.name == text) {
                Some(_) => Some(Json::from(text.as_str())),
                None => self.mismatch(kind, node),
            },
            (Kind::Text(check), Value::Text(text)) => match (check.test)(text) {
                Ok(()) => Some(Json::from(text.as_str())),
                Err(why) if self.secretive() => {
                    self.problem(node.at, format!("{} is not {}: {why}", self.subject(), check.what), "");
                    None
                }
                Err(why) => {
                    self.problem(node.at, format!("{} is not {}: {why}", quoted(text), check.what), "");
                    None
                }
            },
            (Kind::Command, Value::Text(_) | Value::List(_)) => self.command(node),
            (Kind::List { of, at_least, adds }, Value::List(all)) => {
                let items = self.items(of, node);
                if all.len() < *at_least {
                    self.problem(node.at, format!("{} is empty", self.subject()), format!("It needs at least {at_least}."));
                    return None;
                }
                // Half a chain of models would be another chain; half a list that adds up is still of use.
                (*adds || items.len() == all.len()).then(|| items.into_iter().map(|(value, _)| value).collect())
            }
            (Kind::Record(keys), Value::Map(_)) => {
                let fields = self.fields(kind, node);
                let Value::Map(written) = &node.value else { return None };
                for key in keys.iter().filter(|k| k.required) {
                    if !written.iter().any(|(name, _)| name.text == key.name) {
                        self.problem(node.at, format!("`{}` is missing", key.name), key.doc);
                    }
                }
                keys.iter().filter(|k| k.required).all(|k| fields.contains_key(k.name)).then_some(Json::Object(fields))
            }
            (Kind::Table(_) | Kind::Map { .. }, Value::Map(_) | Value::Null) => Some(Json::Object(self.fields(kind, node))),
            _ => self.mismatch(kind, node),
        }
    }

    /// A program and its arguments as a list of words.
    fn command(&mut self, node: &Node) -> Option<Json> {
        let words: Option<Vec<&str>> = match &node.value {
            Value::Text(text) => Some(text.split_whitespace().collect()),
            Value::List(all) => all.iter().map(|word| if let Value::Text(text) = &word.value { Some(text.as_str()) } else { None }).collect(),
            _ => None,
        };
        let good = |words: &[&str]| words.first().is_some_and(|program| !program.is_empty()) && words.iter().all(|w| !w.contains('\0'));
        match words.filter(|words| good(words)) {
            Some(words) => Some(Json::from(words)),
            None => {
                self.problem(
                    node.at,
                    format!("{} has to be {}", self.subject(), words_of(&Kind::Command)),
                    "Write it as `[program, argument]`; numbers in quotes.",
                );
                None
            }
        }
    }

    fn number(&mut self, kind: &'static Kind, node: &Node, n: f64, min: f64, max: f64) -> Option<Json> {
        if (min..=max).contains(&n) { serde_json::Number::from_f64(n).map(Json::Number) } else { self.mismatch(kind, node) }
    }

    /// The entries of a mapping as a JSON object.
    fn fields(&mut self, kind: &'static Kind, node: &Node) -> serde_json::Map<String, Json> {
        let mut fields = serde_json::Map::new();
        self.entries(kind, node, &mut |checker, kind, node| {
            if let (Some(value), Some(name)) = (checker.value(kind, node), checker.path.last()) {
                fields.insert(name.clone(), value);
            }
        });
        fields
    }

    /// The usable elements of a list.
    fn items(&mut self, of: &'static Kind, node: &Node) -> Vec<(Json, Place)> {
        let all = match &node.value {
            Value::List(all) => all,
            Value::Null => return Vec::new(),
            _ => {
                let help = match &node.value {
                    Value::Text(text) if text.len() < 40 && !self.secretive() => format!("Write it as a list: `[\"{text}\"]`."),
                    _ => "Write it as a list: `[a, b]`.".to_owned(),
                };
                self.problem(node.at, format!("{} has to be a list, not {}", self.subject(), described(node, self.secretive())), help);
                return Vec::new();
            }
        };
        if all.len() > MAX_ITEMS {
            let subject = self.subject();
            self.problem(node.at, format!("{subject} has {} elements, more than the {MAX_ITEMS} that are read", all.len()), "");
            return Vec::new();
        }
        let mut items = Vec::new();
        for (index, item) in all.iter().enumerate() {
            self.path.push(format!("[{index}]"));
            if let Some(value) = self.value(of, item) {
                items.push((value, item.at));
            }
            self.path.pop();
        }
        items
    }

    /// Calls `each` for every entry whose name is right, with the path at it.
    fn entries(&mut self, kind: &'static Kind, node: &Node, each: &mut dyn FnMut(&mut Self, &'static Kind, &Node)) {
        let all = match &node.value {
            Value::Map(all) => all,
            // A heading whose entries are all commented out.
            Value::Null => return,
            _ => {
                self.mismatch(kind, node);
                return;
            }
        };
        if all.len() > MAX_ITEMS {
            let subject = self.subject();
            self.problem(node.at, format!("{subject} has {} entries, more than the {MAX_ITEMS} that are read", all.len()), "");
            return;
        }
        for (name, value) in all {
            self.path.push(name.text.clone());
            if let Some(kind) = self.named(kind, name) {
                each(self, kind, value);
            }
            self.path.pop();
        }
    }

    /// What the entry `name` of a mapping may hold; `None`, with a problem told, where it may not be there.
    fn named(&mut self, kind: &'static Kind, name: &Name) -> Option<&'static Kind> {
        let keys = match kind {
            Kind::Map { names, of } => {
                return match (names.test)(&name.text) {
                    Ok(()) => Some(of),
                    Err(why) => {
                        self.problem_of_name(name.at, format!("{} is not {}: {why}", quoted(&name.text), names.what), "");
                        None
                    }
                };
            }
            Kind::Table(keys) | Kind::Record(keys) => *keys,
            _ => return None,
        };
        let Some(key) = keys.iter().find(|k| k.name == name.text) else {
            self.unknown(keys, name);
            return None;
        };
        if key.operator && self.author == Author::Repository {
            let help = "Take it out here. It belongs in the operator's file ($XDG_CONFIG_HOME/tribune/config.yaml, on Windows %APPDATA%\\tribune\\config.yaml), or the one that --config names.";
            self.problem_of_name(name.at, format!("`{}` cannot be set by a repository, only by the operator", key.name), help);
            return None;
        }
        let remote = self.author == Author::Remote;
        let refused = match key.remote {
            Remote::Never if remote => Some((
                "by a remote configuration",
                "It belongs in the operator's file or environment: a remote configuration chooses among what they name.",
            )),
            Remote::Only if !remote => Some(("here, only in the organisation's remote configuration", "Take it out.")),
            _ => None,
        };
        if let Some((by, help)) = refused {
            self.problem_of_name(name.at, format!("`{}` cannot be set {by}", key.name), help);
            return None;
        }
        match &key.kind {
            Kind::Refused(instead) => {
                self.problem_of_name(name.at, format!("`{}` cannot stand here", key.name), format!("{}.", capital(instead)));
                None
            }
            kind => Some(kind),
        }
    }

    /// The key that is checked, for the beginning of a title.
    fn subject(&self) -> String {
        if self.path.is_empty() { "the file".to_owned() } else { format!("`{}`", super::settings::dotted(&self.path)) }
    }

    fn unknown(&mut self, keys: &'static [Key], name: &Name) {
        let ours = |key: &&Key| !(key.operator && self.author == Author::Repository);
        let usable = || keys.iter().filter(|k| k.usable()).filter(ours);
        let theirs = keys.iter().filter(|k| !ours(k)).map(|k| k.name);
        let (help, show) = match (nearest(&name.text, usable().map(|k| k.name)), nearest(&name.text, theirs), elsewhere(&name.text)) {
            (Some(near), ..) => (format!("Did you mean `{near}`?"), Show::Line),
            // What stands behind it may be a secret.
            (None, Some(near), _) => (format!("`{near}` belongs in the operator's file; a repository cannot set it."), Show::Mark),
            (None, None, Some(parent)) => (format!("`{}` belongs under `{parent}`.", name.text), Show::Line),
            (None, None, None) => (format!("Known keys here are {}.", either(usable().map(|k| k.name)).replace(" or ", " and ")), Show::Line),
        };
        let show = if self.author == Author::Operator || self.secretive() { Show::Mark } else { show };
        self.tell(name.at, show, format!("unknown key {}", quoted(&name.text)), help);
    }

    fn mismatch(&mut self, kind: &'static Kind, node: &Node) -> Option<Json> {
        let help = match (kind, &node.value) {
            (Kind::OneOf(choices), Value::Text(text)) => {
                let names = choices.iter().map(|c| c.name);
                nearest(text, names).map(|near| format!("Did you mean `{near}`?")).unwrap_or_default()
            }
            (Kind::Text(_) | Kind::OneOf(_), Value::Whole(_) | Value::Float(_) | Value::Bool(_)) => {
                "Put it in quotes, if it is meant as text.".to_owned()
            }
            (Kind::Bool | Kind::Whole { .. } | Kind::Number { .. }, Value::Text(text))
                if ["true", "false"].contains(&text.as_str()) || text.parse::<f64>().is_ok() =>
            {
                "Leave the quotes out.".to_owned()
            }
            _ => String::new(),
        };
        self.problem(node.at, format!("{} has to be {}, not {}", self.subject(), words_of(kind), described(node, self.secretive())), help);
        None
    }
}

/// The top-level key that has `name` among its own.
fn elsewhere(name: &str) -> Option<&'static str> {
    let has = |key: &&Key| matches!(key.kind, Kind::Table(keys) if keys.iter().any(|k| k.name == name && k.usable()));
    KEYS.iter().find(has).map(|key| key.name)
}

/// What a kind may hold, to go after "has to be".
fn words_of(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "`true` or `false`".into(),
        Kind::Whole { min, max } => format!("a whole number from {min} to {max}"),
        Kind::Number { min, max } => format!("a number from {min} to {max}"),
        Kind::Text(check) => check.what.into(),
        Kind::Command => "a program and its arguments".into(),
        Kind::OneOf(choices) => either(choices.iter().map(|c| c.name)),
        Kind::List { .. } => "a list".into(),
        Kind::Map { names, .. } => format!("a mapping by {}", names.what),
        Kind::Table(keys) | Kind::Record(keys) => format!("a mapping with {}", either(keys.iter().filter(|k| k.usable()).map(|k| k.name))),
        Kind::Refused(_) => "left out".into(),
    }
}

/// What a node holds, to go after "not".
fn described(node: &Node, secretive: bool) -> String {
    match &node.value {
        Value::Null => "nothing".into(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Whole(n) => format!("`{n}`"),
        Value::Float(n) => format!("`{n}`"),
        Value::Text(_) if secretive => "a text".into(),
        Value::Text(text) => format!("the text {}", quoted(text)),
        Value::List(_) => "a list".into(),
        Value::Map(_) => "a mapping".into(),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
