use super::*;

/// The fields up to the subject of a certificate, without version 3's tag.
const CERTIFICATE: &[u8] = b"\x30\x4a\x30\x48\x02\x01\x01\x30\x00\
    \x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03CA1\
    \x30\x20\x17\x0d200229235959Z\x18\x0f20991231235958Z\
    \x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x0a\x0c\x04Org\xff";

#[test]
fn fields() {
    let facts = facts(CERTIFICATE).expect("a certificate");
    assert_eq!(common_name(facts.issuer), "CA1");
    assert_eq!(common_name(facts.subject), "Org\u{fffd}");
    assert_eq!(facts.not_before.to_string(), "2020-02-29T23:59:59Z");
    assert_eq!(facts.not_after.to_string(), "2099-12-31T23:59:58Z");
    assert_eq!(facts.not_before.seconds(), 1_583_020_799);
    assert_eq!(facts.not_after.seconds(), 4_102_444_798);
}

#[test]
fn seconds() {
    // The numbers are those of `date -u +%s`.
    let cases = [
        ("500101000000Z", -631_152_000),
        ("700101000000Z", 0),
        ("000301000000Z", 951_868_800),
        ("240229120000Z", 1_709_208_000),
        ("491231235959Z", 2_524_607_999),
    ];
    for (text, expected) in cases {
        let encoded = [&[UTC_TIME, 13], text.as_bytes()].concat();
        let time = Time::read(&mut &*encoded).expect(text);
        assert_eq!(time.seconds(), expected, "{text}");
        let at = |seconds: i64| {
            UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds.max(0) as u64))
        };
        if expected > 0 {
            assert!(!time.is_before(at(expected)) && !time.is_after(at(expected)));
            assert!(time.is_before(at(expected + 1)) && time.is_after(at(expected - 1)));
        }
    }
}

#[test]
fn cut_and_damaged_certificates_have_no_facts() {
    for length in 0..CERTIFICATE.len() {
        assert!(facts(&CERTIFICATE[..length]).is_none(), "{length}");
    }
    for at in 0..CERTIFICATE.len() {
        for byte in 0..=255 {
            let mut damaged = CERTIFICATE.to_vec();
            damaged[at] = byte;
            if let Some(facts) = facts(&damaged) {
                let _ = (common_name(facts.issuer), common_name(facts.subject));
                let _ = (facts.not_before.seconds(), facts.not_after.to_string());
            }
        }
    }
}
