//! A connection by TLS that shows how it ends.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use datafeed_emulator::Emulator;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::LONG;

pub type Connection = StreamOwned<ClientConnection, TcpStream>;

/// One after the handshake; `name` is whom the client believes to talk to.
pub fn connect(emulator: &Emulator, name: &'static str) -> io::Result<Connection> {
    let mut roots = RootCertStore::empty();
    let pem = emulator.ca_pem().unwrap();
    roots
        .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut client = ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap();
    let mut socket = TcpStream::connect(("127.0.0.1", emulator.port())).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    client.complete_io(&mut socket)?;
    Ok(StreamOwned::new(client, socket))
}
