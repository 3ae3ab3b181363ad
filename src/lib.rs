//! booking-monitor: the architecture page (written with the code).
pub mod channels;
pub mod config;
pub mod demo;
pub mod domain;
pub mod http_client;
pub mod ports;
pub mod yclients;
