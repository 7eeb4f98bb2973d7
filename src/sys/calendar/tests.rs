use super::*;

/// The numbers are those of `date -u +%s`.
#[test]
fn seconds_and_dates() {
    let cases = [
        (0, "1970-01-01T00:00:00"),
        (951_782_400, "2000-02-29T00:00:00"),
        (951_868_799, "2000-02-29T23:59:59"),
        (951_868_800, "2000-03-01T00:00:00"),
        (1_583_020_799, "2020-02-29T23:59:59"),
        (1_709_208_000, "2024-02-29T12:00:00"),
        (1_735_689_599, "2024-12-31T23:59:59"),
        // Beyond what 32 bits hold.
        (2_147_483_648, "2038-01-19T03:14:08"),
        (2_524_607_999, "2049-12-31T23:59:59"),
        (4_102_444_798, "2099-12-31T23:59:58"),
        (4_107_542_400, "2100-03-01T00:00:00"),
        // What the kernel holds at most (KTIME_MAX).
        (9_223_372_036, "2262-04-11T23:47:16"),
        (253_402_300_799, "9999-12-31T23:59:59"),
    ];
    for (seconds, expected) in cases {
        assert_eq!(Utc(seconds).to_string(), expected);
    }
}

#[test]
fn a_date_has_the_days_that_it_came_from() {
    for day in 0..ERA_DAYS {
        let (year, month, of_month) = date(day);
        let back = days(year as i64, month as i64, of_month as i64);
        assert_eq!(back, day as i64, "{year}-{month}-{of_month}");
    }
    assert_eq!(days(1969, 12, 31), -1);
    assert_eq!(days(0, 3, 1), -719_468);
}
