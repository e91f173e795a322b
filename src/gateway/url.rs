//! The URL of a gateway: parsed once, refused with a reason. It never holds a user, a password or a query.

use crate::error::UserError;
use crate::http::is_loopback;
use reqwest::Url;

/// Parses the base URL of a gateway: https, or http to a loopback address; no user, password, query or fragment.
pub(crate) fn parse(text: &str) -> Result<Url, UserError> {
    let refuse = |cause: String, fix: &str| Err(UserError::usage("The gateway's URL is refused", cause, fix));
    let url = match Url::parse(text.trim()) {
        Ok(url) if url.has_host() => url,
        // The text is not repeated: what is no URL may be a key in the wrong variable.
        Ok(_) => return refuse("it has no host".into(), EXAMPLE),
        Err(error) => return refuse(format!("it is not a URL ({error})"), EXAMPLE),
    };
    let host = host(&url);
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(format!("the URL for {host} holds a user or a password"), "Give the key as the gateway's token.");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse(
            format!("the URL for {host} has a query or a fragment"),
            "Leave out what follows `?` or `#`: it is a base to which paths are appended. Keys go into the token or headers.",
        );
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(url.host_str().unwrap_or_default()) => Ok(url),
        "http" => refuse(format!("http to {host} would send code and key in the clear"), "Use https. Plain http is for loopback addresses only."),
        scheme => refuse(format!("`{scheme}` is not a scheme of gateways"), EXAMPLE),
    }
}

const EXAMPLE: &str = "Write it like https://gateway.example/v1 (TRIBUNE_GATEWAY_URL, or `url` of the endpoint).";

/// Host and port as people write them; the port only where it is not the scheme's own.
pub(crate) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Appends path segments to a base, with one slash between; what follows `?` is the query. Segments that lead
/// upwards and escapes do not count as such: a model's name can be one of the segments.
pub(crate) fn append(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let (path, query) = path.rsplit_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let path = path.replace('%', "%25").split('/').filter(|segment| !matches!(*segment, "" | "." | "..")).collect::<Vec<_>>().join("/");
    url.set_query(query);
    let joined = format!("{}/{path}", base.path().trim_end_matches('/'));
    url.set_path(&joined);
    url
}

/// Takes `suffix` off the path, where it ends so.
pub(crate) fn strip(url: &mut Url, suffix: &str) {
    let path = url.path().trim_end_matches('/');
    if let Some(rest) = path.strip_suffix(suffix) {
        let rest = rest.to_owned();
        url.set_path(&rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_are_refused() {
        let cause = |text| parse(text).expect_err(text).cause;
        insta::assert_snapshot!(cause(""), @"it is not a URL (relative URL without a base)");
        insta::assert_snapshot!(cause("gateway.example/v1"), @"it is not a URL (relative URL without a base)");
        insta::assert_snapshot!(cause("sk-secret:v1"), @"it has no host");
        insta::assert_snapshot!(cause("http://gateway.example/v1"), @"http to gateway.example would send code and key in the clear");
        insta::assert_snapshot!(cause("http://127.0.0.1.evil.example/"), @"http to 127.0.0.1.evil.example would send code and key in the clear");
        insta::assert_snapshot!(cause("http://localhost.evil.example/"), @"http to localhost.evil.example would send code and key in the clear");
        insta::assert_snapshot!(cause("http://10.0.0.1:4000/v1"), @"http to 10.0.0.1:4000 would send code and key in the clear");
        insta::assert_snapshot!(cause("https://me:sk-secret@gateway.example"), @"the URL for gateway.example holds a user or a password");
        insta::assert_snapshot!(cause("https://gateway.example/v1?key=sk-secret"), @"the URL for gateway.example has a query or a fragment");
        insta::assert_snapshot!(cause("ftp://gateway.example"), @"`ftp` is not a scheme of gateways");
    }

    #[test]
    fn urls_that_are_taken() {
        for (text, shown) in [
            ("https://gateway.example/v1", "gateway.example"),
            (" https://gateway.example:443/v1/ ", "gateway.example"),
            ("http://127.0.0.1:4000", "127.0.0.1:4000"),
            ("http://127.9.9.9/v1", "127.9.9.9"),
            ("http://[::1]:8080/v1", "[::1]:8080"),
            ("http://localhost:11434/v1", "localhost:11434"),
        ] {
            assert_eq!(parse(text).map(|url| host(&url)), Ok(shown.to_owned()), "{text}");
        }
    }
}
