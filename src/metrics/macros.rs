//! How the tables of families are written: a line a family.

/// A group with rows of its own: its fields, then a line a family with its kind, name behind the prefix,
/// what the value is made of, and help.
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
