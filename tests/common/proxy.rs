//! A TCP proxy between an engine and its database that does what networks do on their worst days.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a waiting thread looks whether the fault has changed.
const LOOK: Duration = Duration::from_millis(5);

/// What happens to the connections, those that are open and those that come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// Nobody listens on the port; what is open is reset.
    Refuse,
    /// Every connection is reset at its next byte.
    Reset,
    /// Every connection is closed in order at its next byte.
    Close,
    /// Each piece comes so much later.
    Delay(Duration),
    /// One byte a second.
    Trickle,
    /// Half of the next piece from the client passes, then the connection ends: in the middle of a packet.
    CutRequest,
    /// Half of the next piece from the server passes, then the connection ends: in the middle of a packet.
    CutAnswer,
    /// Connections are taken and stay, and not a byte passes. When it is over they are reset.
    Silence,
    /// A statement with this text reaches the server; when the server has answered, the connection is reset in place
    /// of the answer.
    LoseAnswerTo(&'static str),
    /// As before, but the connection stays and nothing passes on it any more. Once: what follows passes.
    SwallowAnswerTo(&'static str),
}

struct Shared {
    fault: Mutex<Fault>,
    /// Port of the server.
    target: AtomicU16,
    /// Cases of the fault in force that have come true.
    hits: AtomicUsize,
    over: AtomicBool,
}

/// It. Dropping it ends all connections.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Between a free port and the server on `target`.
    pub fn to(target: u16) -> Self {
        let listener = listen(0);
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            fault: Mutex::new(Fault::Pass),
            target: AtomicU16::new(target),
            hits: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        });
        let ours = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || accept(listener, port, &ours));
        Self { port, shared, accepting: Some(accepting) }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on.
    pub fn set(&self, fault: Fault) {
        let mut current = self.shared.fault.lock().unwrap();
        self.shared.hits.store(0, Ordering::Relaxed);
        *current = fault;
    }

    /// Connections that come from now on lead to another server.
    pub fn lead_to(&self, target: u16) {
        self.shared.target.store(target, Ordering::Relaxed);
    }

    /// How often the fault in force has come true.
    pub fn hits(&self) -> usize {
        self.shared.hits.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(accepting) = self.accepting.take() {
            accepting.join().unwrap();
        }
    }
}

impl Shared {
    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap()
    }

    fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Waits while `fault` is in force; whether something else is now (and not the end).
    fn outlast(&self, fault: Fault) -> bool {
        while self.fault() == fault && !self.is_over() {
            std::thread::sleep(LOOK);
        }
        !self.is_over()
    }
}

fn listen(port: u16) -> TcpListener {
    let listener = super::until("the proxy's port", || TcpListener::bind(("127.0.0.1", port)).ok());
    listener.set_nonblocking(true).unwrap();
    listener
}

fn accept(mut listener: TcpListener, port: u16, shared: &Arc<Shared>) {
    while !shared.is_over() {
        if shared.fault() == Fault::Refuse {
            drop(listener);
            shared.outlast(Fault::Refuse);
            listener = listen(port);
        }
        match listener.accept() {
            Ok((client, _)) => carry(client, shared.target.load(Ordering::Relaxed), shared),
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(LOOK),
            Err(error) => panic!("the proxy cannot accept: {error}"),
        }
    }
}

/// Two threads for the two directions. A server that is not there ends the connection.
fn carry(client: TcpStream, target: u16, shared: &Arc<Shared>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { return };
    let lost = Arc::new(AtomicBool::new(false));
    for is_request in [true, false] {
        let (from, to) = if is_request { (&client, &server) } else { (&server, &client) };
        from.set_nonblocking(false).unwrap();
        from.set_nodelay(true).unwrap();
        from.set_read_timeout(Some(LOOK)).unwrap();
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let pump = Pump { from, to, is_request, lost: Arc::clone(&lost), shared: Arc::clone(shared) };
        std::thread::spawn(move || pump.run());
    }
}

/// One direction of a connection.
struct Pump {
    from: TcpStream,
    to: TcpStream,
    is_request: bool,
    /// The next answer on this connection does not arrive.
    lost: Arc<AtomicBool>,
    shared: Arc<Shared>,
}

impl Pump {
    fn run(mut self) {
        let mut piece = vec![0; 64 * 1024];
        loop {
            let fault = self.shared.fault();
            if self.shared.is_over() || fault == Fault::Refuse {
                return self.reset();
            }
            match self.from.read(&mut piece) {
                Ok(0) => {
                    self.hold_back();
                    return self.close();
                }
                Ok(size) => {
                    if !self.pass(&piece[..size]) {
                        return;
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => {
                    self.hold_back();
                    return self.reset();
                }
            }
        }
    }

    /// Where nothing passes, a goodbye does not either: the server keeps the session that its client has given up.
    fn hold_back(&self) {
        let fault = self.shared.fault();
        let swallowed = matches!(fault, Fault::SwallowAnswerTo(_)) && self.lost.load(Ordering::SeqCst);
        if swallowed || fault == Fault::Silence {
            self.shared.outlast(fault);
        }
    }

    /// Does to this piece what is in force; whether the connection goes on.
    fn pass(&mut self, piece: &[u8]) -> bool {
        let fault = self.shared.fault();
        match fault {
            Fault::Pass => {}
            Fault::Refuse | Fault::Reset => return self.ends(Self::reset),
            Fault::Close => return self.ends(Self::close),
            Fault::Delay(delay) => std::thread::sleep(delay),
            Fault::Trickle => return self.trickle(piece),
            Fault::CutRequest if self.is_request => return self.cut(piece),
            Fault::CutAnswer if !self.is_request => return self.cut(piece),
            Fault::CutRequest | Fault::CutAnswer => {}
            Fault::Silence => {
                self.shared.hit();
                self.shared.outlast(fault);
                self.reset();
                return false;
            }
            Fault::LoseAnswerTo(text) | Fault::SwallowAnswerTo(text) => {
                let is_due =
                    matches!(fault, Fault::LoseAnswerTo(_)) || self.shared.hits.load(Ordering::Relaxed) == 0;
                if self.is_request && is_due && contains(piece, text.as_bytes()) {
                    self.lost.store(true, Ordering::SeqCst);
                } else if !self.is_request && self.lost.load(Ordering::SeqCst) {
                    if matches!(fault, Fault::LoseAnswerTo(_)) {
                        return self.ends(Self::reset);
                    }
                    self.shared.hit();
                    self.shared.outlast(fault);
                    self.reset();
                    return false;
                }
            }
        }
        self.to.write_all(piece).is_ok()
    }

    fn ends(&self, how: impl FnOnce(&Self)) -> bool {
        self.shared.hit();
        how(self);
        false
    }

    fn cut(&mut self, piece: &[u8]) -> bool {
        let half = &piece[..piece.len() / 2];
        let sent = self.to.write_all(half);
        assert!(sent.is_ok() || sent.is_err(), "a peer that is gone already is as good");
        self.ends(Self::close)
    }

    /// A byte a second as long as it lasts, and the rest at once.
    fn trickle(&mut self, piece: &[u8]) -> bool {
        self.shared.hit();
        for (place, byte) in piece.iter().enumerate() {
            if self.shared.fault() != Fault::Trickle {
                return self.to.write_all(&piece[place..]).is_ok();
            }
            if self.to.write_all(&[*byte]).is_err() {
                return false;
            }
            let look = || (self.shared.fault() != Fault::Trickle || self.shared.is_over()).then_some(());
            if super::within(Duration::from_secs(1), look).is_some() && self.shared.is_over() {
                return false;
            }
        }
        true
    }

    fn close(&self) {
        for end in [&self.from, &self.to] {
            // The other direction may have been faster.
            drop(end.shutdown(Shutdown::Both));
        }
    }

    /// Without linger, closing sends RST: whoever waits is told at once, and what is under way is lost.
    fn reset(&self) {
        for end in [&self.from, &self.to] {
            drop(socket2::SockRef::from(end).set_linger(Some(Duration::ZERO)));
        }
        self.close();
    }
}

fn contains(piece: &[u8], text: &[u8]) -> bool {
    piece.windows(text.len()).any(|window| window == text)
}
