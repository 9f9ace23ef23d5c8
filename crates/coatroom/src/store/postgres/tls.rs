//! Encryption of the connections, by libpq's `sslmode`.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::url::SslMode;
use crate::store::network::authorities;

/// How connections are encrypted.
#[derive(Clone)]
pub(super) enum Encryption {
    None,
    Tls(MakeRustlsConnect),
}

impl std::fmt::Debug for Encryption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Tls(_) => "Tls",
        })
    }
}

impl Encryption {
    /// What `mode` asks for, with the authorities of this PEM file or else of this machine.
    pub(super) fn new(mode: SslMode, root_certificates: Option<&Path>) -> io::Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let chain = match (mode, root_certificates) {
            (SslMode::Disable, _) => return Ok(Self::None),
            // As libpq: without authorities to ask, nothing is asked.
            (SslMode::Prefer | SslMode::Require, None) => None,
            (_, path) => Some(
                WebPkiServerVerifier::builder_with_provider(authorities(path)?.into(), provider.clone())
                    .build()
                    .map_err(io::Error::other)?,
            ),
        };
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(match (mode, chain) {
                (SslMode::VerifyFull, Some(chain)) => chain,
                (_, chain) => Arc::new(NameBlind { chain, provider }),
            });
        let mut config = config.with_no_client_auth();
        // Servers from version 17 on want it where TLS comes first, and others do not mind.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Self::Tls(MakeRustlsConnect::new(config)))
    }
}

/// Looks at the chain of authorities alone, or at nothing: a certificate of any name will do.
#[derive(Debug)]
struct NameBlind {
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for NameBlind {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // Names are compared after the chain was found to be good.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
