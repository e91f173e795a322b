//! The organisation's configuration: where it is, how old the kept copy is, and how far tribune is in use here.

use super::{Line, Visit};
use crate::config::remote::{Source, State};
use crate::config::{Layer, Place, Resolved};
use crate::error::Exit;
use reqwest::Url;
use std::time::Duration;

/// Fetches it as a run does and adds its layer. Returns where it is.
pub(super) fn look(visit: &Visit<'_>, layers: &mut Vec<Layer>, lines: &mut Vec<Line>) -> Option<Url> {
    let source = match Source::find(layers, visit.env, &visit.dir, visit.ci) {
        Ok(Some(source)) => source,
        Ok(None) => return None,
        Err(error) => {
            lines.push(Line::of_error("organisation", &error));
            return None;
        }
    };
    let copy = source.copy_age().map(age);
    let fetched = source.fetch();
    layers.push(fetched.layer);
    let (variable, there) = source.token();
    let token = if there { format!("token from {variable}") } else { format!("no token ({variable})") };
    let host = source.host();
    let kept = match &copy {
        Some(age) => format!("the last good copy is {age} old"),
        None if source.keeps_copy() => "no copy was kept before".to_owned(),
        None => "no copy can be kept here".to_owned(),
    };
    let fix = "Check TRIBUNE_CONFIG_URL, its token, proxy and certificates.";
    lines.push(match fetched.state {
        State::Fresh => Line::ok("organisation", format!("{host}, fetched now; {token}; {kept}")),
        State::Unchanged => Line::ok("organisation", format!("{host}, unchanged; {token}; {kept}")),
        State::Held(why) => Line::warning("organisation", format!("{host} could not be had ({why}); {token}; {kept} and holds")).fix(fix),
        State::Missing(why) => Line::problem(
            "organisation",
            format!("{host} could not be had ({why}); {token}; {kept}: rules alone, nothing is posted"),
            fix,
            Exit::Inconclusive,
        ),
    });
    Some(source.url().clone())
}

/// How far tribune is in use at this place, and what decides it.
pub(super) fn rollout(resolved: &Resolved, place: &Place) -> Line {
    if resolved.remote_missing {
        return Line::warning("rollout", "unknown, as long as the organisation's configuration cannot be had: nothing is posted, nothing fails");
    }
    let rollout = resolved.rollout(place);
    let told = resolved.config.rollout_why(place);
    match rollout.note() {
        None => Line::ok("rollout", told),
        Some(note) => Line::warning("rollout", format!("{told}: {}", note.split_once(": ").map_or(note.as_str(), |(_, what)| what))),
    }
}

fn age(age: Duration) -> String {
    match age.as_secs() / 3_600 {
        0 => "less than an hour".to_owned(),
        1 => "an hour".to_owned(),
        hours @ 2..=47 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}
