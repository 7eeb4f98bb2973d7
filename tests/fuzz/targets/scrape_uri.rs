#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::properties::scrape_uri(data));
