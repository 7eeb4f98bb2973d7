//! The proxy in the environment, interpreted like Go's net/http (httpproxy.FromEnvironment).

use std::net::IpAddr;

use super::address::{AddressError, HostPort, HttpUri};

/// The environment's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `http_proxy` or `HTTP_PROXY`.
    pub http: String,
    /// `https_proxy` or `HTTPS_PROXY`.
    pub https: String,
    /// `no_proxy` or `NO_PROXY`.
    pub exceptions: String,
}

/// A proxy to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Where it listens.
    pub address: HostPort,
    /// Its `user:password`, percent-decoded.
    pub credentials: Option<Vec<u8>>,
}

impl Environment {
    /// Reads the settings with `variable`. Upper case has priority, as in Go.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |upper: &str, lower: &str| {
            variable(upper)
                .filter(|value| !value.is_empty())
                .or_else(|| variable(lower))
                .unwrap_or_default()
        };
        let http = either("HTTP_PROXY", "http_proxy");
        // In a CGI program HTTP_PROXY contains a client's `Proxy` header (CVE-2016-5386).
        let is_cgi = variable("REQUEST_METHOD").is_some_and(|value| !value.is_empty());
        Self {
            http: if is_cgi {
                variable("http_proxy").unwrap_or_default()
            } else {
                http
            },
            https: either("HTTPS_PROXY", "https_proxy"),
            exceptions: either("NO_PROXY", "no_proxy"),
        }
    }

    /// The proxy for `uri`, if one is set and `no_proxy` does not exclude the host. Loopback
    /// addresses and localhost never use a proxy.
    ///
    /// # Errors
    /// If the proxy's URI is invalid; names the variable.
    pub fn proxy_for(&self, uri: &HttpUri) -> Result<Option<Proxy>, AddressError> {
        let (variable, text) = if uri.tls {
            ("https_proxy", &self.https)
        } else {
            ("http_proxy", &self.http)
        };
        if text.is_empty() || self.excepts(&uri.address) {
            return Ok(None);
        }
        let rest = match text.split_once("://") {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => &text[scheme.len() + 1..],
            // Anything else could be part of a password.
            Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                return Err(format!(
                    "{variable}: a proxy of scheme {scheme:?} is not supported (use http://)"
                )
                .into());
            }
            Some(_) => return Err(format!("{variable}: not a URI (http://host:port)").into()),
            // Go interprets `host:port` as `http://host:port`.
            None => &format!("//{text}"),
        };
        let proxy = HttpUri::parse(rest, false).map_err(|error| format!("{variable}: {error}"))?;
        Ok(Some(Proxy {
            address: proxy.address,
            credentials: proxy.credentials,
        }))
    }

    fn excepts(&self, address: &HostPort) -> bool {
        let host = address.host.trim_end_matches('.').to_ascii_lowercase();
        // As in Go, `::ffff:10.0.0.1` is 10.0.0.1.
        let ip = host.parse().ok().map(|ip: IpAddr| ip.to_canonical());
        if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
            return true;
        }
        self.exceptions
            .split(',')
            .map(|rule| rule.trim().to_ascii_lowercase())
            .filter(|rule| !rule.is_empty())
            .any(|rule| matches(&rule, &host, ip, address.port))
    }
}

/// Whether a rule of `no_proxy` matches. A rule is `*`, an IP address, a network, `host`, `.suffix`
/// or `*.suffix`, with or without a port. A bare host also matches its subdomains.
fn matches(rule: &str, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
    if rule == "*" {
        return true;
    }
    if let Some((network, bits)) = rule.split_once('/') {
        let parsed = network.parse::<IpAddr>().ok().zip(bits.parse::<u32>().ok());
        return ip
            .zip(parsed)
            .is_some_and(|(ip, (network, bits))| in_network(ip, network, bits));
    }
    let (name, rule_port) = split_port(rule);
    if rule_port.is_some_and(|rule_port| rule_port != port) {
        return false;
    }
    if let Ok(rule_ip) = name.parse::<IpAddr>() {
        return ip == Some(rule_ip.to_canonical());
    }
    let name = name.trim_end_matches('.');
    let name = name
        .strip_prefix("*")
        .filter(|rest| rest.starts_with('.'))
        .unwrap_or(name);
    match name.strip_prefix('.') {
        Some(suffix) => !suffix.is_empty() && host.ends_with(name),
        None => {
            host == name
                || host
                    .strip_suffix(name)
                    .is_some_and(|rest| rest.ends_with('.'))
        }
    }
}

/// Splits off a port; an IPv6 address without brackets has none.
fn split_port(rule: &str) -> (&str, Option<u16>) {
    if let Some((host, after)) = rule.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (
            host,
            after.strip_prefix(':').and_then(|port| port.parse().ok()),
        );
    }
    match rule.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (rule, None),
        },
        _ => (rule, None),
    }
}

fn in_network(ip: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) if bits <= 32 => {
            let differ = ip.to_bits() ^ network.to_bits();
            differ.checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) if bits <= 128 => {
            let differ = ip.to_bits() ^ network.to_bits();
            differ.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
