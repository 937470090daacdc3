//! 200 and more ways to write a path that is not the caller's: none gets anything.

use std::collections::BTreeSet;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rig::{As, Rig, upstream};

/// What a viewer may not see, and a file outside.
const TARGETS: [&str; 4] =
    ["api/admin/users", "api/users", "api/datasources/proxy/uid/traces/metrics", "../../../../etc/passwd"];

fn variants() -> BTreeSet<String> {
    let dots = ["..", ".", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..%00", "%c0%ae%c0%ae", "..;", "%u002e"];
    let slashes = ["/", "//", "\\", "%2f", "%5c", "%252f", "/./", "%00/", ";/"];
    let mut out = BTreeSet::new();
    for target in TARGETS {
        for slash in slashes {
            out.insert(format!("/{}", target.replace('/', slash)));
            out.insert(format!("{slash}{target}"));
            out.insert(format!("/{target}{slash}"));
            for dot in dots {
                out.insert(format!("/assets{slash}{dot}{slash}{target}"));
                out.insert(format!("/api/health{slash}{dot}{slash}{dot}{slash}{target}"));
                out.insert(format!(
                    "/api/datasources/proxy/uid/traces/api{slash}{dot}{slash}{dot}{slash}{target}"
                ));
            }
        }
        for decoration in ["?", "#", "%20", "%09", "%3f", "%23", ".json", ";a=b", "%0d%0a", "\u{7f}"] {
            out.insert(format!("/{target}{decoration}"));
        }
        out.insert(format!("/{}", target.to_uppercase()));
        out.insert(format!("http://127.0.0.1/{target}"));
    }
    out
}

/// Status and body of a request whose path is sent as it stands: clients would repair it.
async fn raw(rig: &Rig, path: &str, who: &As) -> (u16, String) {
    let mut stream = TcpStream::connect(rig.host()).await.unwrap();
    let credentials = match who {
        As::Cookie(cookie) => format!("cookie: {cookie}\r\n"),
        As::Bearer(token) => format!("authorization: Bearer {token}\r\n"),
        As::Nobody => String::new(),
    };
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{credentials}connection: close\r\n\r\n", rig.host());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0), body.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_way_to_write_a_path_passes_the_door() {
    let traces = format!("upstreams.traces={}", upstream().await);
    let rig = Rig::start(&[&traces]).await;
    let viewer = rig.user("ann", "Viewer").await;
    let variants = variants();
    assert!(variants.len() >= 200, "only {} variants", variants.len());
    for path in &variants {
        for who in [&As::Nobody, &viewer] {
            let (status, body) = raw(&rig, path, who).await;
            let page = status == 200 && body.contains("yc-config");
            let health = status == 200 && body.contains(r#""database":"ok""#);
            let told = format!("{path} as {who:?}: {status} {body}");
            assert!(page || health || (400..500).contains(&status), "{told}");
            for secret in [r#""email""#, "root:", "passwordIsDefault\":", r#""method":"GET""#] {
                assert!(page || !body.contains(secret), "{told}");
            }
            assert!(!health || path.contains("/api/health"), "{told}");
        }
    }
    rig.stop().await;
}
