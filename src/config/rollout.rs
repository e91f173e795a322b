//! Rollout: how far tribune is in use at one place, so that an organisation moves thousands of repositories from
//! `shadow` to `gate` without touching a template. The same place always gets the same answer; nothing is random.

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// How far a run may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The job ends at once.
    Off,
    /// Reviews and exports; posts nothing, fails nothing.
    Shadow,
    /// No model is asked.
    Rules,
    /// Posts; fails nothing.
    Comment,
    /// All of it.
    Gate,
}

impl Mode {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Shadow => "shadow",
            Mode::Rules => "rules",
            Mode::Comment => "comment",
            Mode::Gate => "gate",
        }
    }
}

/// Where a run takes place, as the forge tells it. All `None` for a local run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The forge's host, with its port where it has one.
    pub host: Option<String>,
    /// The project's whole path.
    pub project: Option<String>,
    /// The branch that the change is meant for.
    pub target_branch: Option<String>,
}

/// What holds at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// The mode; `None` where the organisation's configuration could not be had, so that nobody knows it.
    pub mode: Option<Mode>,
    /// What a job says where the mode is `off`.
    pub text: Option<String>,
}

impl Rollout {
    /// Where nobody knows the mode: merging fails open, so nothing is posted and nothing fails.
    pub const UNKNOWN: Self = Self { mode: None, text: None };

    /// Whether there is nothing to do.
    pub fn is_off(&self) -> bool {
        self.mode == Some(Mode::Off)
    }

    /// Whether models may be asked.
    pub fn may_ask(&self) -> bool {
        matches!(self.mode, Some(Mode::Shadow | Mode::Comment | Mode::Gate))
    }

    /// Whether anything may be written to the forge.
    pub fn may_post(&self) -> bool {
        matches!(self.mode, Some(Mode::Rules | Mode::Comment | Mode::Gate))
    }

    /// Whether findings may fail the run.
    pub fn may_gate(&self) -> bool {
        matches!(self.mode, Some(Mode::Rules | Mode::Gate))
    }

    /// What the report says of it; nothing where all of it is in use, or nobody knows (then that is said elsewhere).
    pub fn note(&self) -> Option<String> {
        let what = match self.mode? {
            Mode::Gate => return None,
            Mode::Off => "nothing is done",
            Mode::Shadow => "nothing is posted, and nothing fails the run",
            Mode::Rules => "the rules run alone",
            Mode::Comment => "nothing fails the run",
        };
        Some(format!("Rollout `{}`: {what}.", self.mode?.name()))
    }
}

/// `rollout` of the configuration.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Modes {
    mode: Mode,
    text: Option<String>,
    overrides: Vec<Override>,
}

#[derive(Debug, Clone, Deserialize)]
struct Override {
    host: Option<String>,
    group: Option<String>,
    project: Option<String>,
    target_branch: Option<String>,
    percent: Option<u64>,
    mode: Mode,
    text: Option<String>,
}

impl Modes {
    /// What holds at a place.
    pub(crate) fn at(&self, place: &Place) -> Rollout {
        match self.overrides.iter().rev().find(|o| o.fits(place)) {
            Some(o) => Rollout { mode: Some(o.mode), text: o.text.clone().or_else(|| self.text.clone()) },
            None => Rollout { mode: Some(self.mode), text: self.text.clone() },
        }
    }
}

impl Modes {
    /// The mode at a place and what decides it, in words.
    pub(crate) fn why(&self, place: &Place) -> String {
        let found = self.overrides.iter().enumerate().rev().find(|(_, o)| o.fits(place));
        match found {
            Some((i, o)) => format!("`{}`, by `rollout.overrides[{i}]` ({})", o.mode.name(), o.words()),
            None => format!("`{}`, by `rollout.mode`", self.mode.name()),
        }
    }
}

impl Override {
    /// What it names.
    fn words(&self) -> String {
        let named = |what: &str, value: &Option<String>| value.as_ref().map(|v| format!("{what} {v}"));
        let all =
            [named("host", &self.host), named("group", &self.group), named("project", &self.project), named("target branch", &self.target_branch)];
        let all = all.into_iter().chain([self.percent.map(|p| format!("{p} % of projects"))]).flatten();
        all.collect::<Vec<_>>().join(", ")
    }

    /// Whether all that it names fits. What is not known of the place fits nothing.
    fn fits(&self, place: &Place) -> bool {
        let holds = |wanted: &Option<String>, known: &Option<String>, test: &dyn Fn(&str, &str) -> bool| match (wanted, known) {
            (None, _) => true,
            (Some(wanted), Some(known)) => test(wanted, known),
            (Some(_), None) => false,
        };
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        let below = |group: &str, project: &str| {
            let group = group.trim_end_matches('/');
            project.len() > group.len()
                && project.as_bytes()[group.len()] == b'/'
                && project.as_bytes()[..group.len()].eq_ignore_ascii_case(group.as_bytes())
        };
        // The check of the configuration has made sure that it is a glob.
        let branch = |glob: &str, branch: &str| branch_glob(glob).is_ok_and(|glob| glob.is_match(branch));
        holds(&self.host, &place.host, &same)
            && holds(&self.group, &place.project, &below)
            && holds(&self.project, &place.project, &same)
            && holds(&self.target_branch, &place.target_branch, &branch)
            && self.percent.is_none_or(|percent| share(place).is_some_and(|share| share < percent))
    }
}

/// A number from 0 to 99 that a project always has, spread evenly over projects. `None` for a local run.
fn share(place: &Place) -> Option<u64> {
    let name = format!("{}/{}", place.host.as_deref()?, place.project.as_deref()?).to_lowercase();
    let bytes: [u8; 8] = Sha256::digest(name).as_slice().get(..8)?.try_into().ok()?;
    Some(u64::from_be_bytes(bytes) % 100)
}

/// A glob over branches: `*` stands for anything, slashes included.
pub(crate) fn branch_glob(text: &str) -> Result<GlobMatcher, String> {
    GlobBuilder::new(text).literal_separator(false).build().map(|glob| glob.compile_matcher()).map_err(|error| error.kind().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn place(host: &str, project: &str, branch: &str) -> Place {
        Place { host: Some(host.into()), project: Some(project.into()), target_branch: Some(branch.into()) }
    }

    #[test]
    fn the_last_entry_that_fits_counts() {
        let modes: Modes = serde_json::from_value(json!({
            "mode": "shadow",
            "text": "Not yet.",
            "overrides": [
                {"group": "pay", "mode": "gate"},
                {"group": "pay", "target_branch": "release/*", "mode": "rules"},
                {"project": "pay/legacy", "mode": "off", "text": "Ask team-pay."},
                {"host": "old.example", "mode": "off"},
            ],
        }))
        .expect("valid");
        let told = |place: &Place| {
            let rollout = modes.at(place);
            format!(
                "{} {:?} ask={} post={} gate={}",
                rollout.mode.map_or("?", Mode::name),
                rollout.text,
                rollout.may_ask(),
                rollout.may_post(),
                rollout.may_gate()
            )
        };
        let table = [
            told(&Place::default()),
            told(&place("git.example", "web/shop", "main")),
            told(&place("git.example", "pay/api", "main")),
            told(&place("git.example", "PAY/team/api", "main")),
            told(&place("git.example", "payments/api", "main")),
            told(&place("git.example", "pay", "main")),
            told(&place("git.example", "pay/api", "release/1/2")),
            told(&place("git.example", "pay/legacy", "main")),
            told(&place("OLD.example", "pay/api", "main")),
            told(&Place { target_branch: None, ..place("git.example", "pay/api", "") }),
        ];
        insta::assert_snapshot!(table.join("\n"), @r#"
        shadow Some("Not yet.") ask=true post=false gate=false
        shadow Some("Not yet.") ask=true post=false gate=false
        gate Some("Not yet.") ask=true post=true gate=true
        gate Some("Not yet.") ask=true post=true gate=true
        shadow Some("Not yet.") ask=true post=false gate=false
        shadow Some("Not yet.") ask=true post=false gate=false
        rules Some("Not yet.") ask=false post=true gate=true
        off Some("Ask team-pay.") ask=false post=false gate=false
        off Some("Not yet.") ask=false post=false gate=false
        gate Some("Not yet.") ask=true post=true gate=true
        "#);
        assert!(!Rollout::UNKNOWN.may_ask() && !Rollout::UNKNOWN.may_post() && !Rollout::UNKNOWN.may_gate());
    }

    #[test]
    fn a_percentage_is_stable_and_grows_by_adding() {
        let modes = |percent: u64| -> Modes {
            serde_json::from_value(json!({"mode": "shadow", "overrides": [{"percent": percent, "mode": "gate"}]})).expect("valid")
        };
        let gated = |percent: u64| -> Vec<usize> {
            let modes = modes(percent);
            (0..2000).filter(|n| modes.at(&place("git.example", &format!("group/project-{n}"), "main")).may_gate()).collect()
        };
        let (none, some, more, all) = (gated(0), gated(20), gated(40), gated(100));
        assert_eq!((none.len(), all.len()), (0, 2000));
        assert!((300..500).contains(&some.len()) && (650..950).contains(&more.len()), "{} {}", some.len(), more.len());
        assert!(some.iter().all(|n| more.contains(n)));
        assert!(!modes(100).at(&Place::default()).may_gate(), "a local run belongs to no percentage");
    }
}
