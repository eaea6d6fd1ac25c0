//! An echo bot: it says again what it hears. `cargo run --example echo config.yaml`
use datafeed::{Config, Datafeed};
use percent_encoding::{NON_ALPHANUMERIC as ALL, utf8_percent_encode};
use serde_json::Value;

fn echo(heard: &Value, session: &Value) -> Result<(), ureq::Error> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (agent, markup) = (text(&session["agentUrl"]), text(&heard["message"]));
    let stream = utf8_percent_encode(&text(&heard["stream"]["streamId"]), ALL).to_string();
    let said: String = markup
        .split('<')
        .filter_map(|part| part.split('>').next_back())
        .collect();
    let head = "--part\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n";
    ureq::post(format!("{agent}/agent/v4/stream/{stream}/message/create"))
        .header("sessionToken", text(&session["sessionToken"]))
        .header("keyManagerToken", text(&session["keyManagerToken"]))
        .content_type("multipart/form-data; boundary=part")
        .config()
        .timeout_global(Some(std::time::Duration::from_secs(10)))
        .build()
        .send(format!("{head}<messageML>{said}</messageML>\r\n--part--\r\n"))?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::parse(&std::env::args().nth(1).ok_or("usage: echo CONFIG")?)?;
    let feed = Datafeed::open(config)?;
    let stopped = feed.clone();
    ctrlc::set_handler(move || stopped.interrupt())?; // SIGTERM, too
    while let Ok(event) = feed.next_event(None) {
        let heard = &serde_json::from_str::<Value>(event.json())?["payload"]["messageSent"]["message"];
        let done = heard.is_null() || echo(heard, &feed.session()?).is_ok();
        let settle = if done { Datafeed::ack } else { Datafeed::nack }; // refused, it comes again
        settle(&feed, event.delivery())?;
    }
    let failed = feed.error().filter(|error| !error.is_retryable());
    failed.map_or(Ok(()), |error| Err(error.into()))
}
