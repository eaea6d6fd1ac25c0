//! The types of events, by their names.

use super::names::{is_plain_name, nearest};
use super::section::Section;
use crate::error::Error;

/// Those that the service is known to send (agent 25.8.1). New ones come, so others are taken too.
const KNOWN: [&str; 17] = [
    "MESSAGESENT",
    "MESSAGESUPPRESSED",
    "SYMPHONYELEMENTSACTION",
    "SHAREDPOST",
    "INSTANTMESSAGECREATED",
    "ROOMCREATED",
    "ROOMUPDATED",
    "ROOMDEACTIVATED",
    "ROOMREACTIVATED",
    "USERREQUESTEDTOJOINROOM",
    "USERJOINEDROOM",
    "USERLEFTROOM",
    "ROOMMEMBERPROMOTEDTOOWNER",
    "ROOMMEMBERDEMOTEDFROMOWNER",
    "CONNECTIONREQUESTED",
    "CONNECTIONACCEPTED",
    "GENERICSYSTEMEVENT",
];

/// Reads a list of types; a name that looks like a slip is warned of.
pub(super) fn read(section: &Section, name: &'static str, warnings: &mut Vec<String>) -> Result<Vec<String>, Error> {
    let mut types = Vec::new();
    for (index, text) in section.texts(name)?.into_iter().enumerate() {
        let path = format!("{}[{index}]", section.path(name));
        if !is_plain_name(&text) {
            let message = format!("{path} must be the type of an event, such as MESSAGESENT");
            return Err(Error::config(path, message));
        }
        match KNOWN.iter().find(|known| text.eq_ignore_ascii_case(known)) {
            Some(known) => types.push((*known).to_owned()),
            None => {
                let hint = nearest(&text, &KNOWN).map_or_else(String::new, |known| format!("; did you mean {known}?"));
                warnings.push(format!("{path} is no known type of event and is taken as it is{hint}"));
                types.push(text);
            }
        }
    }
    Ok(types)
}
