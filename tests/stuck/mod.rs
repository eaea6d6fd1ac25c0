//! Places where a connection gets stuck: a name whose lookup never ends, a full queue of connections, a silent server.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::{Read, Write};
use std::mem::transmute;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// The lookup of a name that ends so never ends.
pub const DOMAIN: &str = "hangs.example";

static LOOKUPS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// How many lookups of the name have begun.
pub fn lookups(name: &str) -> usize {
    let lookups = LOOKUPS.lock().expect("no panic before");
    lookups.iter().filter(|lookup| *lookup == name).count()
}

type GetAddrInfo =
    unsafe extern "C" fn(*const c_char, *const c_char, *const libc::addrinfo, *mut *mut libc::addrinfo) -> c_int;

/// Takes the place of the system's in this program.
///
/// # Safety
///
/// As the system's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const libc::addrinfo,
    found: *mut *mut libc::addrinfo,
) -> c_int {
    // SAFETY: a name is NULL or NUL-terminated, by the interface of this function.
    let name = (!node.is_null()).then(|| unsafe { CStr::from_ptr(node) }.to_string_lossy());
    if let Some(name) = name.filter(|name| name.ends_with(DOMAIN)) {
        LOOKUPS.lock().expect("no panic before").push(name.into_owned());
        loop {
            thread::park();
        }
    }
    // SAFETY: the next definition of this name is the system's, which has this signature.
    unsafe {
        let systems: *mut c_void = libc::dlsym(libc::RTLD_NEXT, c"getaddrinfo".as_ptr());
        assert!(!systems.is_null());
        transmute::<*mut c_void, GetAddrInfo>(systems)(node, service, hints, found)
    }
}

/// Connections to it are never accepted, and there is no room for more: the system does not answer.
pub struct FullListener {
    address: SocketAddr,
    _listener: Socket,
    _filling: Vec<Socket>,
}

impl FullListener {
    pub fn new() -> FullListener {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        listener.bind(&any.into()).expect("a port");
        listener.listen(0).expect("a listener");
        let address = listener.local_addr().ok().and_then(|address| address.as_socket());
        let address = address.expect("an address");
        let mut filling = Vec::new();
        loop {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            let connected = socket.connect_timeout(&address.into(), Duration::from_millis(200));
            filling.push(socket);
            if connected.is_err() {
                break;
            }
            assert!(filling.len() < 100, "the queue is never full");
        }
        // The last one goes on trying, and must not be taken for somebody else's.
        filling.pop();
        FullListener {
            address,
            _listener: listener,
            _filling: filling,
        }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Whether somebody has asked for a connection and waits for the answer.
    pub fn is_being_connected_to(&self) -> bool {
        const SYN_SENT: &str = "02";
        let connections = std::fs::read_to_string("/proc/net/tcp").expect("the system's connections");
        let port = format!(":{:04X}", self.port());
        connections.lines().any(|line| {
            let mut fields = line.split_whitespace().skip(2);
            fields.next().is_some_and(|remote| remote.ends_with(&port)) && fields.next() == Some(SYN_SENT)
        })
    }
}

/// Accepts, hears, and never says anything.
pub struct SilentServer {
    address: SocketAddr,
    heard: Arc<AtomicBool>,
}

impl SilentServer {
    pub fn new() -> SilentServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&heard);
        thread::spawn(move || {
            // Kept open for as long as the program runs.
            let mut connections: Vec<TcpStream> = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let count = stream.read(&mut [0; 4096]).unwrap_or(0);
                told.fetch_or(count > 0, Ordering::SeqCst);
                connections.push(stream);
            }
        });
        SilentServer { address, heard }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn heard(&self) -> bool {
        self.heard.load(Ordering::SeqCst)
    }
}

/// Answers without an end and without a pause, so that there is always something to read.
pub struct FloodingServer {
    address: SocketAddr,
    sent: Arc<AtomicUsize>,
}

impl FloodingServer {
    pub fn new(beginning: &'static str, again: &'static str) -> FloodingServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let sent = Arc::new(AtomicUsize::new(0));
        let told = Arc::clone(&sent);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let _ = stream.read(&mut [0; 4096]);
                let much = again.repeat(1000);
                let mut going = stream.write_all(beginning.as_bytes()).is_ok();
                while going {
                    going = stream.write_all(much.as_bytes()).is_ok();
                    told.fetch_add(much.len(), Ordering::SeqCst);
                }
            }
        });
        FloodingServer { address, sent }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }
}
