//! The JSON schema of `.tribune.yaml`, for editors: made of the table of keys, so it cannot drift from it.

use super::keys::{Key, Kind};
use super::table::KEYS;
use serde_json::{Map, Value as Json, json};

/// The JSON schema (2020-12) of what a repository can set.
pub fn schema() -> Json {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tribune",
        "description": "Settings of a repository for tribune, in `.tribune.yaml` at its root. Gateways, models, prices and limits belong to the operator's file.",
    });
    if let (Json::Object(schema), Json::Object(table)) = (&mut schema, table(KEYS)) {
        schema.extend(table);
    }
    schema
}

fn table(keys: &[Key]) -> Json {
    let mine: Vec<&Key> = keys.iter().filter(|key| key.usable() && !key.operator).collect();
    let properties: Map<String, Json> = mine.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    let required: Vec<&str> = mine.iter().filter(|key| key.required).map(|key| key.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn property(key: &Key) -> Json {
    let mut schema = kind(&key.kind);
    schema["description"] = Json::from(key.doc);
    if let Some(default) = key.default {
        schema["default"] = serde_json::from_str(default).expect("defaults are JSON; a test reads them all");
    }
    schema
}

fn kind(kind_of: &Kind) -> Json {
    match kind_of {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Whole { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Number { min, max } => json!({ "type": "number", "minimum": min, "maximum": max }),
        Kind::Text(_) => json!({ "type": "string", "minLength": 1 }),
        Kind::Command => json!({ "type": ["array", "string"], "items": { "type": "string" } }),
        Kind::OneOf(choices) => json!({ "enum": choices.iter().map(|c| c.name).collect::<Vec<_>>() }),
        // A heading without entries is `null` in YAML, and accepted.
        Kind::List { of, at_least: 0, .. } => json!({ "type": ["array", "null"], "items": kind(of) }),
        Kind::List { of, at_least, .. } => json!({ "type": "array", "items": kind(of), "minItems": at_least }),
        Kind::Map { of, .. } => json!({ "type": ["object", "null"], "additionalProperties": kind(of) }),
        Kind::Table(keys) => {
            let mut schema = table(keys);
            schema["type"] = json!(["object", "null"]);
            schema
        }
        Kind::Record(keys) => table(keys),
        Kind::Refused(_) => json!(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, validate};

    #[test]
    fn agrees_with_the_check() {
        let validator = jsonschema::validator_for(&schema()).expect("a valid schema");
        let good = [
            "{}",
            r#"{"fail_on":"never","private_paths":["a"],"overrides":[{"paths":["a"],"rules":{"off":["A1-B"]}}]}"#,
            r#"{"summary":"always","post":{"inline_max":0}}"#,
            r#"{"tiers":{"trivial_lines":0},"reviewers":{"docs":{"tiers":[]}},"rules":null}"#,
        ];
        let bad = [
            r#"{"tires":{}}"#,
            r#"{"limits":{}}"#,
            r#"{"min_confidence":2}"#,
            r#"{"overrides":[{"fail_on":"nit"}]}"#,
            r#"{"overrides":[{"paths":[]}]}"#,
            r#"{"overrides":[{"paths":["a"],"language":"German"}]}"#,
            r#"{"reviewers":{"docs":{"tiers":["big"]}}}"#,
            r#"{"private_paths":[""]}"#,
            r#"{"summary":"rarely"}"#,
            r#"{"post":{"approve":true}}"#,
        ];
        // JSON is YAML, so the same text goes to both.
        for text in good {
            assert!(validator.is_valid(&serde_json::from_str(text).expect("JSON")) && validate(text).is_empty(), "{text}");
        }
        for text in bad {
            assert!(!validator.is_valid(&serde_json::from_str(text).expect("JSON")) && !validate(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn accepts_its_own_defaults_and_tells_each() {
        let mut defaults: serde_json::Map<String, Json> = match crate::config::settings::document(&Layer::built_in().settings) {
            Json::Object(all) => all.into_iter().filter(|(name, _)| KEYS.iter().any(|k| k.name == name && !k.operator)).collect(),
            _ => Map::new(),
        };
        assert!(defaults.len() > 5);
        // Of this table a part is the operator's.
        let post = defaults.get_mut("post").and_then(Json::as_object_mut).expect("it has defaults");
        post.retain(|name, _| name == "inline_max");
        assert!(jsonschema::is_valid(&schema(), &Json::Object(defaults.clone())));
        assert_eq!(validate(&Json::Object(defaults).to_string()), []);
        let schema = schema();
        assert_eq!(schema["properties"]["tiers"]["properties"]["lite_lines"]["default"], 100);
        assert!(schema["properties"]["private_paths"]["description"].as_str().is_some_and(|d| d.contains("never reach a model")));
    }
}
