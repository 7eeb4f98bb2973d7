//! The notation of the tables of families: one line per family.

/// A group with its own rows: its fields, then one line per family with its kind, the name after
/// the prefix, the recipe of the value, and the help text.
macro_rules! table {
    (
        $(#[$doc:meta])*
        $visible:vis static $table:ident: $value:ty { $($field:ident: $setting:expr,)* }
        $($kind:ident $name:ident = $recipe:expr, $help:literal;)*
    ) => {
        $(#[$doc])*
        $visible static $table: $crate::metrics::Table<$value> = $crate::metrics::Table {
            values: &[$($recipe),*],
            group: $crate::metrics::Group {
                $($field: $setting,)*
                families: &[$($crate::metrics::Family {
                    kind: $crate::metrics::Kind::$kind,
                    name: stringify!($name),
                    help: [$help, ""],
                    row_types: u8::MAX,
                    cells: &$crate::metrics::OWN_CELL,
                }),*],
                ..$crate::metrics::Group::OWN
            },
        };
    };
}

pub(crate) use table;
