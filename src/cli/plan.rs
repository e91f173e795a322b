//! `tribune plan`: what a review would do and cost.

use super::args::PlanArgs;
use super::{inputs, output};
use crate::error::{Exit, UserError};
use crate::findings::sanitize::terminal as clean;
use crate::pipeline;
use crate::report::{count, dollars, thousands};
use crate::run::{Estimate, Prepared};
use crate::telemetry::Events;
use serde_json::json;
use std::sync::atomic::AtomicBool;

/// Prints the plan. No model call, whatever is configured.
pub(super) fn run(args: &PlanArgs) -> Result<Exit, UserError> {
    let inputs = inputs::inputs(&args.source, &args.scope, true)?;
    let prepared = pipeline::prepare(inputs, &inputs::env, &Events::default(), &AtomicBool::new(false))?;
    let estimate = prepared.estimate();
    let text = if args.json { as_json(&prepared, &estimate) } else { as_text(&prepared, &estimate) };
    output::stdout(text.as_bytes())?;
    Ok(Exit::Pass)
}

fn as_json(prepared: &Prepared, estimate: &Estimate) -> String {
    let plan = json!({
        "tier": {"level": prepared.risk.tier, "reasons": prepared.risk.reasons},
        "change": {"label": prepared.change.label, "files": prepared.change.files.len()},
        "signals": prepared.risk.signals,
        "rule_hits": prepared.scanned.findings.len(),
        "reviewers": estimate.reviewers.iter().map(|r| json!({"id": r.id, "model": r.model, "requests": r.requests, "input_tokens": r.input_tokens, "cost_usd": r.cost_usd})).collect::<Vec<_>>(),
        "bundles": prepared.bundles.len(),
        "shared_tokens": prepared.shared.iter().map(|s| s.tokens).collect::<Vec<_>>(),
        "input_tokens": estimate.input_tokens,
        "repeated_tokens": estimate.repeated_tokens,
        "cost_usd": estimate.cost_usd,
        "cached_usd": estimate.cached_usd,
        "prices": prepared.setup.price_sources(),
        "limits": prepared.limits_in_words(),
        "coverage": prepared.ledger().into_iter().map(|(path, word)| json!({"path": path, "plan": word})).collect::<Vec<_>>(),
    });
    format!("{}\n", serde_json::to_string_pretty(&plan).expect("a plan is JSON"))
}

fn as_text(prepared: &Prepared, estimate: &Estimate) -> String {
    let mut out = format!("{}\n\n{} tier\n", clean(&prepared.change.label), prepared.risk.tier.name());
    for reason in &prepared.risk.reasons {
        out.push_str(&format!("  {}\n", clean(reason)));
    }
    out.push_str(&format!("\n{}\n", count(prepared.change.files.len(), "file")));
    for (path, word) in prepared.ledger().into_iter().take(60) {
        out.push_str(&format!("  {}  {}\n", clean(&path), clean(&word)));
    }
    if prepared.change.files.len() > 60 {
        out.push_str(&format!("  and {} more (--json lists all)\n", prepared.change.files.len() - 60));
    }
    for fact in &prepared.risk.facts {
        out.push_str(&format!("  {}\n", clean(fact)));
    }
    out.push_str(&format!("\n{} rule hits\n\n", prepared.scanned.findings.len()));
    let models = if prepared.setup.gateway.is_some() { "" } else { " (no gateway is configured: a review would run the rules alone)" };
    out.push_str(&format!(
        "{} reviewers, {} {}{models}\n",
        estimate.reviewers.len(),
        prepared.bundles.len(),
        if prepared.bundles.len() == 1 { "bundle" } else { "bundles" }
    ));
    for r in &estimate.reviewers {
        let cost = r.cost_usd.map(|c| format!(", {}", dollars(c))).unwrap_or_default();
        out.push_str(&format!(
            "  {:12} {:24} about {} input tokens in {}{cost}\n",
            r.id,
            clean(r.model.as_deref().unwrap_or("-")),
            thousands(r.input_tokens),
            count(r.requests, "request")
        ));
    }
    out.push_str(&format!(
        "\nabout {} input tokens when each reviewer ends in one request, {} of them repeated prefixes that a cache can serve\n",
        thousands(estimate.input_tokens),
        thousands(estimate.repeated_tokens)
    ));
    if prepared.setup.gateway.is_some() {
        out.push_str(&match (estimate.cost_usd, estimate.cached_usd) {
            (Some(plain), Some(cached)) => {
                format!("about {} with the provider's cache, {} without; tool calls and the judge come on top\n", dollars(cached), dollars(plain))
            }
            _ => "the cost is not known: some model has no price (`prices` in the operator's file)\n".to_owned(),
        });
        for source in prepared.setup.price_sources() {
            out.push_str(&format!("  prices: {}\n", clean(&source)));
        }
        for limit in prepared.limits_in_words() {
            out.push_str(&format!("  at most {limit}\n"));
        }
    }
    out
}
