//! The stages. One file is one thread is one loop; a stage knows no other stage.

pub mod animate;
mod conversation;
pub mod converse;
pub mod endpoint;
mod exchange;
pub mod hear;
pub mod listen;
mod manners;
pub mod play;
pub mod press;
pub mod show;
pub mod speak;
pub mod think;
pub mod watch;
pub mod words;
