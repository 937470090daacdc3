//! `health URL`: asks one URL and exits, for images that hold nothing but the binary.
//!
//! Knows: one HTTP/1.1 request. Must not know: what is asked. Start at [`main_from`].

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::process::ExitCode;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(2);
const STATUS_LINE_BYTES: usize = 16;

/// Asks the URL that is the only argument: success when it answers with 2xx, else one line on standard error.
#[must_use]
pub fn main_from(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.map(|a| a.to_string_lossy().into_owned()).collect();
    let asked = match arguments.as_slice() {
        [url] => ask(url),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "expected one URL, such as http://127.0.0.1:13133/",
        )),
    };
    match asked {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // nobody is left to tell when standard error is closed
            let _said = writeln!(io::stderr(), "health: {error}");
            ExitCode::FAILURE
        }
    }
}

/// # Errors
/// When nobody answers in time, or the answer is not 2xx.
fn ask(url: &str) -> io::Result<()> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidInput, format!("{url:?} is no http:// URL"));
    let rest = url.strip_prefix("http://").ok_or_else(invalid)?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address = authority.to_socket_addrs()?.next().ok_or_else(invalid)?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    let bytes_max = u64::try_from(STATUS_LINE_BYTES).unwrap_or(u64::MAX);
    stream.take(bytes_max).read_to_string(&mut answer)?;
    match answer.split_whitespace().nth(1) {
        Some(status) if status.starts_with('2') => Ok(()),
        Some(status) => Err(io::Error::other(format!("{url} answers {status}"))),
        None => Err(io::Error::other(format!("{url} gives no HTTP answer"))),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Answers one request with `status` and returns what the probe made of it.
    fn check(status: &'static str, expect: Result<(), &str>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/ready", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 512];
            let n = stream.read(&mut request).unwrap();
            assert!(request[..n].starts_with(b"GET /ready HTTP/1.1\r\n"));
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
        });
        let got = ask(&url).map_err(|e| e.to_string().replace(&url, "URL"));
        assert_eq!(got, expect.map_err(str::to_owned));
        server.join().unwrap();
    }

    #[test]
    fn only_a_success_is_healthy() {
        check("200 OK", Ok(()));
        check("204 No Content", Ok(()));
        check("503 Service Unavailable", Err("URL answers 503"));
    }

    #[test]
    fn nobody_there_is_not_healthy() {
        // held on one loopback address, so nobody else can be handed the same port on another
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        assert!(ask(&format!("http://127.0.0.2:{port}/")).is_err());
        assert!(ask("https://127.0.0.1/").is_err());
    }
}
