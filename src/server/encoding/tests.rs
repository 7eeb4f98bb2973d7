use super::*;

fn prefers_gzip(fields: &[&str]) -> bool {
    let mut accepted = Accepted::default();
    fields
        .iter()
        .for_each(|field| accepted.add(field.as_bytes()));
    accepted.prefers_gzip()
}

#[test]
fn gzip_is_sent_to_who_accepts_it() {
    let fields: &[&[&str]] = &[
        &["gzip"],
        &["x-gzip"],
        &["GZip"],
        &["*"],
        &["gzip, deflate, br, zstd"],
        &["deflate,gzip;q=1.0, *;q=0.5"],
        &["gzip;q=0.001"],
        &["gzip ; q=0.5"],
        &["\tgzip\t;\tQ=1."],
        &["gzip;q=1.000"],
        &["", "gzip"],
        &["deflate", "br", "x-gzip;q=0.1"],
        &[", ,gzip,"],
        &["identity, gzip"],
        &["identity;q=0.5, gzip;q=0.5"],
        &["identity;q=0, *"],
        &["*;q=0.1"],
        &["*;q=0, gzip"],
        &["gzip;q=0.5, identity;q=0.4"],
        &["compress;q=0.5, gzip;q=1.0"],
        &["gzip;q=2, x-gzip"],
    ];
    for fields in fields {
        assert!(prefers_gzip(fields), "{fields:?}");
    }
}

#[test]
fn others_are_sent_plain_text() {
    let fields: &[&[&str]] = &[
        &[],
        &[""],
        &["identity"],
        &["deflate, br"],
        &["gzip;q=0"],
        &["gzip;q=0."],
        &["gzip;q=0.000"],
        &["x-gzip;q=0"],
        &["gzip;q=0, *"],
        &["gzip, x-gzip;q=0"],
        &["gzip", "gzip;q=0"],
        &["*;q=0"],
        &["identity;q=0"],
        &["identity, *;q=0"],
        &["identity;q=1, gzip;q=0.9"],
        &["gzip;q=0.1, *;q=0.5"],
        &["*;q=0.5, identity;q=1"],
        // Not understood.
        &["gzip2", "gzi", "gzip gzip", "\"gzip\""],
        &["gzip;q=2"],
        &["gzip;q=1.001"],
        &["gzip;q=0.1234"],
        &["gzip;q=-1"],
        &["gzip;q="],
        &["gzip;q"],
        &["gzip;q = 1"],
        &["gzip;level=9"],
        &["gzip;q=1;q=1"],
        &["gzip;q=x"],
        &["gzip;q=.5"],
        &[";q=1"],
        &["gzip;"],
    ];
    for fields in fields {
        assert!(!prefers_gzip(fields), "{fields:?}");
    }
}
