//! The text of a response, made by a look at each row of each cell.

use super::*;
use crate::metrics::cursor::{self, RowPlace, View};
use crate::metrics::exposition::{self, CellLine};

/// The text as the format wants it: no row is jumped over, and nothing is known of a column beforehand.
fn expected(snapshot: &Snapshot, selection: &Selection) -> Vec<u8> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut text = Vec::new();
    for view in (0..).map_while(|number| View::new(snapshot, selection, number)) {
        let Some(view) = view else {
            continue;
        };
        let mut lines = Vec::new();
        for (number, cell) in view.family.cells.iter().enumerate() {
            let line = CellLine::new(view.group, view.family, cell);
            let mut place = RowPlace::default();
            let column = view.column(number).into_iter();
            for (column, row) in
                column.flat_map(|column| (0..view.rows.count()).map(move |row| (column, row)))
            {
                let value = cursor::value(column, cell, &mut place.value_at);
                if value.1 > 0 && !view.is_left_out(row) {
                    let mut used = 0;
                    assert!(line.put(&mut buffer, &mut used, view.rows.labels_of(row), value));
                    lines.extend_from_slice(&buffer[..used]);
                }
            }
        }
        if !lines.is_empty() {
            let mut used = 0;
            assert!(exposition::put_header(
                &mut buffer,
                &mut used,
                view.group,
                view.family
            ));
            text.extend_from_slice(&buffer[..used]);
            text.extend_from_slice(&lines);
        }
    }
    text
}

#[test]
fn jumps_over_rows_leave_no_sample_out() {
    let catalog = catalog();
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let shape = Shape::new(&mut random);
        let snapshot = shape.snapshot(catalog, &mut random);
        let query = ["", "no-maint", "scope=server&no-maint"][random.below(3)];
        let selection = selection(catalog, random.below(PROFILES.len()), query);
        // Small pieces end in the middle of a cell of few samples too.
        let piece = match shape.has_short_lines() {
            true => 2_048 + random.below(500),
            false => BUFFER_BYTES,
        };
        let mut buffer = vec![0; piece];
        let mut cursor = Cursor::default();
        let mut text = Vec::new();
        loop {
            match cursor.fill(&snapshot, &selection, &mut buffer) {
                0 => break,
                filled => text.extend_from_slice(&buffer[..filled]),
            }
        }
        let what = format!("seed {seed}, {shape:?}, {query:?}");
        let expected = expected(&snapshot, &selection);
        assert_same(&text, &expected, &what);
        let bytes = cursor::exposition_bytes(&snapshot, &selection);
        assert_eq!(bytes, expected.len() as u64, "{what}");
    }
}
