//! Usage, and reports for people and machines.

use crate::{run, service, with};

#[test]
fn wrong_usage_says_what_to_do() {
    let repo = service();
    for (args, says) in [
        (vec!["nowhere"], "cannot be opened"),
        (vec!["--rules", "SEC-PY-03"], "Did you mean SEC-PY-003?"),
        (vec!["--rules", "[x"], "it is no glob"),
        (vec!["--shard", "4/3"], "write I/N"),
        (vec!["--shard", "0/3"], "write I/N"),
        (vec!["--rev", "nothing-like-it"], "no commit `nothing-like-it`"),
        (vec!["--rev", "--output=x"], "begins with `-`"),
        (vec!["--merge", "a.json", "--shard", "1/2"], "cannot be used with"),
    ] {
        let done = run(&repo, None, &args);
        assert_eq!(done.code, 2, "{args:?}");
        assert!(done.stderr.contains(says), "{says}: {}", done.stderr);
    }
    std::fs::create_dir(repo.dir.join("empty")).unwrap();
    assert!(run(&repo, None, &["empty"]).stderr.contains("there are no files to audit"));
}

#[test]
fn sarif_has_a_result_for_each_place() {
    let repo = service();
    let log = run(&repo, None, &["-q", "--format", "sarif", "--rules", "SEC-PY-*"]).report();
    let results: Vec<String> = log["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            let place = &r["locations"][0]["physicalLocation"];
            let (uri, line) = (place["artifactLocation"]["uri"].as_str().unwrap(), &place["region"]["startLine"]);
            let index = usize::try_from(r["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][index]["id"], r["ruleId"]);
            format!("{} {uri}:{line}{}", r["ruleId"].as_str().unwrap(), if r["suppressions"].is_array() { " suppressed" } else { "" })
        })
        .collect();
    assert_eq!(results, ["SEC-PY-001 app/old.py:4 suppressed", "SEC-PY-003 app/run.py:5"]);
}

#[test]
fn hostile_files_cannot_speak_in_the_report() {
    let repo = service();
    repo.write("a\n::error::x.py", "import subprocess\nsubprocess.run(f\"<script>@all ![x](https://evil.example) {n}\", shell=True)\n");
    repo.write("deep.py", format!("x = {}1{}\n", "(\n".repeat(30_000), ")\n".repeat(30_000)));
    repo.write("long.py", format!("x = \"{}\"\n{}", "a".repeat(101_000), "call_it(with_this)\n".repeat(3_000)));
    repo.commit("hostile");
    let done = run(&repo, None, &["-q", "--rules", "SEC-PY-003"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stdout.lines().all(|l| !l.trim_start().starts_with("::")), "{}", done.stdout);
    assert!(done.stdout.contains("a\\n::error::x.py") || done.stdout.contains("a\\n: :error::x.py"), "{}", done.stdout);
    let partial = run(&repo, None, &with(&["--rules", "SEC-PY-003"])).report()["coverage"]["partial"].clone();
    let paths: Vec<&str> = partial.as_array().unwrap().iter().map(|p| p["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["deep.py", "long.py"]);
}
