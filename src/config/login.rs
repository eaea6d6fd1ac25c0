//! As whom the bot logs in, and with what.

use super::LoginKey;
use super::certificate::ClientCertificate;
use super::section::Section;
use crate::error::Error;

/// Far more than the service allows.
const LONGEST_NAME: usize = 255;

#[derive(Debug, Clone)]
pub(crate) struct Login {
    /// Always there with a key; a certificate has the name in it.
    pub(crate) username: Option<String>,
    pub(crate) credential: Credential,
    /// Requests carry `Authorization: Bearer ...` in place of the session token.
    pub(crate) common_jwt: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Credential {
    /// Signs a token that is sent.
    Key(LoginKey),
    /// Is shown in the TLS handshake.
    Certificate(ClientCertificate),
}

impl Login {
    pub(super) fn read(root: &Section, bot: &Section, warnings: &mut Vec<String>) -> Result<Login, Error> {
        let username = read_username(bot)?;
        let certificate = ClientCertificate::read(bot)?;
        let common_jwt = root.section("commonJwt")?.boolean("enabled")?.unwrap_or(false);
        let credential = match (read_key(bot)?, certificate) {
            (Some(key), certificate) => {
                if certificate.is_some() {
                    warnings.push("bot.privateKey and bot.certificate are both given; the key is used".to_owned());
                }
                Credential::Key(key)
            }
            (None, Some(certificate)) => Credential::Certificate(certificate),
            (None, None) => {
                return Err(Error::config(
                    "bot.privateKey",
                    "bot.privateKey is missing: give \"path\" (a PEM file) or \"content\" (the PEM text), or a \
                     bot.certificate",
                ));
            }
        };
        if username.is_none() && matches!(credential, Credential::Key(_)) {
            return Err(Error::config(
                "bot.username",
                "bot.username is missing: the name of the bot's service account",
            ));
        }
        Ok(Login {
            username,
            credential,
            common_jwt,
        })
    }
}

fn read_username(bot: &Section) -> Result<Option<String>, Error> {
    match bot.string("username")? {
        // Longer ones are something else, a key perhaps, which must not be shown as a name is.
        Some(name) if name.contains(char::is_control) || name.chars().count() > LONGEST_NAME => {
            let message = format!("bot.username must be a name in one line of at most {LONGEST_NAME} characters");
            Err(Error::config("bot.username", message))
        }
        name => Ok(name.filter(|name| !name.trim().is_empty())),
    }
}

fn read_key(bot: &Section) -> Result<Option<LoginKey>, Error> {
    let own = bot.section("privateKey")?;
    let content = own.filled("content")?;
    let (path, old_path) = (own.filled("path")?, bot.filled("privateKeyPath")?);
    let (field, path) = match (path, old_path) {
        (None, Some(path)) => ("bot.privateKeyPath", Some(path)),
        (path, _) => ("bot.privateKey.path", path),
    };
    match (content, path) {
        (Some(_), Some(_)) => Err(Error::config(
            "bot.privateKey",
            "bot.privateKey has both content and path; give one of them",
        )),
        (Some(content), None) => LoginKey::from_content(&content, "bot.privateKey.content").map(Some),
        (None, Some(path)) => LoginKey::from_file(&bot.locate(&path), field).map(Some),
        (None, None) => Ok(None),
    }
}
