//! The Codex as an agent skill: `SKILL.md`, index pages by language and topic, a page for each rule. Whoever asks one
//! question reads three pages: which language and topic, which rule, the rule. Pages are text here; nothing is written.

use super::check::resolve;
use super::markdown::Fence;
use super::set::Entry;
use super::{Rule, RuleLevel, RuleSet, RuleStatus};
use crate::context::clean;
use crate::findings::sanitize::inline;
use std::collections::{BTreeMap, BTreeSet};

/// An index page has at most so many bytes: under 2,000 tokens.
const MAX_PAGE: usize = 7_600;
/// What heads a page and links away from it, of these.
const PAGE_FRAME: usize = 400;
/// The folder of the pages about rules that hold in any language.
const ANY: &str = "any";
/// The skill's name.
const NAME: &str = "engineering-codex";
/// A title is cut here in an index, in characters.
const MAX_TITLE: usize = 110;

/// A page by its path in the skill's folder.
pub type Page = (String, String);

/// What a rule is about, by the first part of its id: the folder's word and the word for people.
const TOPICS: [(&str, &str, &str); 10] = [
    ("SEC", "security", "security"),
    ("SUP", "supply-chain", "supply chain"),
    ("COR", "correctness", "correctness"),
    ("CON", "concurrency", "concurrency"),
    ("ERR", "errors", "errors"),
    ("PERF", "performance", "performance"),
    ("TEST", "tests", "tests"),
    ("DOC", "documentation", "documentation"),
    ("REL", "release", "release and migrations"),
    ("FACT", "across-files", "facts across files"),
];

/// All pages of the skill, sorted by path; the same rules give the same bytes. Rules on trial are left out, since nobody is
/// held to them yet.
pub fn pages(set: &RuleSet) -> Vec<Page> {
    let entries: Vec<&Entry> = set.entries.values().filter(|e| e.rule.status != RuleStatus::Trial).collect();
    let mut shelves: BTreeMap<(String, String), Shelf<'_>> = BTreeMap::new();
    let mut languages: BTreeSet<String> = BTreeSet::new();
    for entry in &entries {
        let topic = topic(&entry.rule.id);
        let own: BTreeSet<String> = entry.rule.languages.iter().map(|l| shelf_of(l).to_owned()).collect();
        languages.extend(own.iter().cloned());
        for language in if own.is_empty() { BTreeSet::from([ANY.to_owned()]) } else { own } {
            shelves.entry((language, topic.0.clone())).or_insert_with(|| Shelf::new(&topic.1)).own.push(&entry.rule);
        }
    }
    // What holds in any language stands on each language's page of the topic too: nobody looks twice.
    let general: Vec<(String, String, Vec<&Rule>)> =
        shelves.iter().filter(|((l, _), _)| l == ANY).map(|((_, t), s)| (t.clone(), s.word.clone(), s.own.clone())).collect();
    for language in &languages {
        for (topic, word, rules) in &general {
            shelves.entry((language.clone(), topic.clone())).or_insert_with(|| Shelf::new(word)).general.clone_from(rules);
        }
    }
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    for ((language, topic), shelf) in &shelves {
        shelf.pages(language, topic, &mut pages);
    }
    for language in languages.iter().map(String::as_str).chain([ANY]) {
        let lines = shelves.iter().filter(|((l, _), _)| l == language).map(|((_, topic), s)| format!("- [{}]({topic}.md): {}\n", s.word, s.count()));
        let title = format!("# Rules for {}\n", label(language));
        paged(&format!("{language}/index"), &title, &[(String::new(), lines.collect())], &mut pages);
    }
    for entry in &entries {
        pages.insert(format!("rules/{}.md", entry.rule.id), rule_page(set, entry));
    }
    pages.insert("SKILL.md".to_owned(), front_page(&entries, &languages, &shelves));
    pages.into_iter().collect()
}

/// The rules of one language and topic.
struct Shelf<'r> {
    word: String,
    own: Vec<&'r Rule>,
    /// Those that hold in any language, on the page of a language.
    general: Vec<&'r Rule>,
}

impl Shelf<'_> {
    fn new(word: &str) -> Self {
        Self { word: word.to_owned(), own: Vec::new(), general: Vec::new() }
    }

    fn count(&self) -> String {
        let (n, must) = (self.own.len() + self.general.len(), self.own.iter().chain(&self.general).filter(|r| r.level == RuleLevel::Must).count());
        format!("{n} rule{}, {must} of them binding", if n == 1 { "" } else { "s" })
    }

    fn pages(&self, language: &str, topic: &str, pages: &mut BTreeMap<String, String>) {
        let title = format!("# {}: {}\n", label(language), self.word);
        let list = |rules: &[&Rule]| {
            let mut rules = rules.to_vec();
            rules.sort_by(|a, b| (a.level != RuleLevel::Must, b.severity, &a.id).cmp(&(b.level != RuleLevel::Must, a.severity, &b.id)));
            rules.iter().map(|r| line(r)).collect::<Vec<String>>()
        };
        let mut parts = vec![(String::new(), list(&self.own))];
        if !self.general.is_empty() {
            parts.push(("\nIn any language:\n\n".to_owned(), list(&self.general)));
        }
        paged(&format!("{language}/{topic}"), &title, &parts, pages);
    }
}

/// A rule in an index.
fn line(rule: &Rule) -> String {
    let level = if rule.level == RuleLevel::Must { "must" } else { "should" };
    format!("- [{}](../rules/{}.md) ({level}): {}\n", rule.id, rule.id, short(&rule.title))
}

fn short(title: &str) -> String {
    let title = inline(title);
    if title.chars().count() <= MAX_TITLE { title } else { title.chars().take(MAX_TITLE).collect::<String>() + "…" }
}

/// A page, or where its lines are too many for one: numbered pages and the one that leads to them.
fn paged(path: &str, title: &str, parts: &[(String, Vec<String>)], pages: &mut BTreeMap<String, String>) {
    let home = "\n[Other languages and topics](../SKILL.md)\n";
    let room = MAX_PAGE - PAGE_FRAME;
    let mut sheets: Vec<(String, Vec<&str>)> = vec![Default::default()];
    for (heading, lines) in parts.iter().filter(|(_, lines)| !lines.is_empty()) {
        let mut heading = heading.as_str();
        for line in lines {
            if sheets.last().is_some_and(|(text, _)| text.len() + heading.len() + line.len() > room && !text.is_empty()) {
                sheets.push(Default::default());
            }
            let (text, ids) = sheets.last_mut().expect("there is at least one");
            text.push_str(std::mem::take(&mut heading));
            text.push_str(line);
            ids.push(line.trim_start_matches("- [").split(']').next().unwrap_or_default());
        }
    }
    if let [(text, _)] = sheets.as_slice() {
        pages.insert(format!("{path}.md"), format!("{title}\n{}{home}", text.trim_start_matches('\n')));
        return;
    }
    let stem = path.rsplit('/').next().unwrap_or(path);
    let mut links = Vec::new();
    for (i, (text, ids)) in sheets.iter().enumerate() {
        let (first, last) = (ids.first().copied().unwrap_or_default(), ids.last().copied().unwrap_or_default());
        links.push(format!("- [{first} to {last}]({stem}-{}.md): {} entries\n", i + 1, ids.len()));
        pages.insert(format!("{path}-{}.md", i + 1), format!("{title}\n{}\n[All of this topic]({stem}.md)\n", text.trim_start_matches('\n')));
    }
    paged(path, title, &[(String::new(), links)], pages);
}

fn front_page(entries: &[&Entry], languages: &BTreeSet<String>, shelves: &BTreeMap<(String, String), Shelf<'_>>) -> String {
    let topics: BTreeMap<&str, &str> = shelves.iter().map(|((_, topic), s)| (topic.as_str(), s.word.as_str())).collect();
    let words = |all: Vec<String>, most: usize| {
        let more = all.len().saturating_sub(most);
        all.into_iter().take(most).collect::<Vec<_>>().join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    };
    let about = words(topics.values().map(|w| (*w).to_owned()).collect(), 12);
    let spoken = words(languages.iter().map(|l| label(l)).collect(), 20);
    let head = format!(
        "---\nname: {NAME}\ndescription: The engineering standards that code is reviewed against here, {} rules on {about} for {spoken}. Use it before you write, change or review code, configuration, migrations, containers or CI, and to answer how something should be done here.\nmetadata:\n  generator: tribune rules skill\n---\n\
         # Engineering Codex\n\n\
         The standards that changes are reviewed against. `must` binds: a change that breaks it does not pass without a waiver. `should` is advice: follow it unless the code at hand has a better reason.\n\n\
         To find what applies:\n\
         1. Follow the link of the language and the topic below. The page lists one line for each rule, those for any language included.\n\
         2. Open the few rules whose line fits what you are doing. Each has its reason, a bad and a good example.\n\
         3. When you follow or depart from a rule, name its id.\n\n\
         Read no more pages than the question needs.\n",
        entries.len()
    );
    let order: Vec<&str> = languages.iter().map(String::as_str).chain([ANY]).collect();
    let of = |language: &str| shelves.iter().filter(|((l, _), _)| l == language).map(|((_, topic), s)| (topic, s)).collect::<Vec<_>>();
    let full: String = order
        .iter()
        .map(|l| {
            let links: Vec<String> = of(l).iter().map(|(topic, s)| format!("[{}]({l}/{topic}.md)", s.word)).collect();
            format!("- [{}]({l}/index.md): {}\n", label(l), links.join(", "))
        })
        .collect();
    let list = if head.len() + full.len() <= MAX_PAGE - PAGE_FRAME {
        full
    } else {
        order.iter().map(|l| format!("- [{}]({l}/index.md): {} topics\n", label(l), of(l).len())).collect()
    };
    format!("{head}\n## Languages and topics\n\n{list}")
}

fn rule_page(set: &RuleSet, entry: &Entry) -> String {
    let rule = &entry.rule;
    let word = |v: serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    let mut facts = vec![
        format!("{} · {} · {}", word(serde_json::json!(rule.level)), word(serde_json::json!(rule.severity)), rule.category.label()),
        format!("checked by {}", rule.checked_by()),
    ];
    facts.extend(rule.source.iter().map(|s| format!("decided in {}", inline(s))));
    facts.extend(rule.owner.iter().map(|o| format!("owner {}", inline(o))));
    facts.extend(rule.url.iter().map(|u| format!("[its text]({u})")));
    if !rule.paths.is_empty() {
        facts.push(format!("in {}", rule.paths.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(", ")));
    }
    let (topic, word) = topic(&rule.id);
    let home = rule.languages.first().map_or(ANY, |l| shelf_of(l));
    format!(
        "# {}: {}\n\n{}\n\n{}\n\n[Other rules: {}, {word}](../{home}/{topic}.md)\n",
        rule.id,
        inline(&rule.title),
        facts.join(" · "),
        relinked(set, entry, &clean(&rule.body).0),
        label(home)
    )
}

/// A rule's Markdown whose relative links lead to the pages of rules; those that would lead nowhere are told as text.
fn relinked(set: &RuleSet, entry: &Entry, body: &str) -> String {
    let folder = entry.loaded.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let page = |target: &str| {
        let path = resolve(folder, target.split('#').next().unwrap_or(target))?;
        let found = set.entries.values().find(|e| e.loaded.source == entry.loaded.source && e.loaded.path == path);
        found.filter(|e| e.rule.status != RuleStatus::Trial).map(|e| format!("{}.md", e.rule.id))
    };
    let mut out = String::new();
    let mut open: Option<Fence<'_>> = None;
    for line in body.lines() {
        match &open {
            Some(fence) if fence.closes(line) => open = None,
            Some(_) => {}
            None => open = Fence::open(line),
        }
        if open.is_some() || !line.contains("](") {
            out.push_str(line);
        } else {
            let mut rest = line;
            while let Some((before, after)) = rest.split_once("](") {
                let (target, tail) = after.split_once(')').unwrap_or((after, ""));
                match (target.starts_with("https://"), page(target.split(' ').next().unwrap_or(target))) {
                    (true, _) => out.push_str(&format!("{before}]({target})")),
                    (false, Some(page)) => out.push_str(&format!("{before}]({page})")),
                    (false, None) => out.push_str(&format!("{before}] ({target})")),
                }
                rest = tail;
            }
            out.push_str(rest);
        }
        out.push('\n');
    }
    out.trim_end().to_owned()
}

/// A rule's topic: the word in paths and the word for people.
fn topic(id: &str) -> (String, String) {
    let prefix = id.split('-').next().unwrap_or(id);
    match TOPICS.iter().find(|(p, ..)| *p == prefix) {
        Some((_, path, word)) => ((*path).to_owned(), (*word).to_owned()),
        None => (prefix.to_ascii_lowercase(), prefix.to_owned()),
    }
}

/// The language under whose name a rule's language is found: what holds in TypeScript holds in TSX.
fn shelf_of(language: &str) -> &str {
    if language == "tsx" { "typescript" } else { language }
}

/// A language as people write it.
fn label(name: &str) -> String {
    match name {
        ANY => "Any language",
        "c" => "C",
        "cpp" => "C++",
        "csharp" => "C#",
        "dockerfile" => "Dockerfile",
        "go" => "Go",
        "java" => "Java",
        "javascript" => "JavaScript",
        "php" => "PHP",
        "python" => "Python",
        "ruby" => "Ruby",
        "rust" => "Rust",
        "shell" => "Shell",
        "sql" => "SQL",
        "typescript" => "TypeScript, TSX",
        "yaml" => "YAML (CI, Kubernetes)",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::estimate_tokens;
    use crate::rules::Origin;

    /// The targets of all links of a page, from the skill's folder.
    fn targets(path: &str, text: &str) -> Vec<String> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut out = Vec::new();
        let mut open: Option<Fence<'_>> = None;
        for line in text.lines() {
            match &open {
                Some(fence) if fence.closes(line) => open = None,
                Some(_) => {}
                None => open = Fence::open(line),
            }
            if open.is_none() {
                let links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
                out.extend(links.filter(|t| !t.starts_with("https://")).map(|t| resolve(folder, t).expect("a link within the skill")));
            }
        }
        out
    }

    fn walk(pages: &[Page]) -> BTreeSet<String> {
        let by_path: BTreeMap<&str, &str> = pages.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        let mut seen = BTreeSet::new();
        let mut open = vec!["SKILL.md".to_owned()];
        while let Some(path) = open.pop() {
            let text = by_path.get(path.as_str()).unwrap_or_else(|| panic!("a link leads to {path}, which is not there"));
            if seen.insert(path.clone()) {
                open.extend(targets(&path, text));
            }
        }
        seen
    }

    fn index_tokens(pages: &[Page]) -> u64 {
        pages.iter().filter(|(path, _)| !path.starts_with("rules/")).map(|(_, text)| estimate_tokens(text)).max().unwrap_or(0)
    }

    #[test]
    fn every_link_leads_to_a_page_and_every_page_is_reached() {
        let pages = pages(&RuleSet::built_in());
        let seen = walk(&pages);
        let lost: Vec<&String> = pages.iter().map(|(p, _)| p).filter(|p| !seen.contains(*p)).collect();
        assert_eq!(lost, [""; 0]);
        assert!(index_tokens(&pages) < 2_000, "{}", index_tokens(&pages));
    }

    #[test]
    fn one_question_is_three_pages() {
        let pages: BTreeMap<String, String> = pages(&RuleSet::built_in()).into_iter().collect();
        let front = &pages["SKILL.md"];
        assert!(front.starts_with("---\nname: engineering-codex\ndescription: "));
        let rust = front.lines().find(|l| l.starts_with("- [Rust]")).expect("Rust is listed");
        assert!(rust.contains("[errors](rust/errors.md)"), "{rust}");
        let errors = &pages["rust/errors.md"];
        assert!(errors.contains("- [ERR-ANY-001](../rules/ERR-ANY-001.md) (should): Keep the cause"), "{errors}");
        assert!(!errors.contains("ERR-PY-") && errors.lines().count() < 20, "{errors}");
        assert!(pages["rules/ERR-ANY-001.md"].contains("## Bad"));
        let python = &pages["python/security.md"];
        assert!(python.contains("SEC-PY-003") && python.contains("\nIn any language:\n\n- [SEC-SECRET-001]"), "{python}");
        let total: u64 = [front, errors, &pages["rules/ERR-ANY-001.md"]].iter().map(|t| estimate_tokens(t)).sum();
        assert!(total < 3_500, "{total}");
    }

    #[test]
    fn the_same_rules_are_the_same_bytes() {
        assert_eq!(pages(&RuleSet::built_in()), pages(&RuleSet::built_in()));
    }

    fn rule(id: &str, more: &str, body: &str) -> (String, String) {
        let head = format!("---\nid: {id}\ntitle: Do what {id} says\nlevel: must\nstatus: enforced\nseverity: nit\ncategory: codex\n{more}---\n");
        (format!("a/{id}.md"), head + body)
    }

    #[test]
    fn two_thousand_rules_of_many_topics_stay_small_and_linked() {
        let rule = |i: usize| rule(&format!("T{}X-{i:04}", i % 90), ["languages: [rust]\n", ""][i % 2], "Text.\n");
        let many = |i: usize| self::rule(&format!("ERR-{i:04}"), "languages: [go]\n", "Text.\n");
        let mut set = RuleSet::default();
        let files = (0..1_000).map(rule).chain((0..1_000).map(many)).collect();
        assert_eq!(set.add_source("org", Origin::Organisation, files), []);
        let pages = pages(&set);
        assert!(index_tokens(&pages) < 2_000, "{}", index_tokens(&pages));
        let seen = walk(&pages);
        assert_eq!(seen.len(), pages.len());
        assert!(pages.len() > 2_000);
    }

    #[test]
    fn relative_links_lead_to_rules_or_are_text() {
        let body = "See [b](../b/B-2.md#x), [c](C-3.md), [readme](../README.md), [web](https://example.org/a).\n\n```md\n[code](x.md)\n```\n";
        let mut files = vec![rule("AA-1", "", body), rule("CC-3", "", "Text.\n"), ("README.md".to_owned(), String::new())];
        files[1].0 = "a/C-3.md".to_owned();
        files.push(("b/B-2.md".to_owned(), rule("BB-2", "", "Text.\n").1.replace("enforced", "trial")));
        let mut set = RuleSet::default();
        assert_eq!(set.add_source("org", Origin::Organisation, files), []);
        let pages: BTreeMap<String, String> = pages(&set).into_iter().collect();
        let page = &pages["rules/AA-1.md"];
        assert!(page.contains("See [b] (../b/B-2.md#x), [c](CC-3.md), [readme] (../README.md), [web](https://example.org/a)."), "{page}");
        assert!(page.contains("```md\n[code](x.md)\n```"), "{page}");
        assert!(!pages.contains_key("rules/BB-2.md"), "on trial");
    }
}
