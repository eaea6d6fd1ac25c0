//! The proxy damages connections as it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use datafeed_storm::proxy::{Damage, How, Proxy, Way};

/// Both ends of a connection through a proxy with this damage.
fn connect(damage: Option<Damage>) -> (TcpStream, TcpStream, Proxy) {
    let agent = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::start(agent.local_addr().unwrap()).unwrap();
    if let Some(damage) = damage {
        proxy.damage(damage);
    }
    let client = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    let (agent, _) = agent.accept().unwrap();
    for socket in [&client, &agent] {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    }
    (client, agent, proxy)
}

fn answer(after: usize, how: How) -> Option<Damage> {
    Some(Damage {
        way: Way::Answer,
        after,
        how,
    })
}

/// What arrives, and whether it ended in good order.
fn rest(socket: &mut TcpStream) -> (String, bool) {
    let mut bytes = Vec::new();
    let end = socket.read_to_end(&mut bytes);
    (String::from_utf8(bytes).unwrap(), end.is_ok())
}

#[test]
fn without_damage_everything_passes_and_each_way_ends_by_itself() {
    let (mut client, mut agent, _proxy) = connect(None);
    client.write_all(b"question").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut agent), ("question".into(), true));
    agent.write_all(b"answer").unwrap();
    drop(agent);
    assert_eq!(rest(&mut client), ("answer".into(), true));
}

#[test]
fn a_connection_is_cut_after_so_many_bytes() {
    for (how, in_good_order) in [
        (How::Truncate, true),
        (How::Reset, false),
        (How::Stall(Duration::from_millis(1)), false),
    ] {
        let (mut client, mut agent, _proxy) = connect(answer(4, how));
        agent.write_all(b"answer").unwrap();
        assert_eq!(rest(&mut client), ("answ".into(), in_good_order), "{how:?}");
        // A reset may be all that is left of it.
        assert_eq!(rest(&mut agent).0, "", "{how:?}");
    }
}

#[test]
fn damage_waits_for_its_way_and_its_bytes() {
    let (mut client, mut agent, proxy) = connect(answer(6, How::Truncate));
    client.write_all(b"question").unwrap();
    let mut question = [0; 8];
    agent.read_exact(&mut question).unwrap();
    assert_eq!(proxy.mend(), 1, "it was not for this way");
    for damage in [answer(6, How::Truncate), answer(0, How::Reset)] {
        proxy.damage(damage.unwrap());
    }
    agent.write_all(b"answer").unwrap();
    let mut whole = [0; 6];
    client.read_exact(&mut whole).unwrap();
    assert_eq!(proxy.mend(), 1, "a connection takes one at a time");
    agent.write_all(b"!").unwrap();
    assert_eq!(rest(&mut client), (String::new(), true));
}

#[test]
fn a_slow_drip_goes_on_to_the_end() {
    let drip = How::Drip {
        bytes: 3,
        each: Duration::from_millis(1),
    };
    let (mut client, mut agent, _proxy) = connect(answer(1, drip));
    agent.write_all(b"answer").unwrap();
    drop(agent);
    assert_eq!(rest(&mut client), ("answer".into(), true));
}

#[test]
fn a_half_closed_way_leaves_the_other_open() {
    let (mut client, mut agent, _proxy) = connect(answer(2, How::HalfClose));
    agent.write_all(b"answer").unwrap();
    assert_eq!(rest(&mut client), ("an".into(), true));
    client.write_all(b"still here").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut agent), ("still here".into(), true));
}

#[test]
fn an_agent_that_is_down_is_a_connection_that_is_reset() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::start(gone).unwrap();
    let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    assert_eq!(rest(&mut client), (String::new(), false));
}
