//! What goes wrong between HAProxy and the exporter.

mod cli;
mod cut;
mod cut_header;
mod field;
mod file;
mod hints;
mod http;
mod http_body;
mod joined;
mod lasting;
mod rows;
