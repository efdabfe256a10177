//! Recognition: speech becomes text.
