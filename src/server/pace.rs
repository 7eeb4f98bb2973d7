//! How often clients with little time may let a slow target be scraped.

use std::time::{Duration, Instant};

/// Times that differ by one part in so many are alike.
const ALIKE: u32 = 4;

/// A target missed the deadline of clients with a short timeout. While it takes longer than that
/// timeout, clients with no longer one are served at the pace of those with a long one. A client
/// that is alone is excepted: it cannot cause more scrapes than it waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    longer_than: Duration,
    until: Instant,
}

impl Pace {
    /// Until when a scrape is held back that may take `time`. Who has more time than was too short is not, as
    /// that may be enough; those who announce the same differ a little, as each has waited for a while.
    pub(super) fn held_until(&self, time: Duration) -> Option<Instant> {
        let alike = self.longer_than + self.longer_than / ALIKE;
        (time <= alike).then_some(self.until)
    }

    /// The pace after a scrape that `began` then, `took` so long and may have taken `time`; `is_shared` if
    /// several clients wanted it. `patient` is what those have who are never held back.
    pub(super) fn after(
        before: Option<Self>,
        (began, took, time): (Instant, Duration, Duration),
        is_shared: bool,
        patient: Duration,
    ) -> Option<Self> {
        let was_short = took >= time && time < patient;
        let longer_than = match before {
            Some(pace) if was_short && is_shared => Some(time.max(pace.longer_than)),
            _ if was_short => is_shared.then_some(time),
            Some(pace) if took > pace.longer_than => Some(pace.longer_than),
            _ => None,
        };
        let until = began + patient;
        longer_than.map(|longer_than| Self { longer_than, until })
    }
}
