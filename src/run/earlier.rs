//! What earlier rounds mean for this run: what was pushed since, which files need no second look, what reviewers are told of their
//! earlier findings, and what becomes of these.

use super::{Draft, Prepared, Setup};
use crate::change::{Change, MAX_TEXT_BYTES};
use crate::context::{Bundle, fence};
use crate::diff::{FileDiff, FileMode, Side};
use crate::findings::fingerprint::Enclosing;
use crate::findings::hit::rule_ref;
use crate::findings::texts::MaskedTexts;

use crate::history::{self, Drift, Facts, Ground, Humans, Past, Standing, State, file_tag, outline};
use crate::path::RepoPath;
use crate::report::Review;
use crate::risk::{Coverage, CoverageStatus};
use crate::text::FileText;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is known of earlier rounds of the same merge request.
pub struct Earlier {
    /// What was read.
    pub past: Past,
    /// What humans decided.
    pub humans: Humans,
    /// What was pushed since the last round, where git knows.
    drift: Option<Drift>,
    /// Indices of files that models are shown as outline only.
    pub outlined: BTreeSet<usize>,
    /// The reviewers of this run: others may have looked at a file than are to look now.
    reviewers: String,
}

/// Masked texts of this head and the symbols in them.
struct Texts<'a> {
    change: &'a Change,
    texts: &'a MaskedTexts<'a>,
}

impl Texts<'_> {
    fn text(&self, path: &RepoPath, side: Side) -> Option<Arc<FileText>> {
        let name = |f: &&FileDiff| if side == Side::Old { f.old_path == *path } else { f.new_path == *path };
        match self.change.files.iter().find(name) {
            Some(file) => self.texts.changed(file, side),
            None if side == Side::New => self.texts.elsewhere(path),
            None => None,
        }
    }

    fn symbol(&self, path: &RepoPath, side: Side, line: u32) -> Option<Enclosing> {
        self.text(path, side)?;
        self.texts.symbol(path, side, line)
    }
}

impl Earlier {
    /// Finds out what was pushed, and which of the files `shown` need no second look by `reviewers`.
    pub(super) fn new(past: Past, setup: &Setup, change: &Change, shown: &[usize], reviewers: String) -> Self {
        let humans = past.humans(setup.config().overriding);
        let drift = past.last_head().and_then(|head| drift(change, head));
        let mut earlier = Self { past, humans, drift, outlined: BTreeSet::new(), reviewers };
        if setup.gateway.is_some() {
            let texts = MaskedTexts::new(change);
            let argued = earlier.argued(change, &texts);
            let old = |i: &&usize| change.files.get(**i).is_some_and(|f| earlier.needs_no_look(f, setup, change, &argued));
            earlier.outlined = shown.iter().filter(old).copied().collect();
        }
        earlier
    }

    fn needs_no_look(&self, file: &FileDiff, setup: &Setup, change: &Change, argued: &[RepoPath]) -> bool {
        let Some((drift, key)) = self.drift.as_ref().zip(setup.state_key.as_deref()) else { return false };
        let state = self.past.memory.state.as_ref().filter(|_| self.past.memory.trusted && !self.past.full && setup.scope.only.is_empty());
        let known = state.zip(self.tag(file, key)).is_some_and(|(state, tag)| state.files.contains(&tag));
        known
            && drift.of_new(file.path()).is_none()
            && !argued.contains(file.path())
            && !change.text(file, Side::New).is_some_and(|text| outline::uses(&text, drift.names()))
    }

    /// Files with findings that somebody has answered since their reviewer last looked.
    fn argued(&self, change: &Change, texts: &MaskedTexts<'_>) -> Vec<RepoPath> {
        let answered = |s: &Standing<'_>| s.unheard() && s.thread.is_some_and(|t| self.humans.arguments.contains_key(&t.thread.id));
        let standing: Vec<Standing<'_>> = self.past.standing(&self.humans).into_iter().filter(answered).collect();
        self.on(change, texts, |ground| standing.iter().map(|s| ground.find(s.record).path).collect())
    }

    fn on<T>(&self, change: &Change, texts: &MaskedTexts<'_>, work: impl FnOnce(&Ground<'_>) -> T) -> T {
        let texts = Texts { change, texts };
        let text = |path: &RepoPath, side: Side| texts.text(path, side);
        let symbol = |path: &RepoPath, side: Side, line: u32| texts.symbol(path, side, line);
        work(&Ground { files: &change.files, drift: self.drift.as_ref(), text: &text, symbol: &symbol })
    }

    fn tag(&self, file: &FileDiff, key: &[u8]) -> Option<String> {
        let blob = file.new_id.as_ref().or(file.old_id.as_ref())?;
        Some(file_tag(key, file.path(), blob, &self.reviewers))
    }

    /// What a reviewer is told of its earlier findings in the files of a bundle, and, with the first one, in files that are
    /// shown as outline only. Empty where there are none.
    pub(super) fn part(&self, prepared: &Prepared, reviewer: &str, number: usize, bundle: &Bundle) -> String {
        let change = &prepared.change;
        let texts = MaskedTexts::new(change);
        let index = |path: &RepoPath| change.files.iter().position(|f| f.new_path == *path);
        let standing = self.past.standing(&self.humans);
        let mine = standing.iter().filter(|s| s.status == history::Status::Open && s.told_by(reviewer));
        let here: Vec<(&Standing<'_>, history::Now)> = self.on(change, &texts, |ground| {
            let placed = mine.map(|s| (s, ground.find(s.record)));
            let in_bundle = |i: usize| bundle.parts.iter().any(|p| p.file == i);
            placed.filter(|(_, now)| index(&now.path).map_or(number == 1, |i| in_bundle(i) || (number == 1 && self.outlined.contains(&i)))).collect()
        });
        history::prior_part(&here, &self.humans, &|text| fence("earlier findings", text, prepared.setup.state_key.as_deref()).text)
    }

    /// The round that reviewed the outlined files, in words.
    pub(super) fn remark(&self) -> String {
        format!("as before round {}: neither it nor what it uses was pushed to since it was reviewed", self.past.round())
    }

    /// Lays what was found beside what was told before.
    pub(super) fn reconcile(&self, draft: &mut Draft<'_>) {
        let prepared = draft.prepared;
        let change = &prepared.change;
        let found = std::mem::take(&mut draft.findings);
        let rules_read = |path: &RepoPath| match change.files.iter().position(|f| f.new_path == *path) {
            Some(i) => prepared.scanned.files.iter().any(|s| s.file == i && s.read && s.bound.is_none()),
            None => true,
        };
        let completed = |who: &str, path: &RepoPath| match who {
            // A rule that could not be read has hit nothing.
            "rules" => prepared.setup.scope.rules() && !prepared.setup.policy_broken && rules_read(path),
            _ => draft.completed.get(who).is_some_and(|files| files.contains(path)),
        };
        let key = prepared.setup.state_key.as_deref();
        let reviewed = |path: &RepoPath| {
            let state = self.past.memory.state.as_ref().filter(|s| s.complete || !s.files.is_empty());
            let blob = match self.drift.as_ref().and_then(|d| d.of_new(path)) {
                Some(pushed) => pushed.old_id.as_ref().map(|id| (pushed.old_path.clone(), id.clone())),
                None => change.files.iter().find(|f| f.new_path == *path).and_then(|f| Some((path.clone(), f.new_id.clone().or(f.old_id.clone())?))),
            };
            let tag = blob.zip(key).map(|((path, id), key)| file_tag(key, &path, &id, &self.reviewers));
            state.zip(tag).is_some_and(|(state, tag)| state.files.contains(&tag))
        };
        let rule = |id: &str| prepared.setup.rules.get(id).map(rule_ref);
        let out = self.on(change, &draft.texts, |ground| {
            let facts = Facts {
                ground,
                completed: &completed,
                answers: &draft.answers,
                rule: &rule,
                reviewed: &reviewed,
                head: change.head_sha.as_deref().unwrap_or_default(),
            };
            history::reconcile(&self.past, &self.humans, &facts, found)
        });
        draft.findings = out.findings;
        draft.dropped.extend(out.dropped);
        draft.prior = out.prior;
        draft.records = out.records;
        draft.notes.extend(self.past.memory.notes.iter().chain(&self.humans.notes).cloned());
    }

    /// What the next round will be told.
    pub(super) fn next(&self, prepared: &Prepared, review: &Review, complete: bool, records: Vec<history::Record>) -> State {
        State {
            round: self.past.round(),
            head: review.change.head_sha.clone().unwrap_or_default(),
            base: self.past.mr.base_sha.clone(),
            start: self.past.mr.start_sha.clone(),
            policy_sha: review.provenance.policy_sha.clone(),
            config_digest: review.provenance.config_digest.clone(),
            outcome: review.outcome,
            exit: history::exit(review.outcome),
            complete,
            gate: None,
            spent_usd: self.past.spent_after(review),
            events: self.past.events(),
            findings: records,
            files: self.files(prepared, &review.coverage, complete && review.models_looked),
        }
    }

    /// Tags of the files that complete rounds have reviewed as they stand.
    fn files(&self, prepared: &Prepared, coverage: &[Coverage], complete: bool) -> Vec<String> {
        let Some(key) = prepared.setup.state_key.as_deref().filter(|_| prepared.setup.scope.only.is_empty()) else { return Vec::new() };
        let reviewed: BTreeSet<&RepoPath> = coverage.iter().filter(|c| c.status == CoverageStatus::Reviewed).map(|c| &c.path).collect();
        let shown: BTreeSet<usize> = prepared.shown().into_iter().collect();
        let holds = |i: &usize, f: &FileDiff| self.outlined.contains(i) || (complete && shown.contains(i) && reviewed.contains(f.path()));
        let files = prepared.change.files.iter().enumerate();
        files.filter(|(i, f)| holds(i, f)).filter_map(|(_, f)| self.tag(f, key)).collect()
    }
}

/// What lies between an earlier head and this one; `None` where git does not have that head.
fn drift(change: &Change, head: &str) -> Option<Drift> {
    let objects = change.objects.as_ref()?;
    let files = objects.since(head)?;
    let text = |file: &FileDiff, side: Side| {
        let (mode, id) = if side == Side::Old { (file.old_mode, file.old_id.as_ref()) } else { (file.new_mode, file.new_id.as_ref()) };
        let bytes = objects.blob(id.filter(|_| matches!(mode, Some(FileMode::Regular | FileMode::Executable)))?, MAX_TEXT_BYTES).ok()?;
        (!bytes.contains(&0)).then(|| FileText::whole(&bytes))
    };
    let names = outline::touched_names(&files, &text);
    Some(Drift::new(files, names))
}
