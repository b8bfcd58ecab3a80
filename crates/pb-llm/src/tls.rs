//! TLS: which cryptography is used.

/// Makes ring the cryptography of this process. Any number of calls is as good as one; a provider
/// that somebody else installed before stays.
pub fn init_tls() {
    // The only error is that one is installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
