use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Far above the second that lies between two events.
const SILENCE: Duration = Duration::from_secs(30);

/// An answer that goes on and on: its lines as they come.
pub struct Stream {
    pub status: u16,
    pub head: String,
    reader: BufReader<TcpStream>,
}

impl Stream {
    /// Asks for `path` of the engine at this address, with these headers.
    pub fn get(address: &str, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(SILENCE)).unwrap();
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{request}\r\n").as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).unwrap(), 0, "the answer ended in its head: {head}");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, reader }
    }

    /// The next line that begins so, without that beginning; nothing: the answer ended.
    pub fn line(&mut self, begins: &str) -> Option<String> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.reader.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some(rest) = line.strip_prefix(begins) {
                return Some(rest.trim_end().to_owned());
            }
        }
    }
}
