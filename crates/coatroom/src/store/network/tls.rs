//! Which certificates a store trusts.

use std::io;
use std::path::Path;
#[cfg(feature = "redis")]
use std::sync::Arc;

#[cfg(feature = "redis")]
use rustls::ClientConfig;
use rustls::RootCertStore;
#[cfg(feature = "redis")]
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

#[cfg(feature = "redis")]
/// Trusts the authorities in the PEM file `path`, or those of this machine where there is none. Names
/// are verified in either case.
pub(in crate::store) fn trusting(path: Option<&Path>) -> io::Result<ClientConfig> {
    let roots = authorities(path)?;
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)
        .map(|config| config.with_root_certificates(roots).with_no_client_auth())
}

/// The authorities in the PEM file `path`, or those of this machine where there is none.
pub(in crate::store) fn authorities(path: Option<&Path>) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match path {
        Some(path) => {
            for certificate in CertificateDer::pem_file_iter(path).map_err(io::Error::other)? {
                roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no certificate of an authority was found"));
    }
    Ok(roots)
}
