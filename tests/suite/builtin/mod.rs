//! The names of HAProxy's built-in exporter: what the contract (`fixtures/builtin.tsv`) says of them,
//! read naively, against recordings of that exporter, against ours, and against both at work.
//!
//! Nothing here shares code with `src/`, nor with the reference of the other profile.

mod answers;
mod captures;
mod cells;
mod classes;
mod contract;
mod description;
mod expressions;
mod failing;
mod farm;
mod listed;
mod listeners;
mod live;
mod ours;
mod parameters;
mod proxies;
mod queries;
mod reference;
mod releases;
mod resolvers;
mod responder;
mod served;
mod shared;
mod text;
mod wish;
