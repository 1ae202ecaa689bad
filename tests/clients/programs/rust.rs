// With the standard library alone, which has no TLS: for https a crate is needed, as ureq.
use std::io::{Read, Write};
use std::net::TcpStream;

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => (byte as char).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let names = ["key", "secret", "method", "_o_args", "result_type", "lang"];
    let pairs: Vec<String> = names.iter().zip(&given[1..]).map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    let (host, path) = given[0].strip_prefix("http://").and_then(|rest| rest.split_once('/')).ok_or("no http address")?;

    let mut stream = TcpStream::connect(host)?;
    // An answer to HTTP/1.0 is never in chunks, and ends with the connection.
    write!(stream, "GET /{path}?{} HTTP/1.0\r\nHost: {host}\r\n\r\n", pairs.join("&"))?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no answer")?;
    let head = std::str::from_utf8(&answer[..end])?;
    let status = head.split(' ').nth(1).ok_or("no status")?;

    let mut out = std::io::stdout();
    out.write_all(&answer[end + 4..])?;
    writeln!(out, "\n{status}")?;
    Ok(())
}
