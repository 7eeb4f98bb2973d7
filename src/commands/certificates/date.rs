//! Dates of certificates.

use crate::net::unsigned;
use crate::sys::calendar;

/// `Dec 25 03:53:13 2026 GMT` as OpenSSL prints it, in seconds since 1970-01-01 UTC.
pub(super) fn seconds(text: &[u8]) -> Option<i64> {
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut parts = [&[][..]; 7];
    let mut words = text.split(|byte| b" :".contains(byte));
    let mut words = words.by_ref().filter(|word| !word.is_empty());
    for part in &mut parts {
        *part = words.next()?;
    }
    let [month, day, hour, minute, second, year, zone] = parts;
    let month = MONTHS.chunks(3).position(|name| name == month)? as i64;
    let number = |digits, most| Some(unsigned(digits)?).filter(|number| *number <= most);
    let (day, year) = (number(day, 31)? as i64, number(year, 9999)? as i64);
    let time = number(hour, 23)? * 3600 + number(minute, 59)? * 60 + number(second, 60)?;
    let is_end = zone == b"GMT" && words.next().is_none();
    let days = calendar::days(year, month + 1, day);
    // There is no 30 February.
    let next = month + 1;
    let has_day = day > 0 && days < calendar::days(year + next / 12, next % 12 + 1, 1);
    (is_end && has_day).then_some(days * 86_400 + time as i64)
}
