//! An echo bot: it says again what it hears. `cargo run --example echo config.yaml`
use datafeed::{Config, Datafeed, NoEvent};
use percent_encoding::{NON_ALPHANUMERIC as ALL, utf8_percent_encode};
use serde_json::Value;

fn echo(heard: &Value, session: &Value) -> Result<(), ureq::Error> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (agent, id) = (text(&session["agentUrl"]), text(&heard["stream"]["streamId"]));
    let url = format!(
        "{agent}/agent/v4/stream/{}/message/create",
        utf8_percent_encode(&id, ALL)
    );
    let said = format!("<messageML>{}</messageML>", text(&heard["message"]));
    let head = "--part\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n";
    ureq::post(url)
        .header("sessionToken", text(&session["sessionToken"]))
        .header("keyManagerToken", text(&session["keyManagerToken"]))
        .content_type("multipart/form-data; boundary=part")
        .send(format!("{head}{said}\r\n--part--\r\n"))?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = std::env::args().nth(1).ok_or("usage: echo CONFIG")?;
    let feed = Datafeed::open(Config::parse(&config)?)?;
    let stopped = feed.clone();
    ctrlc::set_handler(move || stopped.interrupt())?; // SIGTERM, too
    loop {
        let event = match feed.next_event(None) {
            Ok(event) => event,
            Err(NoEvent::Failed(error)) => return Err(error.into()),
            Err(_) => return Ok(()),
        };
        let heard = &serde_json::from_str::<Value>(event.json())?["payload"]["messageSent"]["message"];
        let done = heard.is_null() || echo(heard, &feed.session()?).is_ok();
        let settle = if done { Datafeed::ack } else { Datafeed::nack }; // refused, it comes again
        settle(&feed, event.delivery())?;
    }
}
