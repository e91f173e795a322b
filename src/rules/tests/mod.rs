//! Rules of all kinds from text to hits.

mod built_in;
mod files;
mod hostile;
mod policy;
mod scanning;

use super::{Origin, RuleSet, TouchedLines};
use crate::lang::Source;
use crate::path::RepoPath;
use crate::text::FileText;

/// With a fix and a message.
const SHELL: &str = r#"---
id: SEC-PY-003
title: Do not pass untrusted text to a shell
level: must
status: enforced
severity: critical
category: security
languages: [python]
detect:
  rule: { pattern: "subprocess.$F($$$A, shell=True)" }
  message: subprocess.$F runs a shell
  fix: subprocess.$F($$$A)
---
Pass a list and leave the shell out.
## Bad
```python
subprocess.run(cmd, shell=True)
```
## Good
```python
subprocess.run(["ls", path])
```
"#;

/// For two languages, of which one stands for two grammars, and some paths only.
const EVAL: &str = r#"---
id: SEC-JS-001
title: Do not evaluate text
level: should
status: advisory
severity: important
category: security
languages: [typescript, javascript]
paths: ["src/**"]
detect:
  rule: { pattern: eval($X), not: { pattern: 'eval("$Y")' } }
---
Parse it.
## Bad
```tsx
eval(x)
```
## Good
```js test/a.js
eval(x)
```
"#;

const SECRETS: &str = "---\nid: SEC-SECRET-001\ntitle: Keep credentials out\nlevel: must\nstatus: enforced\nseverity: critical\ncategory: security\ndetect: { builtin: secrets }\n---\nRevoke it.\n";

const TEXT_ONLY: &str = "---\nid: ERR-ANY-001\ntitle: Keep the cause\nlevel: must\nstatus: enforced\nseverity: important\ncategory: quality\n---\nKeep the cause of an error.\n";

fn set(origin: Origin, files: &[(&str, &str)]) -> RuleSet {
    let mut set = RuleSet::default();
    let problems = set.add_source(origin.name(), origin, owned(files));
    assert_eq!(problems, []);
    set
}

fn owned(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// All hits as `id first-last: message -> suggestion`, then the bound.
fn scan(set: &RuleSet, path: &str, text: &str, touched: &TouchedLines) -> String {
    let scan = set.scan(&RepoPath::from(path), &Source::new(&path.into(), FileText::whole(text.as_bytes())), touched);
    let mut out = String::new();
    for hit in scan.hits {
        out += &format!("{} {}-{}", hit.rule_id, hit.start, hit.end);
        out += &hit.message.map(|m| format!(": {m}")).unwrap_or_default();
        out += &hit.suggestion.map(|s| format!(" -> {s:?}")).unwrap_or_default();
        out.push('\n');
    }
    out + &scan.bound.map(|b| format!("bound: {b}")).unwrap_or_default()
}
