//! The face: sound becomes the movement of a mouth, and a portrait moves.
