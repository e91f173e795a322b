//! Bodies within a bound: a server can send more than anybody asked for, and compressed it is small on the wire.

use super::client::reason;
use reqwest::Response;
use std::time::Duration;

/// Why a body was not read to its end. `Display` is one line, to go after "the answer".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than the bound, in bytes after decompression.
    #[error("has more than the {0} bytes that are read")]
    TooLong(usize),
    /// The connection broke.
    #[error("broke off: {0}")]
    Broken(String),
}

/// A whole body of at most `max` bytes, counted after decompression. Sets no time-out.
pub async fn read(response: Response, max: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    match fill(&mut body, response, max).await {
        Rest::None => Ok(body),
        Rest::More => Err(BodyError::TooLong(max)),
        Rest::Broken(why) => Err(BodyError::Broken(why)),
    }
}

/// What comes of a body within `max` bytes and this time: for words of an error, of which the beginning is enough.
pub async fn read_start(response: Response, max: usize, time: Duration) -> Vec<u8> {
    let mut body = Vec::new();
    let _ = tokio::time::timeout(time, fill(&mut body, response, max)).await;
    body
}

enum Rest {
    None,
    More,
    Broken(String),
}

async fn fill(body: &mut Vec<u8>, mut response: Response, max: usize) -> Rest {
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if chunk.len() > max - body.len() => {
                body.extend_from_slice(&chunk[..max - body.len()]);
                return Rest::More;
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Rest::None,
            Err(error) => return Rest::Broken(reason(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// What a server on this machine answers to one request, read with this bound.
    async fn answered(answer: &'static [u8], max: usize) -> (Result<Vec<u8>, BodyError>, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = http::parse(&format!("http://{}/", listener.local_addr().expect("bound"))).expect("a URL");
        let serve = async {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut request = [0; 1024];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(answer).await;
        };
        let ask = async {
            let response = http::client(&url).expect("a client").get(url).send().await.expect("an answer");
            let status = response.status().as_u16();
            (read(response, max).await, status)
        };
        tokio::join!(serve, ask).1
    }

    #[tokio::test]
    async fn bodies_are_read_within_their_bound_and_redirects_are_not_followed() {
        let five = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabcde";
        assert_eq!(answered(five, 5).await, (Ok(b"abcde".to_vec()), 200));
        assert_eq!(answered(five, 4).await, (Err(BodyError::TooLong(4)), 200));
        assert_eq!(answered(five, 0).await, (Err(BodyError::TooLong(0)), 200));
        let cut = answered(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabcde", 100).await;
        assert!(matches!(cut.0, Err(BodyError::Broken(_))), "{cut:?}");
        let moved = answered(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 10).await;
        assert_eq!(moved, (Ok(Vec::new()), 302));
    }
}
