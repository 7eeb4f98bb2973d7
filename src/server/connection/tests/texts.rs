//! Texts that are longer than what the kernel takes at once.

use super::*;
use crate::server::targets::Targets;

/// A page of many targets is longer than what the kernel takes at once.
#[test]
fn a_long_text_is_sent_as_it_is_read() {
    let names = (0..100_000).map(|number| format!("target{number}"));
    let targets = Targets::new(names.collect());
    let text = Text::no_target(&targets.find(Some("x")).unwrap_err());
    for keep_alive in [false, true] {
        let whole = text.bytes(false, keep_alive);
        let (near, mut far) = unix();
        let mut bench = Bench::new(near, &far, Doing::Nothing);
        let next = bench.client.say(&text, (false, keep_alive), bench.now);
        assert_eq!(next, Next::Stays);
        let reader = std::thread::spawn(move || {
            let mut got = vec![0; whole.len()];
            far.read_exact(&mut got).unwrap();
            assert!(got == whole);
            far
        });
        while matches!(bench.client.state, State::Answering(_)) {
            assert_eq!(bench.look(), Next::Stays);
        }
        assert_eq!(matches!(bench.client.state, State::Reading), keep_alive);
        drop(reader.join().unwrap());
    }
}
