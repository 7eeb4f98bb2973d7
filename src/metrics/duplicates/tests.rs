use super::Names;

#[test]
fn tells_new_names_from_old_ones_through_growth_and_reuse() {
    let texts: Vec<String> = (0..10_000).map(|n| format!("server-{n}")).collect();
    let mut names = Names::default();
    for _ in 0..2 {
        names.clear();
        for (n, text) in texts.iter().enumerate() {
            assert!(
                names.insert(text.as_bytes(), |at| texts[at].as_bytes()),
                "{n}"
            );
        }
        for text in &texts {
            assert!(!names.insert(text.as_bytes(), |at| texts[at].as_bytes()));
        }
    }
    names.clear();
    assert!(names.insert(b"server-0", |_| b""));
    names.shrink();
    assert!(names.slots.len() <= 64);
    assert!(!names.insert(b"server-0", |_| b"server-0"));
}
