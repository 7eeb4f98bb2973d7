use super::NameIndex;

#[test]
fn tells_new_names_from_old_ones_through_growth_and_reuse() {
    let texts: Vec<String> = (0..10_000).map(|n| format!("server-{n}")).collect();
    let mut names = NameIndex::default();
    for _ in 0..2 {
        names.clear();
        for (n, text) in texts.iter().enumerate() {
            assert!(
                names
                    .insert(text.as_bytes(), |at| texts[at].as_bytes())
                    .is_none(),
                "{n}"
            );
        }
        for text in &texts {
            let earlier = names.insert(text.as_bytes(), |at| texts[at].as_bytes());
            assert_eq!(earlier.map(|at| texts[at].as_str()), Some(text.as_str()));
        }
    }
    names.clear();
    assert_eq!(names.insert(b"server-0", |_| b""), None);
    names.shrink();
    assert!(names.slots.len() <= 64);
    assert_eq!(names.insert(b"server-0", |_| b"server-0"), Some(0));
}
