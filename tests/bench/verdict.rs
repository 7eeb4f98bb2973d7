//! The budgets, held against what was measured.

use std::time::Duration;

use crate::peers;
use crate::whole::{Figures, Measured};

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

const BUDGETS: [Budget; 17] = [
    Budget {
        servers: 10,
        what: "peak RSS, MB",
        bound: Bound::AtMost(1.5),
        value: peak,
    },
    Budget {
        servers: 10,
        what: "wall time against the built-in",
        bound: Bound::AtMost(1.0),
        value: wall_of_built_in,
    },
    Budget {
        servers: 1_000,
        what: "wall time against HAProxy's own exporter",
        bound: Bound::AtMost(0.75),
        value: wall_of_built_in,
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
        bound: Bound::AtLeast(50.0),
        value: cpu_of_go,
    },
    Budget {
        servers: 10_000,
        what: "peak RSS, MB",
        bound: Bound::AtMost(5.0),
        value: peak,
    },
    Budget {
        servers: 10_000,
        what: "builtin names: peak RSS, MB",
        bound: Bound::AtMost(10.0),
        value: builtin_peak,
    },
    Budget {
        servers: 10_000,
        what: "builtin names: HAProxy's CPU against its own exporter",
        bound: Bound::AtMost(0.48),
        value: haproxy_cpu_of_built_in,
    },
    Budget {
        servers: 10_000,
        what: "wall time against HAProxy's own exporter",
        bound: Bound::AtMost(0.75),
        value: wall_of_built_in,
    },
    Budget {
        servers: 10_000,
        what: "builtin names: wall time against HAProxy's own exporter",
        bound: Bound::AtMost(0.75),
        value: builtin_wall_of_built_in,
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
        bound: Bound::AtLeast(50.0),
        value: cpu_of_go,
    },
    Budget {
        servers: 100_000,
        what: "peak RSS, MB",
        bound: Bound::AtMost(25.0),
        value: peak,
    },
    Budget {
        servers: 100_000,
        what: "builtin names: peak RSS, MB",
        bound: Bound::AtMost(60.0),
        value: builtin_peak,
    },
    Budget {
        servers: 100_000,
        what: "builtin names: HAProxy's CPU against its own exporter",
        bound: Bound::AtMost(0.48),
        value: haproxy_cpu_of_built_in,
    },
    Budget {
        servers: 100_000,
        what: "wall time against HAProxy's own exporter",
        bound: Bound::AtMost(0.75),
        value: wall_of_built_in,
    },
    Budget {
        servers: 100_000,
        what: "builtin names: wall time against HAProxy's own exporter",
        bound: Bound::AtMost(0.75),
        value: builtin_wall_of_built_in,
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

/// Ours under the exporter's names, and under those of HAProxy's own exporter.
const EXPORTER: usize = 0;
const BUILTIN: usize = 1;

fn megabytes(measured: &Measured, ours: usize) -> Option<f64> {
    let bytes = measured.exporters[ours].peak_bytes?;
    Some(bytes as f64 / MEGABYTE)
}

fn peak(measured: &Measured) -> Option<f64> {
    megabytes(measured, EXPORTER)
}

fn builtin_peak(measured: &Measured) -> Option<f64> {
    megabytes(measured, BUILTIN)
}

/// A peer's time over that of ours.
fn against(
    measured: &Measured,
    (name, ours): (&str, usize),
    time: fn(&Figures) -> Duration,
) -> Option<f64> {
    let peer = measured.exporters.iter().find(|peer| peer.name == name)?;
    Some(ratio(time(peer), time(&measured.exporters[ours])))
}

fn faster_than_go(measured: &Measured) -> Option<f64> {
    against(measured, ("Go exporter", EXPORTER), |figures| figures.wall)
}

fn cpu_of_go(measured: &Measured) -> Option<f64> {
    against(measured, ("Go exporter", EXPORTER), |figures| figures.cpu)
}

fn wall_of_built_in(measured: &Measured) -> Option<f64> {
    against(measured, (peers::BUILT_IN, EXPORTER), |figures| {
        figures.wall
    })
    .map(f64::recip)
}

fn builtin_wall_of_built_in(measured: &Measured) -> Option<f64> {
    against(measured, (peers::BUILT_IN, BUILTIN), |figures| figures.wall).map(f64::recip)
}

fn haproxy_cpu_of_built_in(measured: &Measured) -> Option<f64> {
    against(measured, (peers::BUILT_IN, BUILTIN), |figures| {
        figures.haproxy_cpu
    })
    .map(f64::recip)
}
