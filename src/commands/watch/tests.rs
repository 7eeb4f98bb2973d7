use super::*;
use crate::commands::resolvers;

/// The text of a command whose name has changed, for each release, and whether a release that was learned late
/// makes it another one.
#[test]
fn texts_of_releases() {
    let mut watch = Watch::new(&resolvers::COMMAND, None).expect("sent with the rows");
    let (dns, own) = ("show stat domain dns", "show stat domain resolvers");
    let cases = [
        (None, None),
        (Some((2, 2)), None),
        (Some((2, 3)), Some(dns)),
        (Some((2, 4)), Some(dns)),
        (Some((2, 5)), Some(own)),
        (Some((3, 0)), Some(own)),
    ];
    for (release, text) in cases {
        watch.is_asked = false;
        assert_eq!(watch.text(release), None);
        watch.is_asked = true;
        assert_eq!(watch.text(release), text, "{release:?}");
        for (before, text_before) in cases {
            let is_new = text.is_some() && text != text_before;
            assert_eq!(
                watch.is_new(before, release),
                is_new,
                "{before:?} {release:?}"
            );
        }
    }
}
