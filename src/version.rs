//! Facts about this build: for `--version`, and for the metric about the build.

/// The revision that the build was given (`HAPROXY_EXPORTER_REVISION`, set by
/// tests/tools/build.sh).
pub(crate) const REVISION: &str = match option_env!("HAPROXY_EXPORTER_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};
/// The version of the compiler, set by the same script.
pub(crate) const RUST_VERSION: &str = match option_env!("HAPROXY_EXPORTER_RUSTC") {
    Some(version) => version,
    None => "unknown",
};
/// Whether the standard library was built for size (`small`) or came with the compiler (`plain`);
/// the same script decides.
const BUILD: &str = match option_env!("HAPROXY_EXPORTER_BUILD") {
    Some(build) => build,
    None => "plain",
};

/// The text of `--version`.
pub(crate) fn text() -> String {
    let (tls, features) = match cfg!(feature = "tls") {
        true => ("with", "tls"),
        false => ("without", "none"),
    };
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "haproxy_exporter, version {version} ({tls} TLS)\n\
         revision {REVISION}, target {}, features: {features}, build: {BUILD}\n",
        built_for()
    )
}

/// The processor, system and C library of this build, with the names of Rust's targets.
pub(crate) fn built_for() -> String {
    use std::env::consts::{ARCH, OS};
    let processor = match ARCH {
        "arm" if cfg!(target_feature = "v7") => "armv7",
        "arm" if cfg!(not(target_feature = "v6")) => "armv5te",
        "mips" if cfg!(target_endian = "little") => "mipsel",
        "x86" if cfg!(target_feature = "sse2") => "i686",
        "x86" => "i586",
        other => other,
    };
    let library = if cfg!(target_env = "musl") {
        "musl"
    } else {
        "gnu"
    };
    let hard_float = match (ARCH, cfg!(target_abi = "eabihf")) {
        ("arm", true) => "eabihf",
        ("arm", false) => "eabi",
        _ => "",
    };
    format!("{processor}-{OS}-{library}{hard_float}")
}
