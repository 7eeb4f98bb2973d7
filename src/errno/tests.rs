use std::error::Error;

/// The texts of an error's sources, the nearest first.
pub(crate) fn sources(error: &dyn Error) -> Vec<String> {
    let sources = std::iter::successors(error.source(), |&error| error.source());
    sources.map(ToString::to_string).collect()
}
