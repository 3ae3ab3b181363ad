//! booking-monitor: the architecture page (written with the code).
pub mod app;
pub mod channels;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod domain;
pub mod http_client;
pub mod pace;
pub mod pipeline;
pub mod ports;
pub mod store;
pub mod yclients;
