use super::*;
use crate::findings::Severity;
use crate::report::plain::words;
use crate::report::sample::{finding, hostile, outside_code, rule_hit};

#[test]
fn critical_by_a_rule_with_a_suggestion() {
    insta::assert_snapshot!(comment(&rule_hit(), Some("suggestion")), @r#"
    **Critical: User input reaches a shell**

    The value of the query parameter reaches `/bin/sh`, so whoever sends it runs commands as the service. Pass a list and leave the shell out. When: any signed-in user sends a command in the query of this page.

    ```suggestion
        subprocess.call(shlex.split(cmd))
    ```

    <sub>[`SEC-PY-003`](https://codex.example.org/security/python) · Security handbook, part 4 · owner team-security · model, security reviewer. Disagree? Reply with the reason and "won't fix", or take the rule up with its owner.</sub>
    "#);
}

#[test]
fn important_by_a_model_with_a_trigger() {
    let mut finding = finding(Severity::Important, "Retry never ends when the server keeps answering 429");
    finding.trigger = Some("the server answers every request with 429".to_owned());
    insta::assert_snapshot!(comment(&finding, Some("suggestion")), @r#"
    **Important: Retry never ends when the server keeps answering 429**

    A server that answers 429 for ever keeps the caller in this loop for ever. Give up after a few attempts. When: the server answers every request with 429.

    <sub>model, quality reviewer. Disagree? Reply with the reason and "won't fix", or resolve this thread.</sub>
    "#);
}

#[test]
fn suggestion_with_a_fix_in_words() {
    let mut finding = finding(Severity::Suggestion, "Two requests are sent where one would do.");
    finding.body = "Every page load asks for the same list twice:\n```\nget(a); get(a)\n```\n\nKeep the first answer and pass it on.".to_owned();
    finding.also = vec!["performance".to_owned()];
    insta::assert_snapshot!(comment(&finding, None), @r#"
    **Suggestion: Two requests are sent where one would do**

    Every page load asks for the same list twice:

    Keep the first answer and pass it on.

    <sub>model, quality and performance reviewers. Disagree? Reply with the reason and "won't fix", or resolve this thread.</sub>
    "#);
}

#[test]
fn what_else_was_said_of_the_line_has_a_paragraph_of_its_own() {
    let mut finding = rule_hit();
    finding.body = format!("{}\n\nAlso: The @all name goes into the log. {}", finding.body, "one two three ".repeat(20));
    insta::assert_snapshot!(comment(&finding, Some("suggestion")), @r#"
    **Critical: User input reaches a shell**

    The value of the query parameter reaches `/bin/sh`, so whoever sends it runs commands as the service. Pass a list and leave the shell out. When: any signed-in user sends a command in the query of this page.

    Also: The `@all` name goes into the log.

    ```suggestion
        subprocess.call(shlex.split(cmd))
    ```

    <sub>[`SEC-PY-003`](https://codex.example.org/security/python) · Security handbook, part 4 · owner team-security · model, security reviewer. Disagree? Reply with the reason and "won't fix", or take the rule up with its owner.</sub>
    "#);
}

#[test]
fn nit() {
    let mut finding = finding(Severity::Nit, "The constant is named after its value");
    finding.body = "The name tells the number, so it lies after the next change. Name it after its purpose.".to_owned();
    insta::assert_snapshot!(comment(&finding, None), @r#"
    **Optional nit: The constant is named after its value**

    The name tells the number, so it lies after the next change. Name it after its purpose.

    <sub>model, quality reviewer. Disagree? Reply with the reason and "won't fix", or resolve this thread.</sub>
    "#);
}

#[test]
fn the_limits_are_kept_whatever_was_written() {
    let mut finding = rule_hit();
    finding.severity = Severity::Nit;
    finding.title = "a very long title ".repeat(20);
    finding.body = format!("{}\n\n{}", "Seven words stand in this short sentence. ".repeat(20), "do that and this ".repeat(30));
    finding.trigger = Some("word ".repeat(50));
    let text = comment(&finding, None);
    let parts: Vec<&str> = text.trim_end().split("\n\n").collect();
    assert_eq!(parts.len(), 4, "{text}");
    assert!(parts[0].trim_matches('*').chars().count() <= MAX_TITLE && parts[0].ends_with("…**"), "{}", parts[0]);
    assert_eq!(words(parts[1]), 56, "eight whole sentences: {}", parts[1]);
    assert!(parts[1].ends_with("sentence."));
    assert!(words(parts[2]) <= MAX_FIX && parts[2].ends_with('…'), "{}", parts[2]);
    assert!(parts[3].starts_with("<sub>") && !parts[3].contains('\n'));
}

#[test]
fn the_beginning_makes_sense_in_a_mail() {
    let text = comment(&rule_hit(), Some("suggestion"));
    let start: String = text.chars().take(200).collect();
    assert!(start.starts_with("**Critical: User input reaches a shell**\n\nThe value of the query parameter reaches"), "{start}");
}

#[test]
fn nothing_in_it_acts() {
    for finding in &hostile().findings {
        let text = outside_code(&comment(finding, None));
        for bad in ["https://evil", "javascript:", "<script", "</details", "@all", "/merge"] {
            assert!(!text.contains(bad), "{bad} in {text}");
        }
    }
}
