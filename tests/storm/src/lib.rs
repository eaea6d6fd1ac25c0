//! The delivery promises under faults. See the README.

#![forbid(unsafe_code)]

pub mod account;
pub mod books;
pub mod bot;
pub mod driver;
pub mod event;
pub mod evidence;
pub mod instance;
pub mod judge;
pub mod proxy;
pub mod row;
pub mod schedule;
pub mod service;
pub mod table;
