//! The budgets of issue 4, held against what was measured.

use std::time::Duration;

use crate::whole::Measured;

/// One budget: what, for how many servers, and a bound in which direction.
struct Budget {
    servers: usize,
    what: &'static str,
    bound: Bound,
    value: fn(&Measured) -> Option<f64>,
}

/// A bound on a value.
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

const MEGABYTE: f64 = 1e6;

const BUDGETS: [Budget; 11] = [
    Budget {
        servers: 10,
        what: "peak RSS, MB",
        bound: Bound::AtMost(2.5),
        value: peak,
    },
    Budget {
        servers: 10_000,
        what: "wall time over the floor",
        bound: Bound::AtMost(1.25),
        value: over_floor,
    },
    Budget {
        servers: 10_000,
        what: "times faster than the Go exporter",
        bound: Bound::AtLeast(10.0),
        value: faster_than_go,
    },
    Budget {
        servers: 10_000,
        what: "times less CPU than the Go exporter",
        bound: Bound::AtLeast(30.0),
        value: cpu_of_go,
    },
    Budget {
        servers: 10_000,
        what: "times faster than HAProxy's built-in",
        bound: Bound::AtLeast(1.0),
        value: faster_than_built_in,
    },
    Budget {
        servers: 10_000,
        what: "peak RSS, MB",
        bound: Bound::AtMost(12.0),
        value: peak,
    },
    Budget {
        servers: 100_000,
        what: "wall time over the floor",
        bound: Bound::AtMost(1.35),
        value: over_floor,
    },
    Budget {
        servers: 100_000,
        what: "times faster than the Go exporter",
        bound: Bound::AtLeast(15.0),
        value: faster_than_go,
    },
    Budget {
        servers: 100_000,
        what: "times less CPU than the Go exporter",
        bound: Bound::AtLeast(30.0),
        value: cpu_of_go,
    },
    Budget {
        servers: 100_000,
        what: "times faster than HAProxy's built-in",
        bound: Bound::AtLeast(1.0),
        value: faster_than_built_in,
    },
    Budget {
        servers: 100_000,
        what: "peak RSS, MB",
        bound: Bound::AtMost(80.0),
        value: peak,
    },
];

/// A line for each budget of this number of servers.
pub(crate) fn lines(measured: &Measured) -> Vec<String> {
    let budgets = BUDGETS
        .iter()
        .filter(|budget| budget.servers == measured.servers);
    budgets
        .map(|budget| {
            let Some(value) = (budget.value)(measured) else {
                return format!("budget  {}: not measured", budget.what);
            };
            let (holds, words) = match budget.bound {
                Bound::AtMost(bound) => (value <= bound, format!("at most {bound}")),
                Bound::AtLeast(bound) => (value >= bound, format!("at least {bound}")),
            };
            let verdict = if holds { "holds" } else { "MISSED" };
            format!("budget  {}: {value:.2} ({words}): {verdict}", budget.what)
        })
        .collect()
}

/// How often `by` goes into `time`.
pub(crate) fn ratio(time: Duration, by: Duration) -> f64 {
    time.as_secs_f64() / by.as_secs_f64().max(1e-9)
}

fn peak(measured: &Measured) -> Option<f64> {
    measured.exporters[0]
        .peak_bytes
        .map(|bytes| bytes as f64 / MEGABYTE)
}

fn over_floor(measured: &Measured) -> Option<f64> {
    let floor = measured.show_stat + measured.loopback;
    Some(ratio(measured.exporters[0].wall, floor))
}

fn against(
    measured: &Measured,
    name: &str,
    time: fn(&crate::whole::Figures) -> Duration,
) -> Option<f64> {
    let peer = measured.exporters.iter().find(|peer| peer.name == name)?;
    Some(ratio(time(peer), time(&measured.exporters[0])))
}

fn faster_than_go(measured: &Measured) -> Option<f64> {
    against(measured, "Go exporter", |figures| figures.wall)
}

fn cpu_of_go(measured: &Measured) -> Option<f64> {
    against(measured, "Go exporter", |figures| figures.cpu)
}

fn faster_than_built_in(measured: &Measured) -> Option<f64> {
    against(measured, "HAProxy's built-in", |figures| figures.wall)
}
