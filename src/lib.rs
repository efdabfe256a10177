//! A digital receptionist for Jetson-class boxes. Modules in reading order.

pub mod media;

pub mod flow;

pub mod engine;

pub mod device;

pub mod sound;

pub mod config;
