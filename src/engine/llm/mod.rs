//! The language model and what it knows.
