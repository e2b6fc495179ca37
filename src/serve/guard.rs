//! Which addresses may the service connect to because a stranger named them?
//!
//! Public unicast ones alone: never this machine, its networks, or what a cloud answers its own machines on. A name is resolved
//! here, every address is looked at, and the connection is made to an address that was looked at: a name that says another
//! thing the second time it is asked (DNS rebinding) gains nothing. Operators' own endpoints do not pass here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{ClientBuilder, Url};
use url::Host;

/// Longest address of a picture, in bytes.
const URL_BYTES_MAX: usize = 2_048;

/// IPv4 networks that are not the public internet (IANA's special-purpose registry, RFC 6890), and one public address that is
/// no public service. First address and length of the prefix.
const CLOSED_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // carriers' NAT; Alibaba's metadata is in it
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's wire server
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local; the metadata of AWS, Azure and Google
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments; Oracle's metadata
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast
];
/// The part of IPv6 that is given out for the public internet: all that lies outside is closed, among it loopback, link-local,
/// unique local, multicast, addresses that carry an IPv4 one (`::ffff:0:0/96`) and NAT64 (`64:ff9b::/96`, `64:ff9b:1::/48`).
const OPEN_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// What is closed within it.
const CLOSED_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments; Teredo carries an IPv4 address
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4 carries an IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Lets connections to public addresses pass, and to those an operator or a test permits besides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard {
    permitted: Arc<[IpAddr]>,
}

impl Guard {
    /// A guard that lets `permitted` pass too, whatever they are.
    pub(crate) fn permitting(permitted: Vec<IpAddr>) -> Self {
        Self {
            permitted: permitted.into(),
        }
    }

    /// Whether a connection to this address may be made.
    pub(crate) fn passes(&self, address: IpAddr) -> bool {
        self.permitted.contains(&address) || is_public(address)
    }

    /// Looks at everything of an address but what its name resolves to.
    ///
    /// # Errors
    /// A word on why it is not fetched.
    pub(crate) fn check(&self, url: &Url) -> Result<(), &'static str> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err("scheme");
        }
        if url.as_str().len() > URL_BYTES_MAX {
            return Err("too_long");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("credentials");
        }
        // Below 1024 other services listen, some of which can be spoken to in HTTP by accident.
        let is_permitted_port = |port| matches!(port, 80 | 443 | 1024..);
        if !url.port_or_known_default().is_some_and(is_permitted_port) {
            return Err("port");
        }
        let literal = match url.host() {
            None => return Err("host"),
            Some(Host::Domain(_)) => return Ok(()),
            Some(Host::Ipv4(v4)) => IpAddr::V4(v4),
            Some(Host::Ipv6(v6)) => IpAddr::V6(v6),
        };
        match self.passes(literal) {
            true => Ok(()),
            false => Err("address"),
        }
    }
}

/// Resolves to the addresses that pass; the connection is made to one of these and to no other.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let passing: Vec<SocketAddr> = found.filter(|found| guard.passes(found.ip())).collect();
            match passing.is_empty() {
                true => Err(Box::from("the name has no public address")),
                false => Ok(Box::new(passing.into_iter()) as Addrs),
            }
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let within = |(network, len): &(Ipv4Addr, u32)| {
                (v4.to_bits() ^ network.to_bits()) >> (32 - len) == 0
            };
            !CLOSED_V4.iter().any(within)
        }
        IpAddr::V6(v6) => {
            let within = |(network, len): &(Ipv6Addr, u32)| {
                (v6.to_bits() ^ network.to_bits()) >> (128 - len) == 0
            };
            within(&OPEN_V6) && !CLOSED_V6.iter().any(within)
        }
    }
}

/// What every connection out of the service has in common: no proxy out of the environment, no redirects unlooked at, no
/// waiting for ever.
pub(crate) fn client() -> ClientBuilder {
    // Fails where the process has chosen already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ClientBuilder::new()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(std::time::Duration::from_secs(5))
        .user_agent(concat!("mirrorwatch/", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::{any, proptest};
    use reqwest::Url;

    use super::{CLOSED_V4, Guard, is_public};

    #[track_caller]
    fn check(url: &str, expected: Result<(), &str>) {
        assert_eq!(
            Guard::default().check(&Url::parse(url).unwrap()),
            expected,
            "{url}"
        );
    }

    #[test]
    fn addresses_of_this_machine_and_its_networks_are_closed() {
        let closed = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.1.2.3",
            "168.63.129.16",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "4000::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ];
        for address in closed {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        let open = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "168.63.129.15",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.0.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
        ];
        for address in open {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn urls_are_held_to_what_a_picture_needs() {
        check("https://cdn.example.org/a.png", Ok(()));
        check("http://cdn.example.org:8080/a.png", Ok(()));
        check("https://8.8.8.8/a.png", Ok(()));
        check("file:///etc/passwd", Err("scheme"));
        check("gopher://example.org/", Err("scheme"));
        check("mxc://example.org/abc", Err("scheme"));
        check("data:image/png;base64,AAAA", Err("scheme"));
        check("https://a:b@example.org/", Err("credentials"));
        check("http://example.org:25/", Err("port"));
        check("http://example.org:22/", Err("port"));
        check(
            &format!("http://example.org/{}", "a".repeat(3000)),
            Err("too_long"),
        );
        // Every way to write one address.
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "0177.0.0.1",
            "2130706433",
            "127.0.0.1.",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "169.254.169.254",
            "0xa9fea9fe",
            "[64:ff9b::a9fe:a9fe]",
            "\u{ff11}27.0.0.1",
            "0",
        ] {
            check(&format!("http://{host}/"), Err("address"));
        }
    }

    #[test]
    fn a_permitted_address_passes() {
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let guard = Guard::permitting(vec![loopback]);
        assert!(guard.passes(loopback) && !guard.passes("127.0.0.2".parse().unwrap()));
    }

    proptest! {
        /// The table agrees with the standard library's own words on every address that has one.
        #[test]
        fn what_the_standard_library_calls_local_is_closed(bits in any::<u32>(), low in any::<u128>()) {
            let v4 = std::net::Ipv4Addr::from_bits(bits);
            let is_local = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
                || v4.is_broadcast() || v4.is_documentation() || v4.is_unspecified();
            assert!(!(is_local && is_public(IpAddr::V4(v4))));
            // However an IPv4 address is carried in an IPv6 one, it does not pass.
            let carried = |prefix: u128| IpAddr::V6(std::net::Ipv6Addr::from_bits(prefix << 96 | u128::from(bits)));
            assert!(!is_public(carried(0)));
            assert!(!is_public(IpAddr::V6(v4.to_ipv6_mapped())));
            assert!(!is_public(carried(0x0064_ff9b)));
            let sixth = 0x2002_u128 << 112 | u128::from(bits) << 80 | (low >> 48);
            assert!(!is_public(IpAddr::V6(std::net::Ipv6Addr::from_bits(sixth))));
            for (network, len) in CLOSED_V4 {
                let inside = network.to_bits() | if len == 32 { 0 } else { bits >> len };
                assert!(!is_public(IpAddr::V4(inside.into())));
            }
            let v6 = std::net::Ipv6Addr::from_bits(low);
            let is_local = v6.is_loopback() || v6.is_multicast() || v6.is_unique_local() || v6.is_unicast_link_local();
            assert!(!(is_local && is_public(IpAddr::V6(v6))));
        }
    }
}
