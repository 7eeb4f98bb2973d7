//! Which content coding a client accepts and prefers (RFC 9110, 12.5.3).

/// How the metrics are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As they are, whatever the client accepts: `--no-web.compression`.
    Fixed,
    /// As they are, to this client.
    Identity,
    /// Compressed.
    Gzip,
}

/// A weight in thousandths.
type Weight = u16;
/// The weight of what has none.
const MOST: Weight = 1_000;

/// What the `Accept-Encoding` fields of a request say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Accepted {
    gzip: Option<Weight>,
    identity: Option<Weight>,
    /// All that is not named.
    any: Option<Weight>,
}

impl Accepted {
    /// Adds the value of a field: a list of codings, each with its weight. What is not understood counts as
    /// not said; of several weights for the same the lowest counts.
    pub(super) fn add(&mut self, value: &[u8]) {
        for element in value.split(|b| *b == b',') {
            let mut parts = element.splitn(2, |b| *b == b';');
            let coding = parts.next().unwrap_or_default();
            let weight = match parts.next() {
                None => Some(MOST),
                Some(parameter) => weight(parameter.trim_ascii()),
            };
            let kept = match coding.trim_ascii() {
                // RFC 9110, 8.4.1.3: both are the same.
                name if name.eq_ignore_ascii_case(b"gzip") => &mut self.gzip,
                name if name.eq_ignore_ascii_case(b"x-gzip") => &mut self.gzip,
                name if name.eq_ignore_ascii_case(b"identity") => &mut self.identity,
                b"*" => &mut self.any,
                _ => continue,
            };
            if let Some(weight) = weight {
                *kept = Some(kept.unwrap_or(MOST).min(weight));
            }
        }
    }

    /// Whether gzip is accepted, and not less liked than no coding.
    pub(super) fn prefers_gzip(&self) -> bool {
        let gzip = self.gzip.or(self.any).unwrap_or(0);
        // No coding is always accepted unless it is excluded; what is named is preferred to it.
        let identity = self.identity.or(self.any).unwrap_or(0);
        gzip > 0 && gzip >= identity
    }
}

/// `q=0.8`: at most three digits behind the point, and not above 1.
fn weight(parameter: &[u8]) -> Option<Weight> {
    let [b'q' | b'Q', b'=', number @ ..] = parameter else {
        return None;
    };
    let (whole, digits) = match number {
        [whole] | [whole, b'.'] => (whole, &[][..]),
        [whole, b'.', digits @ ..] => (whole, digits),
        _ => return None,
    };
    if digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let padded = digits.iter().chain(b"000").take(3);
    let thousandths = padded.fold(0, |sum, digit| 10 * sum + Weight::from(digit - b'0'));
    match (whole, thousandths) {
        (b'0', _) => Some(thousandths),
        (b'1', 0) => Some(MOST),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
