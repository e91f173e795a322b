//! The shape of a configuration as data: what a key may hold, who may set it, how layers combine, what it
//! is for. Checking, merging, showing and the JSON schema all follow it, so a new key is one entry in [`table`](super::table).

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// JSON; `None`: not set.
    pub(crate) default: Option<&'static str>,
    /// Within a [`Kind::Record`]: it has to be there.
    pub(crate) required: bool,
    /// Only the operator may set it (TRUST 4).
    pub(crate) operator: bool,
    /// Whether the organisation's remote configuration may set it.
    pub(crate) remote: Remote,
    /// What it is for, in one or two sentences; becomes the schema's description.
    pub(crate) doc: &'static str,
}

/// Whether a key may stand in a remote configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remote {
    Too,
    /// It would say where code and keys go, or what is read of this machine (TRUST 5).
    Never,
    Only,
}

/// What a key may hold.
#[derive(Debug)]
pub(crate) enum Kind {
    Bool,
    /// A whole number within bounds.
    Whole {
        min: u64,
        max: u64,
    },
    /// A finite number within bounds.
    Number {
        min: f64,
        max: f64,
    },
    /// Text that a check accepts.
    Text(&'static Check),
    /// A program and its arguments: a list of words, or one text that is split at blanks.
    Command,
    /// One of a few words.
    OneOf(&'static [Choice]),
    /// Values in order. With `adds`, layers add up; otherwise a later layer's list replaces.
    List {
        of: &'static Kind,
        at_least: usize,
        adds: bool,
    },
    /// Names that the user chooses. Layers merge name by name.
    Map {
        names: &'static Check,
        of: &'static Kind,
    },
    /// Known keys. Layers merge key by key.
    Table(&'static [Key]),
    /// Known keys that only make sense together: a later layer replaces them all.
    Record(&'static [Key]),
    /// A name that will never have one here, and what to use instead.
    Refused(&'static str),
}

/// A word of a [`Kind::OneOf`].
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) name: &'static str,
}

/// What a text has to be.
#[derive(Debug)]
pub(crate) struct Check {
    /// To go after "has to be": "a glob such as …".
    pub(crate) what: &'static str,
    /// Whether a text is that; if not, why.
    pub(crate) test: fn(&str) -> Result<(), String>,
}

impl Key {
    pub(crate) const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, kind, default: None, required: false, operator: false, remote: Remote::Too, doc }
    }

    pub(crate) const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn operator(mut self) -> Self {
        self.operator = true;
        self
    }

    pub(crate) const fn remote(mut self, remote: Remote) -> Self {
        self.remote = remote;
        self
    }

    /// Whether a user of this version can set it.
    pub(crate) fn usable(&self) -> bool {
        !matches!(self.kind, Kind::Refused(_))
    }
}

impl Choice {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name }
    }
}

/// `list` as people read it: `a`, `b` or `c`.
pub(crate) fn either<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|n| format!("`{n}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}
