//! What the program's configuration says besides where the emulator is.

use clap::{Args, ValueEnum};
use datafeed_emulator::{EVENT_TYPES, Emulator};
use serde_json::json;

/// The options that change what is printed, and nothing of how the emulator behaves.
#[derive(Debug, Args)]
pub struct Printed {
    /// With --tls, print a client certificate with its key in place of the private key
    #[arg(long, requires = "tls")]
    certificate_login: bool,
    /// Print which stream is to be read
    #[arg(long, value_enum)]
    stream: Option<Stream>,
    /// Print which version of the datafeed is to be read
    #[arg(long, value_name = "VERSION", value_enum)]
    datafeed_version: Option<Version>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Stream {
    Datafeed,
    Datahose,
    Firehose,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Version {
    V1,
    V2,
}

impl Printed {
    /// Puts it into the configuration, so that the control interface shows what is printed.
    pub fn put_into(&self, emulator: &Emulator) -> Result<(), String> {
        if self.certificate_login {
            let username = emulator.settings().username;
            let own = emulator
                .client_certificate(&username)
                .ok_or("there are no client certificates without TLS")?;
            emulator.set_config(
                "bot",
                json!({"username": username, "certificate": {"content": own.pem()}}),
            );
        }
        if let Some(stream) = self.stream {
            let name = match stream {
                Stream::Datafeed => "datafeed",
                Stream::Datahose => "datahose",
                Stream::Firehose => "firehose",
            };
            emulator.set_config("stream", json!(name));
            if let Stream::Datahose = stream {
                let types = EVENT_TYPES.map(|(kind, _)| kind);
                emulator.set_config("datahose", json!({"tag": "emulator", "eventTypes": types}));
            }
        }
        if let Some(version) = self.datafeed_version {
            let name = match version {
                Version::V1 => "v1",
                Version::V2 => "v2",
            };
            emulator.set_config("datafeed", json!({"version": name}));
        }
        Ok(())
    }
}
