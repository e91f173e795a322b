//! Why a connection cannot be made, in words that name the cure: TLS that does not agree, a proxy that refuses.

use rustls::{AlertDescription, CertificateError, Error as TlsError};
use std::error::Error;

/// What kept a connection from being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// Cause and cure in one line. Nothing in it is of a URL or a certificate.
    pub why: &'static str,
    /// Whether another attempt would end the same.
    pub lasting: bool,
}

/// What kept a connection from being made, where more is known than the system's words.
pub fn trouble(error: &reqwest::Error) -> Option<Trouble> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(tls) = tls_error(cause) {
            return of_tls(tls).map(|why| Trouble { why, lasting: true });
        }
        // The type of a tunnel's error is private, its words are not.
        if let Some(said) = cause.to_string().strip_prefix("tunnel error: ") {
            return of_proxy(said);
        }
        next = cause.source();
    }
    None
}

/// Why a request got no answer, in the words that say most.
pub fn explained(error: &reqwest::Error) -> String {
    trouble(error).map_or_else(|| super::reason(error), |trouble| trouble.why.to_owned())
}

fn of_proxy(said: &str) -> Option<Trouble> {
    let (why, lasting) = match said {
        "proxy authorization required" => ("the proxy wants a name and a password (HTTPS_PROXY=http://name:password@host)", true),
        "unsuccessful" => ("the proxy does not connect to it (HTTPS_PROXY; hosts that need no proxy stand in NO_PROXY)", false),
        "unexpected end of file" => ("the proxy broke the connection off (HTTPS_PROXY; hosts that need no proxy stand in NO_PROXY)", false),
        _ => return None,
    };
    Some(Trouble { why, lasting })
}

/// The TLS error that an error is, or wraps as errors of input and output do.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    if let Some(tls) = error.downcast_ref() {
        return Some(tls);
    }
    let inner: &(dyn Error + 'static) = error.downcast_ref::<std::io::Error>()?.get_ref()?;
    tls_error(inner)
}

fn of_tls(error: &TlsError) -> Option<&'static str> {
    Some(match error {
        TlsError::InvalidCertificate(certificate) => match certificate {
            CertificateError::UnknownIssuer => {
                "its certificate is of an authority that is not trusted here (the file that SSL_CERT_FILE names holds those that are)"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet: look at this machine's clock"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for other hosts: look at the URL's host"
            }
            CertificateError::Revoked => "its certificate has been revoked",
            _ => "its certificate cannot be checked",
        },
        TlsError::AlertReceived(AlertDescription::CertificateRequired) => "it wants a client certificate (`client_cert` of the endpoint)",
        TlsError::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError,
        ) => "it does not accept our client certificate (`client_cert` of the endpoint)",
        TlsError::PeerIncompatible(_) | TlsError::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure) => {
            "it and tribune have no version or cipher of TLS in common, or it wants a client certificate"
        }
        _ => return None,
    })
}
