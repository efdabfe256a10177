//! All tests of the whole program in one binary, because linking the ONNX runtime a dozen times takes
//! longer than running them.

#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares exactly")]

mod admin;
mod barge_in;
mod cli;
mod config;
mod conversation;
mod engines;
mod eyes;
mod faults;
mod gate;
mod lint;
mod metrics;
mod openmetrics;
mod presence;
mod reference;
mod scrape;
mod sensors;
mod shutdown;
mod support;
mod systemd;
mod tidy;
