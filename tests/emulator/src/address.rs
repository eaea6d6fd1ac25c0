//! Where an emulator is reached.

use serde_json::{Value, json};

use crate::certificates::Authority;

#[derive(Debug)]
pub struct Address {
    /// That of the first agent, and of everything else.
    pub port: u16,
    /// Those of the agents, the first one included.
    pub agent_ports: Vec<u16>,
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
        self.url_at(self.port)
    }

    fn url_at(&self, port: u16) -> String {
        format!("{}://127.0.0.1:{port}", self.scheme())
    }

    /// Where each agent is, without a context.
    pub fn agent_urls(&self) -> impl Iterator<Item = String> {
        self.agent_ports.iter().map(|port| self.url_at(*port))
    }

    /// Its part of the configuration to connect with.
    pub fn config(&self) -> Value {
        let mut config = json!({"scheme": self.scheme(), "host": "127.0.0.1", "port": self.port});
        if self.agent_ports.len() > 1 {
            let node = |port| json!({"host": "127.0.0.1", "port": port});
            let nodes: Vec<Value> = self.agent_ports.iter().map(node).collect();
            config["agent"] = json!({"loadBalancing": {"nodes": nodes}});
        }
        if let Some(authority) = &self.authority {
            config["ssl"] = json!({"trustStore": {"path": authority.path().display().to_string()}});
        }
        config
    }
}
