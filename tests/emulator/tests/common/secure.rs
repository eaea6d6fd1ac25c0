//! A connection by TLS that shows how it ends.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use datafeed_emulator::Emulator;
use tokio_rustls::rustls::client::WantsClientCert;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::crypto::aws_lc_rs::sign::any_supported_type;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, StreamOwned};

use super::LONG;

pub type Connection = StreamOwned<ClientConnection, TcpStream>;

/// One after the handshake; `name` is whom the client believes to talk to.
pub fn connect(emulator: &Emulator, name: &'static str) -> io::Result<Connection> {
    connect_by(emulator, name, |builder| builder.with_no_client_auth())
}

/// One that shows the certificate and uses the key, whether or not they belong together. The server judges that after
/// the client's part of the handshake.
pub fn connect_showing(emulator: &Emulator, certificate: &str, key: &str) -> io::Result<Connection> {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let key = any_supported_type(&key).unwrap();
    let own = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
    connect_by(emulator, "127.0.0.1", |builder| {
        builder.with_client_cert_resolver(Arc::new(own))
    })
}

fn connect_by(
    emulator: &Emulator,
    name: &'static str,
    show: impl FnOnce(ConfigBuilder<ClientConfig, WantsClientCert>) -> ClientConfig,
) -> io::Result<Connection> {
    let mut roots = RootCertStore::empty();
    let pem = emulator.ca_pem().unwrap();
    roots
        .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
        .unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut client = ClientConnection::new(Arc::new(show(builder)), ServerName::try_from(name).unwrap()).unwrap();
    let mut socket = TcpStream::connect(("127.0.0.1", emulator.port())).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    client.complete_io(&mut socket)?;
    Ok(StreamOwned::new(client, socket))
}
