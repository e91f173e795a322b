//! A rule file: front matter between `---` lines, then Markdown with `## Bad` and `## Good` examples and
//! their variants, `## Also bad` and `## Also good`. What comes out of here is checked, but for the detector, which is compiled when it is needed.

use super::Rule;
use super::front::{self, Detect, Front};
use super::markdown::{self, Body, Example};
use super::problem::{Problem, nearest, shown};
use crate::lang::Lang;
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use serde_saphyr::Spanned;
use std::sync::OnceLock;

/// A larger rule file is refused, in bytes.
pub(super) const MAX_FILE: usize = 256 << 10;
/// The longest title, in characters: it stands in one bold line of a comment.
const MAX_TITLE: usize = 100;
const MAX_PATHS: usize = 50;

/// A rule file, read.
#[derive(Debug)]
pub(super) struct RuleFile {
    pub(super) rule: Rule,
    pub(super) langs: Vec<Lang>,
    /// `None`: any path.
    pub(super) globs: PathGlobs,
    pub(super) detect: Option<Detect>,
    /// The line of `detect:`, 1-based; 0 where there is none.
    pub(super) detect_line: usize,
    pub(super) examples: Vec<Example>,
    pub(super) links: Vec<(usize, String)>,
}

/// Reads one rule file. `origin` is put into the rule.
pub(super) fn read(text: &str, origin: &str) -> Result<RuleFile, Problem> {
    if text.len() > MAX_FILE {
        return Err(Problem::line(1, format!("the file has {} bytes", text.len()), format!("a rule file has at most {} KiB", MAX_FILE >> 10)));
    }
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let (yaml, body, body_line) = split(&text)?;
    let front = front::read(yaml)?;
    let parts = markdown::read(body, body_line)?;
    check(&front, &parts, body_line)?;
    let mut langs = Vec::new();
    for name in &front.languages {
        langs.extend_from_slice(language(name)?);
    }
    langs.sort_unstable();
    langs.dedup();
    let detect_line = yaml.lines().position(|l| l.starts_with("detect:")).map_or(0, |i| i + 1);
    if let Some(detect) = &front.detect {
        if front.about.is_some() {
            let help = "a pattern sees code as it stands, and a fact is about changes anyway: leave `about` or `detect` out";
            return Err(Problem::line(detect_line, "a rule with `about: change` has a detector", help));
        }
        check_detect(detect, detect_line, &langs)?;
    }
    let rule = Rule {
        id: front.id.value,
        title: front.title.value.trim().to_owned(),
        level: front.level,
        status: front.status,
        severity: front.severity,
        category: front.category,
        languages: front.languages.into_iter().map(|l| l.value).collect(),
        paths: front.paths.iter().map(|p| p.value.clone()).collect(),
        source: front.source,
        url: front.url.map(|u| u.value),
        owner: front.owner,
        has_detector: front.detect.is_some(),
        about_changes: front.about.is_some() || front.detect.as_ref().is_some_and(|d| d.fact.is_some()),
        text: parts.text,
        body: parts.shown,
        origin: origin.to_owned(),
    };
    Ok(RuleFile { rule, langs, globs: globs(&front.paths)?, detect: front.detect, detect_line, examples: parts.examples, links: parts.links })
}

/// Front matter with its first `---`, body, and the body's first line.
fn split(text: &str) -> Result<(&str, &str, usize), Problem> {
    let help = "a rule file begins with front matter between two `---` lines";
    if text.lines().next().map(str::trim_end) != Some("---") {
        return Err(Problem::line(1, "no front matter", help));
    }
    let mut at = 0;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        if i > 0 && line.trim_end() == "---" {
            return Ok((&text[..at], &text[at + line.len()..], i + 2));
        }
        at += line.len();
    }
    Err(Problem::line(1, "the front matter is never closed", help))
}

fn check(front: &Front, body: &Body, body_line: usize) -> Result<(), Problem> {
    if !is_id(&front.id.value) {
        let help = "capitals and digits in parts joined by `-`, such as SEC-PY-003";
        return Err(Problem::at(front.id.referenced, format!("`{}` is not a rule id", shown(&front.id.value)), help));
    }
    let title = front.title.value.trim();
    if title.is_empty() || title.contains(char::is_control) || title.chars().count() > MAX_TITLE {
        return Err(Problem::at(front.title.referenced, "`title` is not a short line", format!("one line of at most {MAX_TITLE} characters")));
    }
    let web = |url: &str| url.starts_with("https://") && url.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"`'()".contains(&b));
    if let Some(url) = front.url.as_ref().filter(|u| !web(&u.value)) {
        return Err(Problem::at(url.referenced, "`url` is not an https address", "https://…, without blanks, quotes and brackets"));
    }
    for (key, value) in [("source", &front.source), ("owner", &front.owner)] {
        if value.as_ref().is_some_and(|v| v.contains(char::is_control) || v.chars().count() > 200) {
            return Err(Problem::line(0, format!("`{key}` is not a short line"), "one line of at most 200 characters"));
        }
    }
    if body.text.is_empty() {
        return Err(Problem::line(body_line, "the rule says nothing", "write what to do and why between the front matter and `## Bad`"));
    }
    Ok(())
}

fn check_detect(detect: &Detect, line: usize, langs: &[Lang]) -> Result<(), Problem> {
    let pattern =
        detect.constraints.is_some() || detect.utils.is_some() || detect.transform.is_some() || detect.fix.is_some() || detect.message.is_some();
    match (&detect.rule, detect.builtin.is_some(), detect.fact.is_some()) {
        (None, false, false) => Err(Problem::line(line, "`detect` has no `rule`", "give `rule:` in ast-grep's YAML, `builtin: secrets`, or `fact:`")),
        (Some(_), true, _) => Err(Problem::line(line, "`detect` has both `rule` and `builtin`", "keep one of them")),
        (Some(_), _, true) => Err(Problem::line(line, "`detect` has both `rule` and `fact`", "keep one of them")),
        (None, true, true) => Err(Problem::line(line, "`detect` has both `builtin` and `fact`", "keep one of them")),
        (None, ..) if pattern => Err(Problem::line(line, "a built-in detector takes no other keys", "keep `builtin` or `fact` alone")),
        (Some(_), ..) if langs.is_empty() => {
            Err(Problem::line(line, "a pattern needs `languages`", "name the languages that it is written in, such as `languages: [python]`"))
        }
        _ => Ok(()),
    }
}

fn language(name: &Spanned<String>) -> Result<&'static [Lang], Problem> {
    let langs = Lang::named(&name.value);
    if langs.is_empty() {
        let alias = Lang::of_fence(&name.value).map(|l| format!("did you mean `{}`?", l.name()));
        let help = alias.unwrap_or_else(|| nearest(&name.value, &Lang::ALL.map(Lang::name)));
        return Err(Problem::at(name.referenced, format!("unknown language `{}`", shown(&name.value)), help));
    }
    Ok(langs)
}

/// The paths that a rule is about: those that a glob names (all where none does), but not those that a glob with a `!` names.
#[derive(Debug)]
pub(super) struct PathGlobs {
    wanted: Vec<Glob>,
    unwanted: Vec<Glob>,
    /// Both, compiled when first needed: most rules are about languages that a change does not have.
    compiled: OnceLock<Result<[GlobSet; 2], globset::Error>>,
}

impl PathGlobs {
    pub(super) fn is_match(&self, path: &str) -> bool {
        self.compiled().is_ok_and(|[wanted, unwanted]| (self.wanted.is_empty() || wanted.is_match(path)) && !unwanted.is_match(path))
    }

    /// The sets of wanted and of unwanted paths; each pattern is sound by itself, but together they can be too large.
    pub(super) fn compiled(&self) -> Result<&[GlobSet; 2], &globset::Error> {
        let set = |globs: &[Glob]| globs.iter().fold(&mut GlobSetBuilder::new(), |set, glob| set.add(glob.clone())).build();
        self.compiled.get_or_init(|| Ok([set(&self.wanted)?, set(&self.unwanted)?])).as_ref()
    }
}

fn globs(paths: &[Spanned<String>]) -> Result<PathGlobs, Problem> {
    if let Some(first) = paths.first().filter(|_| paths.len() > MAX_PATHS) {
        return Err(Problem::at(first.referenced, format!("{} paths", paths.len()), format!("at most {MAX_PATHS}")));
    }
    let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
    for path in paths {
        if path.value.trim_start_matches('!').split('/').any(|part| matches!(part, "." | "..")) || path.value.trim_start_matches('!').starts_with('/')
        {
            let help = "paths begin at the repository's root, without `/`, `.` and `..`";
            return Err(Problem::at(path.referenced, format!("`{}` leads out of the repository", shown(&path.value)), help));
        }
        let wrong = |e: globset::Error| {
            let help = "such as `**/migrations/*.sql`, from the repository's root; a `!` before it leaves paths out";
            Problem::at(path.referenced, format!("not a glob: {}", e.kind()), help)
        };
        match path.value.strip_prefix('!') {
            Some(pattern) => unwanted.push(glob(pattern).map_err(wrong)?),
            None => wanted.push(glob(&path.value).map_err(wrong)?),
        }
    }
    Ok(PathGlobs { wanted, unwanted, compiled: OnceLock::new() })
}

fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build()
}

/// `[A-Z][A-Z0-9]+(-[A-Z0-9]+)+`, at most 64 characters.
pub(super) fn is_id(id: &str) -> bool {
    let mut parts = id.split('-');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let of_id = |p: &&str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    id.len() <= 64
        && first.len() >= 2
        && first.starts_with(|c: char| c.is_ascii_uppercase())
        && of_id(&first)
        && !rest.is_empty()
        && rest.iter().all(of_id)
}
