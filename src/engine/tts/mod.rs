//! The voice: text becomes sound.
