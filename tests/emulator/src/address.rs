//! Where an emulator is reached.

use serde_json::{Value, json};

use crate::certificates::Authority;

#[derive(Debug)]
pub struct Address {
    pub port: u16,
    /// The port of the control interface, in plain HTTP: the same one without TLS.
    pub control_port: u16,
    /// Whom a client has to trust. There with TLS.
    pub authority: Option<Authority>,
}

impl Address {
    fn scheme(&self) -> &'static str {
        match self.authority {
            Some(_) => "https",
            None => "http",
        }
    }

    /// Without a context.
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme(), self.port)
    }

    /// Its part of the configuration to connect with.
    pub fn config(&self) -> Value {
        let mut config = json!({"scheme": self.scheme(), "host": "127.0.0.1", "port": self.port});
        if let Some(authority) = &self.authority {
            config["ssl"] = json!({"trustStore": {"path": authority.path().display().to_string()}});
        }
        config
    }
}
