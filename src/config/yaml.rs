//! YAML as a tree that remembers where everything stands. It bounds size, depth, nodes and aliases,
//! since the text can be a stranger's; it knows nothing of keys.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Location, MergeKeyPolicy, NonFiniteFloatPolicy, Spanned};
use std::fmt;

/// The largest configuration that is read, in bytes.
pub const MAX_CONFIG_BYTES: usize = 256 << 10;

/// How deep collections may be nested; no key needs more than six levels.
const MAX_DEPTH: usize = 32;
/// How many scalars and collections a file may have.
const MAX_NODES: usize = 50_000;

/// Where something stands: 1-based line and column (characters), and how many characters it spans. All 0
/// for what did not come from a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) width: u32,
}

impl From<Location> for Place {
    fn from(at: Location) -> Self {
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Self { line: small(at.line()), column: small(at.column()), width: small(at.span().len()) }
    }
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) at: Place,
}

/// What YAML can say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Whole(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Name, Node)>),
}

/// A mapping's key and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) at: Place,
}

/// Why a text is no YAML that can be used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unreadable {
    pub(crate) at: Place,
    pub(crate) why: String,
}

/// Reads one YAML document. An empty one is `Null`.
pub(crate) fn parse(text: &str) -> Result<Node, Unreadable> {
    if text.len() > MAX_CONFIG_BYTES {
        let why = format!("the file has {} bytes, more than the {MAX_CONFIG_BYTES} that are read", text.len());
        return Err(Unreadable { at: Place::default(), why });
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
            max_aliases: 100,
            max_anchors: 100,
            max_documents: 1,
            max_total_scalar_bytes: 2 * MAX_CONFIG_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_NODES, max_replay_stack_depth: 4 },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        reject_unsupported_tags: true,
        emit_comments: false,
        with_snippet: false,
    };
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Ok(Node { value: Value::Null, at: Place { line: 1, column: 1, width: 0 } });
    }
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| Unreadable { at: error.location().map(Place::from).unwrap_or_default(), why: plain(&error) })
}

/// The library's words, without its own "line … column …" (the place says that already) and its advice to programmers.
fn plain(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error as E;
    match error.without_snippet() {
        E::AliasReplayLimitExceeded { .. }
        | E::AliasExpansionLimitExceeded { .. }
        | E::AliasReplayStackDepthExceeded { .. }
        | E::AliasError { .. } => "its aliases expand to too much".to_owned(),
        E::Budget { breach: BudgetBreach::Depth { .. }, .. } => format!("it is nested deeper than {MAX_DEPTH} levels"),
        E::Budget { breach: BudgetBreach::Documents { .. }, .. } | E::MultipleDocuments { .. } => "it has more than one document".to_owned(),
        E::Budget { .. } => "it has too many parts".to_owned(),
        E::DuplicateMappingKey { key: Some(key), .. } => format!("the key {} stands twice", super::problem::quoted(key)),
        other => {
            let text = other.to_string();
            let text = text.lines().next().unwrap_or("it is not valid YAML");
            let cut = [" at line ", " at :"].iter().filter_map(|mark| text.rfind(mark)).min().unwrap_or(text.len());
            text[..cut].chars().take(200).collect()
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Node { value: spanned.value, at: spanned.referenced.into() })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Whole(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Whole(v.into()))
    }

    fn visit_i128<E>(self, v: i128) -> Result<Value, E> {
        Ok(Value::Whole(v))
    }

    fn visit_u128<E>(self, v: u128) -> Result<Value, E> {
        Ok(Value::Whole(i128::try_from(v).unwrap_or(i128::MAX)))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(Value::Float(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::Text(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::Text(v))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            entries.push((Name { text: key.value, at: key.referenced.into() }, map.next_value()?));
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_places() {
        let node = parse("a: 1\nb:\n  - x\n  - {c: 2.5}\n").expect("valid");
        let Value::Map(top) = node.value else { panic!("a map") };
        let places: Vec<_> = top.iter().map(|(k, v)| (k.text.as_str(), k.at.line, k.at.column, v.at.line, v.at.column)).collect();
        assert_eq!(places, [("a", 1, 1, 1, 4), ("b", 2, 1, 3, 3)]);
        let Value::List(items) = &top[1].1.value else { panic!("a list") };
        assert_eq!((&items[0].value, items[0].at), (&Value::Text("x".into()), Place { line: 3, column: 5, width: 1 }));
    }

    #[test]
    fn says_where_the_text_breaks() {
        let shown =
            |text: &str| parse(text).map(|n| format!("{:?}", n.value)).unwrap_or_else(|e| format!("{}:{}: {}", e.at.line, e.at.column, e.why));
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e]\n";
        let table: Vec<String> = [
            "",
            "a: [1\nb: 2",
            "a: 1\na: 2",
            "a: \"x",
            "\ta: 1",
            "a: !boom 1",
            "<<: {a: 1}",
            "a: 1\n---\nb: 2",
            "a: .nan",
            bomb,
            "{{[",
            "a\u{0}b: 1",
            &format!("{}x", "- ".repeat(40)),
            &format!("{}{}", "[".repeat(40), "]".repeat(40)),
        ]
        .iter()
        .map(|t| shown(t))
        .collect();
        insta::assert_snapshot!(table.join("\n"), @r#"
        Null
        2:2: illegal placement of ':' indicator
        2:1: the key `a` stands twice
        1:4: unclosed quote
        Map([(Name { text: "a", at: Place { line: 1, column: 2, width: 1 } }, Node { value: Whole(1), at: Place { line: 1, column: 5, width: 1 } })])
        1:10: unsupported tag `!boom`
        Map([(Name { text: "<<", at: Place { line: 1, column: 1, width: 2 } }, Node { value: Map([(Name { text: "a", at: Place { line: 1, column: 6, width: 1 } }, Node { value: Whole(1), at: Place { line: 1, column: 9, width: 1 } })]), at: Place { line: 1, column: 5, width: 1 } })])
        2:1: it has more than one document
        Map([(Name { text: "a", at: Place { line: 1, column: 1, width: 1 } }, Node { value: Float(NaN), at: Place { line: 1, column: 4, width: 4 } })])
        5:23: its aliases expand to too much
        1:3: unclosed bracket '['
        1:2: unexpected character: `\u{0}'
        1:65: it is nested deeper than 32 levels
        1:33: it is nested deeper than 32 levels
        "#);
    }

    #[test]
    fn is_bounded() {
        for text in ["[".repeat(100_000), "- ".repeat(400) + "x", "x".repeat(10 << 20), "- x\n".repeat(60_000), "{a: ".repeat(400)] {
            let started = std::time::Instant::now();
            assert!(parse(&text).is_err(), "{:.20}", text);
            assert!(started.elapsed().as_secs() < 2);
        }
    }
}
