//! How the tables of families are written: a line a family.

/// Families of `show stat`: kind, name behind the prefix, cells, help. The cells are `[Reading column]`
/// or the name of a static with several.
macro_rules! families {
    ($($kind:ident $name:ident $cells:tt $help:literal;)*) => {
        &[$(Family {
            kind: Kind::$kind,
            name: stringify!($name),
            help: $help,
            cells: cells!($cells),
        }),*]
    };
}

macro_rules! cells {
    ([$reading:ident $column:ident]) => {
        &[Cell::new(
            $crate::haproxy::columns::number(stringify!($column)),
            Reading::$reading,
        )]
    };
    ($cells:ident) => {
        &$cells
    };
}

/// A group whose columns are keys that only it has: the table of keys, and the group with a family a
/// key: kind, name behind the prefix, key, help.
macro_rules! keyed_families {
    (
        $(#[$doc:meta])*
        $visible:vis $keys:ident [$($more:literal),*];
        $group:ident { $($field:ident: $value:expr,)* }
        $($kind:ident $name:ident $key:literal $help:literal;)*
    ) => {
        $(#[$doc])*
        $visible const $keys: &[&str] = &[$($key,)* $($more),*];

        $visible static $group: $crate::metrics::Group = $crate::metrics::Group {
            $($field: $value,)*
            families: &[$($crate::metrics::Family {
                kind: $crate::metrics::Kind::$kind,
                name: stringify!($name),
                help: $help,
                cells: &[$crate::metrics::Cell::new(
                    $crate::haproxy::columns::index_of($keys, $key),
                    $crate::metrics::Reading::Integer,
                )],
            }),*],
        };
    };
}
