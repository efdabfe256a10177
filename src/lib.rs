//! A digital receptionist for Jetson-class boxes. Modules in reading order.

pub mod cli;

pub mod kiosk;

pub mod media;

pub mod flow;

pub mod stage;

pub mod engine;

pub mod scene;

pub mod screen;

pub mod device;

pub mod sensors;

pub mod sound;

pub mod config;

pub mod machine;

pub mod journal;

pub mod vigil;

pub mod systemd;

pub mod update;

pub mod metrics;

pub mod front;

pub mod admin;

pub mod report;
