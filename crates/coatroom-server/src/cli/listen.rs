//! Where the shop may listen.

use std::net::{Ipv4Addr, SocketAddr};

/// Reads a loopback address with a port; `localhost` stands for 127.0.0.1.
///
/// Other addresses are refused and not merely warned about: over plain HTTP the cookie cannot be
/// `Secure`, so whoever shares the network could take a session over.
pub(super) fn parse(text: &str) -> Result<SocketAddr, String> {
    let address = match text.strip_prefix("localhost:").map(str::parse::<u16>) {
        Some(Ok(port)) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        _ => text.parse().map_err(|_| format!("an address is a host and a port, such as {FORMS}"))?,
    };
    if address.ip().is_loopback() { Ok(address) } else { Err(REFUSAL.to_owned()) }
}

const FORMS: &str = "127.0.0.1:8080, localhost:8080 or [::1]:8080";

const REFUSAL: &str = "the demo speaks plain HTTP, where a cookie cannot be Secure and anyone on the network could \
     read it, so it listens on loopback only: 127.0.0.1:8080, localhost:8080 or [::1]:8080";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_addresses_are_taken() {
        for (text, address) in
            [("127.0.0.1:0", "127.0.0.1:0"), ("localhost:81", "127.0.0.1:81"), ("[::1]:8080", "[::1]:8080")]
        {
            assert_eq!(parse(text).unwrap().to_string(), address);
        }
    }

    #[test]
    fn other_addresses_are_refused_with_the_reason() {
        for text in ["0.0.0.0:8080", "192.168.1.4:80", "[::]:8080"] {
            assert!(parse(text).unwrap_err().contains("loopback only"), "{text}");
        }
        for text in
            ["", "8080", "127.0.0.1", "localhost", "localhost:x", "shop.example:80", "127.0.0.1:65536"]
        {
            assert!(parse(text).unwrap_err().contains("a host and a port"), "{text}");
        }
    }
}
