//! OTLP messages as a tree, and the two ways in which they are written: protobuf and its JSON. It knows no meaning.

use serde_json::{Map, Value as Json, json};

/// A message: its fields in order.
pub(super) type Message = Vec<Field>;

/// One field by its number and its JSON name. A repeated one stands once for each of its values.
#[derive(Debug, Clone)]
pub(super) struct Field {
    number: u64,
    name: &'static str,
    repeated: bool,
    value: Value,
}

/// A field's value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    /// Ids: hex in JSON.
    Bytes(Vec<u8>),
    /// An enum or a boolean.
    Small(u32),
    Bool(bool),
    Int(u64),
    Fixed(u64),
    Double(f64),
    FixedList(Vec<u64>),
    DoubleList(Vec<f64>),
    Message(Message),
}

pub(super) fn one(number: u64, name: &'static str, value: Value) -> Field {
    Field { number, name, repeated: false, value }
}

/// A repeated field with these messages.
pub(super) fn many(number: u64, name: &'static str, all: impl IntoIterator<Item = Message>) -> impl Iterator<Item = Field> {
    all.into_iter().map(move |message| Field { number, name, repeated: true, value: Value::Message(message) })
}

/// An attribute's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Any {
    Text(String),
    Int(u64),
    Double(f64),
    Bool(bool),
}

impl From<&str> for Any {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Any {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<u64> for Any {
    fn from(n: u64) -> Self {
        Self::Int(n)
    }
}
impl From<f64> for Any {
    fn from(n: f64) -> Self {
        Self::Double(n)
    }
}
impl From<bool> for Any {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

/// Attributes in the order in which they were told.
pub(super) type Attributes = Vec<(String, Any)>;

/// Attributes as `KeyValue` messages.
pub(super) fn attributes(all: &Attributes) -> impl Iterator<Item = Message> + '_ {
    all.iter().map(|(key, value)| {
        let value = match value {
            Any::Text(text) => one(1, "stringValue", Value::Text(text.clone())),
            Any::Bool(yes) => one(2, "boolValue", Value::Bool(*yes)),
            Any::Int(n) => one(3, "intValue", Value::Int(*n)),
            Any::Double(n) => one(4, "doubleValue", Value::Double(*n)),
        };
        vec![one(1, "key", Value::Text(key.clone())), one(2, "value", Value::Message(vec![value]))]
    })
}

/// A message in protobuf's own format.
pub(super) fn protobuf(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    for field in message {
        let tag = |out: &mut Vec<u8>, kind: u64| varint(out, field.number << 3 | kind);
        let block = |out: &mut Vec<u8>, bytes: &[u8]| {
            tag(out, 2);
            varint(out, bytes.len() as u64);
            out.extend_from_slice(bytes);
        };
        match &field.value {
            Value::Text(text) => block(&mut out, text.as_bytes()),
            Value::Bytes(bytes) => block(&mut out, bytes),
            Value::Message(message) => block(&mut out, &protobuf(message)),
            Value::FixedList(all) => block(&mut out, &all.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>()),
            Value::DoubleList(all) => block(&mut out, &all.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>()),
            Value::Small(n) => {
                tag(&mut out, 0);
                varint(&mut out, u64::from(*n));
            }
            Value::Bool(yes) => {
                tag(&mut out, 0);
                varint(&mut out, u64::from(*yes));
            }
            Value::Int(n) => {
                tag(&mut out, 0);
                varint(&mut out, *n);
            }
            Value::Fixed(n) => {
                tag(&mut out, 1);
                out.extend(n.to_le_bytes());
            }
            Value::Double(n) => {
                tag(&mut out, 1);
                out.extend(n.to_le_bytes());
            }
        }
    }
    out
}

fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// A message in OTLP's JSON: ids in hex, 64-bit numbers as text, enums as numbers.
pub(super) fn to_json(message: &Message) -> Json {
    let mut fields = Map::new();
    for field in message {
        let value = match &field.value {
            Value::Text(text) => json!(text),
            Value::Bytes(bytes) => json!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
            Value::Small(n) => json!(n),
            Value::Bool(yes) => json!(yes),
            Value::Int(n) | Value::Fixed(n) => json!(n.to_string()),
            Value::Double(n) => json!(n),
            Value::FixedList(all) => all.iter().map(|n| json!(n.to_string())).collect(),
            Value::DoubleList(all) => json!(all),
            Value::Message(message) => to_json(message),
        };
        match fields.get_mut(field.name) {
            Some(Json::Array(list)) if field.repeated => list.push(value),
            _ if field.repeated => drop(fields.insert(field.name.to_owned(), Json::Array(vec![value]))),
            _ => drop(fields.insert(field.name.to_owned(), value)),
        }
    }
    Json::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_in_both_ways() {
        let inner = vec![vec![one(1, "text", Value::Text("é".to_owned()))], Vec::new()];
        let mut message = vec![
            one(1, "id", Value::Bytes(vec![0xab, 1])),
            one(2, "big", Value::Int(300)),
            one(3, "time", Value::Fixed(1)),
            one(4, "half", Value::Double(0.5)),
            one(6, "counts", Value::FixedList(vec![2])),
            one(16, "on", Value::Bool(true)),
        ];
        message.extend(many(5, "inner", inner));
        let hex: String = protobuf(&message).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            hex,
            "0a02ab01".to_owned()
                + "10ac02"
                + "190100000000000000"
                + "21000000000000e03f"
                + "32080200000000000000"
                + "800101"
                + "2a040a02c3a9"
                + "2a00"
        );
        assert_eq!(
            to_json(&message).to_string(),
            r#"{"big":"300","counts":["2"],"half":0.5,"id":"ab01","inner":[{"text":"é"},{}],"on":true,"time":"1"}"#
        );
    }
}
