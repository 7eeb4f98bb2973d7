//! Durations in Go's notation: `5s`, `1m30s`, `500ms`, `1.5h`, `0`.

use std::time::Duration;

/// Examples of valid texts, for errors.
const EXAMPLES: &str = "(use for example 5s, 500ms, 1m30s)";

/// Parses a Go duration (Go's `time.ParseDuration`): one or more numbers, each with an optional
/// fraction and a unit of `ns`, `us`, `µs`, `ms`, `s`, `m` or `h`. Negative durations and those
/// beyond 292 years (Go's limit) are errors.
///
/// # Errors
/// The part that is invalid.
pub fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.starts_with('-') {
        return Err(format!("duration {text:?} is negative"));
    }
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(format!("{text:?} is not a duration {EXAMPLES}"));
    }
    let mut total_nanos: u128 = 0;
    while !rest.is_empty() {
        let number_end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_end);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let scale = unit_nanos(unit).ok_or_else(|| match unit {
            "" => format!("duration {text:?} has no unit {EXAMPLES}"),
            _ => format!(
                "duration {text:?} has an unknown unit {unit:?} (use ns, us, ms, s, m or h)"
            ),
        })?;
        let nanos = scaled(number, scale)
            .ok_or_else(|| format!("{text:?} is not a duration: bad number {number:?}"))?;
        total_nanos += nanos;
        if total_nanos > i64::MAX as u128 {
            return Err(format!("duration {text:?} is beyond 292 years"));
        }
        rest = after;
    }
    Ok(Duration::from_nanos(total_nanos as u64))
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// `number` (digits with at most one point) times `scale`, truncated to whole nanoseconds.
fn scaled(number: &str, scale: u64) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    // The fraction in parts of a nanosecond; they are truncated once, at the end.
    const PARTS: u128 = 1_000_000_000;
    let mut unit = u128::from(scale) * PARTS;
    let mut parts = 0;
    for digit in fraction.bytes().take(18) {
        unit /= 10;
        parts += u128::from(digit - b'0') * unit;
    }
    Some(u128::from(whole) * u128::from(scale) + parts / PARTS)
}

#[cfg(test)]
mod tests;
