//! TLS in front of a faked gateway, and a proxy in front of that.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring};

/// An authority of the test's own.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
pub(crate) struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority"))
    }

    /// Its own certificate, as `SSL_CERT_FILE` holds it.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for this host or address, valid in these years.
    pub(crate) fn issue(&self, name: &str, years: std::ops::Range<i32>) -> Identity {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        let key = KeyPair::generate().expect("a key");
        Identity { certificate: params.signed_by(&key, &self.0).expect("a certificate"), key }
    }
}

impl Identity {
    /// Certificate and key in one, as `client_cert` takes it.
    pub(crate) fn pem(&self) -> String {
        self.certificate.pem() + &self.key.serialize_pem()
    }

    /// The settings of a server with this certificate; `clients`: whose certificates it demands.
    pub(crate) fn server(&self, clients: Option<&Authority>) -> ServerConfig {
        let builder =
            ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions().expect("versions");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.0.der().clone()).expect("an authority");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()));
                builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
        };
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).expect("a key");
        builder.with_single_cert(vec![self.certificate.der().clone()], key).expect("certificate and key fit")
    }
}

/// Speaks TLS at a port of its own and passes on to `to` what it reads.
pub(crate) fn tls_before(to: SocketAddr, config: ServerConfig) -> SocketAddr {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    listen(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut client) = acceptor.accept(stream).await else { return };
            let mut server = TcpStream::connect(to).await.expect("the gateway listens");
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    })
}

/// A proxy: whatever host it is asked for, it connects to `to`, or answers with `refusal`.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    /// All that clients sent it, request heads and what went through.
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    pub(crate) fn new(to: SocketAddr, refusal: Option<&'static str>) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = seen.clone();
        let address = listen(move |client| pass(client, to, refusal, kept.clone()));
        Self { address, seen }
    }

    /// All that it saw, as text.
    pub(crate) fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().expect("no panic under it")).into_owned()
    }
}

async fn pass(mut client: TcpStream, to: SocketAddr, refusal: Option<&'static str>, seen: Arc<Mutex<Vec<u8>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    seen.lock().expect("no panic under it").extend(&head);
    if let Some(refusal) = refusal {
        let _ = client.write_all(refusal.as_bytes()).await;
        return;
    }
    let _ = client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
    let server = TcpStream::connect(to).await.expect("the server listens");
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.into_split(), server.into_split());
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = from_client.read(&mut buffer).await {
        seen.lock().expect("no panic under it").extend(&buffer[..n]);
        if to_server.write_all(&buffer[..n]).await.is_err() {
            break;
        }
    }
    drop(to_server);
    let _ = back.await;
}

/// Serves each connection to a port of this machine; ends with the test's process.
fn listen<F: Future<Output = ()> + Send + 'static>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a non-blocking socket");
    let address = listener.local_addr().expect("a bound socket");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).expect("a socket of this runtime");
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
    });
    address
}
