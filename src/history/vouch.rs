//! A review that another job wrote down, held against what stands at the merge request (TRUST 2, 8). What it says of code is
//! taken; who settled something, who opened the gate, what was told before, which round this is and what all of them cost is
//! read here, and where the report says otherwise it is not believed.

use super::humans::Humans;
use super::past::{Past, Standing};
use super::reconcile::settled_words;
use super::round::{Prior, Stored};
use super::state::{Record, Status};
use crate::findings::{FindingSource, FindingStatus, Severity};
use crate::path::RepoPath;
use crate::report::Review;

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vouched {
    /// It holds, as far as it was believed.
    Holds,
    /// A later round of the same head was published since, whose result stands.
    Outdated(Stored),
}

/// Takes a review for this round of a merge request whose head it is about. Fails with the reason where it was made from
/// something else. Whether something was missed is for the caller to set: [`Review::conclude`].
pub fn vouch(past: &Past, humans: &Humans, review: &mut Review) -> Result<Vouched, String> {
    let mr = &past.mr;
    let mut state = review.next.take().ok_or("it does not say what the next round has to know")?;
    if state.head != mr.head_sha || state.base != mr.base_sha || review.change.base_sha.as_ref() != Some(&mr.base_sha) {
        return Err(format!("it is about the changes from {} to {}, and these go from {} to {}", state.base, state.head, mr.base_sha, mr.head_sha));
    }
    let before = past.memory.state.as_ref();
    if let Some(newer) = before.filter(|s| past.memory.trusted && s.head == mr.head_sha && s.round > state.round) {
        return Ok(Vouched::Outdated(Stored::of(newer)));
    }
    // Published once already, wholly or in part: the same round again.
    let again = before.filter(|s| s.round == state.round && s.head == state.head);
    state.round = again.map_or_else(|| past.round(), |s| s.round);
    state.start.clone_from(&mr.start_sha);
    state.spent_usd = match again {
        Some(same) => same.spent_usd.filter(|_| past.memory.trusted).or(state.spent_usd),
        None => past.spent_after(review),
    };
    (review.round, review.spent_before_usd) = (state.round, past.spent_usd());
    review.override_ = humans.glass.clone().filter(|g| g.head == mr.head_sha);

    let standing = past.standing(humans);
    let next: Vec<Told> = state.findings.iter().map(|r| (r.fingerprint.clone(), r.path.clone(), r.status == Status::Fixed)).collect();
    let judge = Judge { past, humans, standing: &standing, next: &next };
    let mut refused = 0;
    for finding in review.findings.iter_mut().filter(|f| f.status == FindingStatus::Settled) {
        if judge.settled(&finding.fingerprint, &finding.path).is_none_or(|s| s.gates) {
            finding.status = FindingStatus::Persisting;
            refused += 1;
        }
    }
    let mut taken = Vec::new();
    review.prior.retain_mut(|prior| judge.prior(prior, &mut taken));
    state.findings.iter_mut().for_each(|record| judge.record(record));
    if refused > 0 {
        let (are, them) = if refused == 1 { ("finding is", "it") } else { ("findings are", "them") };
        review.notes.push(format!("{refused} {are} open, since nothing here says that somebody who may has settled {them}."));
    }
    review.next = Some(state);
    Ok(Vouched::Holds)
}

/// How something is settled: whether it counts for the gate all the same, by whom, in words.
struct Settled {
    status: Status,
    gates: bool,
    by: Option<String>,
    why: Option<String>,
}

/// What the report says of a finding: fingerprint, file, whether it is fixed.
type Told = (String, RepoPath, bool);

struct Judge<'a> {
    past: &'a Past,
    humans: &'a Humans,
    standing: &'a [Standing<'a>],
    next: &'a [Told],
}

impl Judge<'_> {
    /// Of several files that hold the same code, the one that is meant; its name may be another by now.
    fn of(&self, fingerprint: &str, path: &RepoPath) -> Option<&Standing<'_>> {
        let same = || self.standing.iter().filter(|s| s.record.fingerprint == fingerprint);
        same().find(|s| s.record.path == *path).or_else(|| same().next())
    }

    /// How a finding is settled or withdrawn as far as can be seen here.
    fn settled(&self, fingerprint: &str, path: &RepoPath) -> Option<Settled> {
        let s = self.of(fingerprint, path)?;
        match s.status {
            Status::Settled | Status::Withdrawn => {
                Some(Settled { status: s.status, gates: s.gates, by: s.by.clone(), why: settled_words(s, s.gates) })
            }
            Status::Open | Status::Fixed => self.argued(s),
        }
    }

    /// Whether somebody has argued a finding away, if its reviewer lets it go: somebody else than the change's author counts more.
    fn argued(&self, s: &Standing<'_>) -> Option<Settled> {
        let may = s.record.severity < Severity::Critical && s.record.source == FindingSource::Model && s.unheard();
        let thread = s.thread.filter(|t| may && t.trusted)?;
        let arguments = self.humans.arguments.get(&thread.thread.id)?;
        let by = arguments.iter().rev().find(|a| !a.author).or(arguments.last())?;
        let gone = Standing { status: Status::Withdrawn, ..s.clone() };
        Some(Settled { status: Status::Withdrawn, gates: by.author, by: Some(by.by.clone()), why: settled_words(&gone, by.author) })
    }

    /// What became of an earlier finding; `false` where nothing here knows of such a one. `taken`: fingerprint and file of those before.
    fn prior(&self, prior: &mut Prior, taken: &mut Vec<(String, RepoPath)>) -> bool {
        let memory = &self.past.memory;
        let fixed = prior.status == Status::Fixed;
        let same: Vec<&Record> = memory.records().into_iter().filter(|r| r.fingerprint == prior.fingerprint).collect();
        let told = |r: &&&Record| {
            let free = !taken.iter().any(|(f, p)| *f == r.fingerprint && *p == r.path);
            free && self.next.iter().any(|(f, p, gone)| *f == r.fingerprint && *p == r.path && *gone == fixed)
        };
        let Some(record) = same.iter().find(told).or(same.first()).copied() else { return false };
        taken.push((record.fingerprint.clone(), record.path.clone()));
        prior.title.clone_from(&record.title);
        prior.severity = record.severity;
        prior.thread = memory.thread_of(record).map(|t| t.thread.id.clone());
        match prior.status {
            Status::Open | Status::Fixed => prior.by = None,
            Status::Settled | Status::Withdrawn => match self.settled(&prior.fingerprint, &record.path).filter(|s| s.status == prior.status) {
                Some(settled) => (prior.by, prior.why) = (settled.by, settled.why),
                None => (prior.status, prior.by, prior.why) = (Status::Open, None, None),
            },
        }
        true
    }

    /// What the next round is told of a finding.
    fn record(&self, record: &mut Record) {
        if !matches!(record.status, Status::Settled | Status::Withdrawn) {
            record.gates = false;
            return;
        }
        match self.settled(&record.fingerprint, &record.path).filter(|s| s.status == record.status) {
            Some(settled) => (record.gates, record.by) = (record.gates | settled.gates, settled.by),
            None => (record.status, record.gates, record.by) = (Status::Open, false, None),
        }
    }
}

#[cfg(test)]
mod tests;
