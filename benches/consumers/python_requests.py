"""The consumer that a Python programmer writes with requests: one session, and each answer parsed as JSON."""

import requests
from measure import Measurement, setting

AGENT = "symphony-datafeed/0.1.0"
LOGIN = {"token": "eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiJiZW5jaCJ9.c2lnbmF0dXJl"}


def ask(session, method, path, **arguments):
    """One request; its answer."""
    base = f"{setting('SCHEME')}://127.0.0.1:{setting('PORT')}"
    # What a session is told to trust gives way to the environment; what a request is told does not.
    trusted = setting("CA") or True
    response = session.request(method, base + path, timeout=(15, 60), verify=trusted, **arguments)
    response.raise_for_status()
    return response


def main():
    """Receives, and prints."""
    measurement = Measurement()
    with requests.Session() as session:
        session.headers.update({"User-Agent": AGENT, "Accept": "application/json", "X-Trace-Id": "bEnCh1"})
        token = ask(session, "POST", "/login/pubkey/authenticate", json=LOGIN).json()["token"]
        key = ask(session, "POST", "/relay/pubkey/authenticate", json=LOGIN).json()["token"]
        session.headers.update({"sessionToken": token, "keyManagerToken": key})
        feed = ask(session, "GET", "/agent/v5/datafeeds").json()[0]["id"]
        ack_id, more = "", True
        while more:
            response = ask(session, "POST", f"/agent/v5/datafeeds/{feed}/read", json={"ackId": ack_id})
            answer = response.json()
            ack_id, events = answer["ackId"], answer["events"]
            length = len(response.content) // (len(events) or 1)
            for event in events:
                message = event["payload"]["messageSent"]["message"]
                more = measurement.count(event["id"][1:], length, message["data"])
                if not more:
                    break
    measurement.print()


if __name__ == "__main__":
    main()
