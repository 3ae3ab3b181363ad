//! What is never shown: a type that holds phones, names or people's words prints its ids alone.

/// `Debug` of a type of which no log and no error may show more than these fields.
macro_rules! debug_only {
    ($type:ty: $($field:ident),+) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type))
                    $(.field(stringify!($field), &self.$field))+
                    .finish_non_exhaustive()
            }
        }
    };
}
