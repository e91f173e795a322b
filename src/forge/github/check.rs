//! The check run at the reviewed commit. It is only written when it has ended, so none is ever left running.

use super::GitHub;
use super::answers::{WireCheck, WireChecks};
use crate::forge::call::{Call, part};
use crate::forge::text::cut;
use crate::forge::{Annotation, Check, Conclusion, ForgeError};
use reqwest::Method;
use serde_json::{Value, json};

/// The name of our check: none that the template's jobs have, since of equal names GitHub shows the newest only.
const NAME: &str = "tribune findings";
/// That of one which nobody trusts: it never stands for the other.
const UNVERIFIED: &str = "tribune findings (unverified)";
/// Annotations of one request.
const CHUNK: usize = 50;
/// Bytes of a summary and of a message.
const MAX_TEXT: usize = 65_000;
const MAX_TITLE: usize = 255;

impl GitHub {
    pub(super) async fn write_check(&self, check: &Check) -> Result<bool, ForgeError> {
        if self.may_write().is_err() {
            return Ok(false);
        }
        match self.check_run(check).await {
            Ok(()) => Ok(true),
            // Only an app may write check runs, a token of Actions included; a person's token may not.
            Err(ForgeError::Forbidden(_) | ForgeError::Missing(_)) => Ok(false),
            Err(e) => Err(e),
        }
    }

    async fn check_run(&self, check: &Check) -> Result<(), ForgeError> {
        let conclusion = match check.conclusion {
            Conclusion::Success => "success",
            Conclusion::Failure => "failure",
            Conclusion::Neutral => "neutral",
        };
        let name = if check.unverified { UNVERIFIED } else { NAME };
        let (title, summary) = (cut(&check.title, MAX_TITLE), cut(&check.summary, MAX_TEXT));
        let annotations: Vec<Value> = check.annotations.iter().map(annotation).collect();
        let stands = |run: &WireCheck| {
            let output = run.output.as_ref();
            run.status == "completed"
                && run.conclusion.as_deref() == Some(conclusion)
                && output.is_some_and(|o| {
                    o.title.as_deref() == Some(title) && o.summary.as_deref() == Some(summary) && o.annotations_count == annotations.len()
                })
        };
        if self.check_now(&check.head, name).await?.as_ref().is_some_and(stands) {
            return Ok(());
        }
        let output = |part: &[Value]| json!({"title": title, "summary": summary, "annotations": part});
        let mut parts = annotations.chunks(CHUNK);
        let body = json!({"name": name, "head_sha": check.head, "status": "completed", "conclusion": conclusion,
            "output": output(parts.next().unwrap_or_default())});
        // Twice the same one is shown as one: the newest of a name counts.
        let call = Call::post(format!("{}/check-runs", self.project), "write the check", body).safe_twice(true);
        let made = self.write(call).await?;
        let id = made["id"].as_u64().ok_or_else(|| ForgeError::Unexpected("a check without an id".to_owned()))?;
        for part in parts {
            let path = format!("{}/check-runs/{id}", self.project);
            self.write(Call::new(Method::PATCH, path, "add to the check").body(json!({"output": output(part)}))).await?;
        }
        Ok(())
    }

    /// How the newest check of our name ended. A token that may not see checks sees none.
    pub(super) async fn read_check(&self, head: &str) -> Result<Option<Conclusion>, ForgeError> {
        let run = match self.check_now(head, NAME).await {
            Err(ForgeError::Forbidden(_) | ForgeError::Missing(_)) => None,
            run => run?,
        };
        Ok(run.filter(|r| r.status == "completed").and_then(|r| match r.conclusion.as_deref()? {
            "success" => Some(Conclusion::Success),
            "neutral" | "skipped" => Some(Conclusion::Neutral),
            _ => Some(Conclusion::Failure),
        }))
    }

    async fn check_now(&self, head: &str, name: &str) -> Result<Option<WireCheck>, ForgeError> {
        let path = format!("{}/commits/{}/check-runs", self.project, part(head));
        let call = Call::get(path, "read the check").query("check_name", name).query("filter", "latest");
        let runs = self.api.json::<WireChecks>(call).await?.check_runs;
        Ok(runs.into_iter().max_by_key(|r| r.id))
    }
}

fn annotation(annotation: &Annotation) -> Value {
    let level = if annotation.fails { "failure" } else { "warning" };
    let (first, last) = annotation.lines;
    json!({"path": annotation.path, "start_line": first, "end_line": last, "annotation_level": level,
        "title": cut(&annotation.title, MAX_TITLE), "message": cut(&annotation.body, MAX_TEXT)})
}
