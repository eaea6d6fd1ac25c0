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
    let (authority, tls) = match settings.tls {
        Some(certificate) => {
            let (authority, tls) = certificates::make(certificate)?;
            (Some(authority), Some(tls))
        }
        None => (None, None),
    };
    let mut doors = Vec::new();
    let mut agent_ports = Vec::new();
    for agent in 0..settings.agents {
        let wanted = if agent == 0 { settings.port } else { 0 };
        let (listener, port) = listen(wanted)?;
        agent_ports.push(port);
        doors.push(match &tls {
            Some(tls) => Door::tls(listener, agent, tls.clone()),
            None => Door::plain(listener, agent),
        });
    }
    let port = agent_ports[0];
    let mut control_port = port;
    if tls.is_some() {
        let (control, own_port) = listen(settings.control_port)?;
        control_port = own_port;
        doors.push(match settings.plain_too {
            true => Door::plain(control, 0),
            false => Door::control(control),
        });
    }
    let address = Address {
        port,
        agent_ports,
        control_port,
        authority,
    };
    Ok((doors, address))
}

fn listen(port: u16) -> io::Result<(TcpListener, u16)> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((TcpListener::from_std(listener)?, port))
}
