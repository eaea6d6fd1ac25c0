//! The ports that an emulator opens.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::TcpListener;

use crate::address::Address;
use crate::certificates;
use crate::server::Door;
use crate::settings::Settings;

/// Where it listens, and where it says so.
pub fn open(settings: &Settings) -> io::Result<(Vec<Door>, Address)> {
    let Some(certificate) = settings.tls else {
        let (listener, port) = listen(settings.port)?;
        let address = Address {
            port,
            control_port: port,
            authority: None,
        };
        return Ok((vec![Door::plain(listener)], address));
    };
    let (authority, tls) = certificates::make(certificate)?;
    let (listener, port) = listen(settings.port)?;
    let (control, control_port) = listen(settings.control_port)?;
    let address = Address {
        port,
        control_port,
        authority: Some(authority),
    };
    let beside = match settings.plain_too {
        true => Door::plain(control),
        false => Door::control(control),
    };
    Ok((vec![Door::tls(listener, tls), beside], address))
}

fn listen(port: u16) -> io::Result<(TcpListener, u16)> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((TcpListener::from_std(listener)?, port))
}
