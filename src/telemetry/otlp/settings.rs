//! Where telemetry goes, by the standard variables of OpenTelemetry in the environment, and by nothing else.

use crate::http;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// No export takes longer, whatever `OTEL_EXPORTER_OTLP_TIMEOUT` allows: a run is not kept waiting.
const LONGEST: Duration = Duration::from_secs(3);

/// Reads a variable.
pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// One kind of telemetry's destination.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) json: bool,
    pub(super) timeout: Duration,
}

/// What the environment asks for.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) traces: Option<Target>,
    pub(super) metrics: Option<Target>,
    pub(super) resource: Vec<(String, String)>,
    pub(super) parent: Option<([u8; 16], [u8; 8])>,
    /// Totals since the start of the run (`false`) are what the standard has by default.
    pub(super) delta: bool,
    /// Titles and places of findings, and what tools were asked, are sent too.
    pub(super) content: bool,
    /// What cannot be done of it, one line each.
    pub(super) trouble: Vec<String>,
}

impl Settings {
    pub(super) fn read(env: Env<'_>) -> Self {
        let get = |name: &str| env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let yes = |name: &str| get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let mut settings = Self::default();
        if yes("OTEL_SDK_DISABLED") {
            return settings;
        }
        for (signal, path) in [("TRACES", "v1/traces"), ("METRICS", "v1/metrics")] {
            if get(&format!("OTEL_{signal}_EXPORTER")).is_some_and(|list| !list.split(',').any(|name| name.trim() == "otlp")) {
                continue;
            }
            match target(&get, signal, path) {
                Ok(target) if signal == "TRACES" => settings.traces = target,
                Ok(target) => settings.metrics = target,
                Err(why) => settings.trouble.push(format!("{} are not exported: {why}", signal.to_lowercase())),
            }
        }
        if let Some((trace, span, sampled)) = get("TRACEPARENT").as_deref().and_then(parent) {
            settings.parent = Some((trace, span));
            if !sampled {
                // Whoever began this trace decided that nobody keeps it.
                settings.traces = None;
            }
        }
        settings.delta = get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE").is_some_and(|value| !value.eq_ignore_ascii_case("cumulative"));
        settings.content = yes("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT");
        settings.resource = pairs(&get("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default());
        let name = get("OTEL_SERVICE_NAME").or_else(|| settings.resource.iter().find(|(key, _)| key == "service.name").map(|(_, name)| name.clone()));
        settings.resource.retain(|(key, _)| key != "service.name");
        settings.resource.push(("service.name".to_owned(), name.unwrap_or_else(|| "tribune".to_owned())));
        settings
    }
}

fn target(get: &dyn Fn(&str) -> Option<String>, signal: &str, path: &str) -> Result<Option<Target>, String> {
    let own = |name: &str| get(&format!("OTEL_EXPORTER_OTLP_{signal}_{name}")).or_else(|| get(&format!("OTEL_EXPORTER_OTLP_{name}")));
    let refused = |variable: String| move |why: http::Refused| format!("the URL in {variable} {why}");
    let own_variable = format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
    let url = match (get(&own_variable), get("OTEL_EXPORTER_OTLP_ENDPOINT")) {
        (Some(url), _) => http::parse(&url).map_err(refused(own_variable))?,
        (None, Some(base)) => {
            let mut url = http::parse(&base).map_err(refused("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned()))?;
            let joined = format!("{}/{path}", url.path().trim_end_matches('/'));
            url.set_path(&joined);
            url
        }
        (None, None) => return Ok(None),
    };
    let json = match own("PROTOCOL").as_deref() {
        None | Some("http/protobuf") => false,
        Some("http/json") => true,
        Some("grpc") => {
            return Err(
                "OTLP over gRPC is not supported; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf (most collectors take it on port 4318)".to_owned()
            );
        }
        Some(_) => return Err("OTEL_EXPORTER_OTLP_PROTOCOL has to be http/protobuf or http/json".to_owned()),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in pairs(&own("HEADERS").unwrap_or_default()) {
        let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(&value).ok());
        let (name, mut value) = header.ok_or("OTEL_EXPORTER_OTLP_HEADERS holds what is no header (`name=value,name=value`)")?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let asked = own("TIMEOUT").and_then(|ms| ms.parse().ok()).map_or(LONGEST, Duration::from_millis);
    Ok(Some(Target { url, headers, json, timeout: asked.min(LONGEST) }))
}

/// `key=value` pairs in the form of W3C baggage: percent-encoded, separated by commas.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| part.split_once('=').map(|(key, value)| (key.trim().to_owned(), decoded(value.trim())));
    text.split(',').filter_map(pair).filter(|(key, _)| !key.is_empty()).take(100).collect()
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = (byte == b'%').then(|| after.get(..2)).flatten().and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(code) => {
                out.push(code);
                rest = &after[2..];
            }
            None => {
                out.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `00-<trace>-<span>-<flags>`: the ids, and whether it is kept.
fn parent(text: &str) -> Option<([u8; 16], [u8; 8], bool)> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (trace, span): ([u8; 16], [u8; 8]) = (bytes(trace)?, bytes(span)?);
    let usable = version.len() == 2 && version != "ff" && trace != [0; 16] && span != [0; 8];
    let [flags]: [u8; 1] = bytes(flags)?;
    usable.then_some((trace, span, flags & 1 == 1))
}

fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let fits = hex.len() == 2 * N && hex.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variables: &[(&str, &str)]) -> String {
        let settings = Settings::read(&|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()));
        let one = |target: &Option<Target>| {
            target.as_ref().map_or("-".to_owned(), |t| {
                format!("{} {} {} headers {} ms", t.url, if t.json { "json" } else { "protobuf" }, t.headers.len(), t.timeout.as_millis())
            })
        };
        let resource: Vec<String> = settings.resource.iter().map(|(key, value)| format!("{key}={value}")).collect();
        format!("{} | {} | {} | {}", one(&settings.traces), one(&settings.metrics), resource.join(" "), settings.trouble.join("; "))
            .trim_end()
            .to_owned()
    }

    const BASE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/");

    #[test]
    fn the_standard_variables_say_where_it_goes() {
        let kept = ("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let table = [
            told(&[]),
            told(&[BASE]),
            told(&[BASE, ("OTEL_SDK_DISABLED", "true")]),
            told(&[BASE, ("OTEL_TRACES_EXPORTER", "none"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "500")]),
            told(&[BASE, ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://m.example/in?x=1"), ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json")]),
            told(&[BASE, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]),
            told(&[BASE, ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20t,x-a=b"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "60000")]),
            told(&[BASE, ("OTEL_EXPORTER_OTLP_HEADERS", "a b=c"), ("OTEL_METRICS_EXPORTER", "none")]),
            told(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"), ("OTEL_METRICS_EXPORTER", "none")]),
            told(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://u:hunter2@t.example/v1/traces")]),
            told(&[BASE, kept, ("OTEL_SERVICE_NAME", "review"), ("OTEL_RESOURCE_ATTRIBUTES", "service.name=x,team=a%2Cb,broken")]),
            told(&[BASE, ("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")]),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        - | - | service.name=tribune |
        http://127.0.0.1:4318/v1/traces protobuf 0 headers 3000 ms | http://127.0.0.1:4318/v1/metrics protobuf 0 headers 3000 ms | service.name=tribune |
        - | - |  |
        - | http://127.0.0.1:4318/v1/metrics protobuf 0 headers 500 ms | service.name=tribune |
        http://127.0.0.1:4318/v1/traces protobuf 0 headers 3000 ms | https://m.example/in?x=1 json 0 headers 3000 ms | service.name=tribune |
        - | - | service.name=tribune | traces are not exported: OTLP over gRPC is not supported; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf (most collectors take it on port 4318); metrics are not exported: OTLP over gRPC is not supported; set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf (most collectors take it on port 4318)
        http://127.0.0.1:4318/v1/traces protobuf 2 headers 3000 ms | http://127.0.0.1:4318/v1/metrics protobuf 2 headers 3000 ms | service.name=tribune |
        - | - | service.name=tribune | traces are not exported: OTEL_EXPORTER_OTLP_HEADERS holds what is no header (`name=value,name=value`)
        - | - | service.name=tribune | traces are not exported: the URL in OTEL_EXPORTER_OTLP_ENDPOINT for collector is plain http, which would send everything in the clear; that is for this machine only
        - | - | service.name=tribune | traces are not exported: the URL in OTEL_EXPORTER_OTLP_TRACES_ENDPOINT for t.example holds a user or a password
        http://127.0.0.1:4318/v1/traces protobuf 0 headers 3000 ms | http://127.0.0.1:4318/v1/metrics protobuf 0 headers 3000 ms | team=a,b service.name=review |
        - | http://127.0.0.1:4318/v1/metrics protobuf 0 headers 3000 ms | service.name=tribune |
        ");
        assert!(parent(kept.1).is_some_and(|(trace, span, sampled)| trace[0] == 0x0a && span[7] == 0x31 && sampled));
        for bad in [
            "",
            "00-0-0-0",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-ü",
        ] {
            assert!(parent(bad).is_none(), "{bad}");
        }
    }
}
