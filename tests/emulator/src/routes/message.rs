//! The messages that the bot itself sends.

use super::{Call, auth, multipart};
use crate::bot;
use crate::reply::Reply;

/// Answers the message, and puts its event into every feed, as the service does: the bot hears itself.
pub fn create(call: &Call) -> Result<Reply, Reply> {
    auth::check_tokens(call)?;
    let text = multipart::part(call, "message")?;
    let content = text
        .trim()
        .strip_prefix("<messageML>")
        .and_then(|rest| rest.strip_suffix("</messageML>"))
        .ok_or_else(|| Reply::error(400, "The message is not within <messageML> tags"))?;
    call.shared.change(|world| {
        let now = world.settle();
        let message = bot::message(&world.settings.username, &call.named, content, now, &mut world.rng);
        let event = bot::message_sent(&message, &mut world.rng);
        world.publish(event.into());
        world.messages.push(message.clone());
        Ok(Reply::of(200, &message))
    })
}
