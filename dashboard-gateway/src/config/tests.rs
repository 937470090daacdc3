//! What is accepted, and what is refused with which words.

use super::*;

fn sources(env: &[(&str, &str)], sets: &[&str]) -> Sources {
    Sources {
        service: SERVICE,
        files: Vec::new(),
        sets: sets.iter().map(|s| (*s).to_owned()).collect(),
        env: env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    }
}

fn load(env: &[(&str, &str)], sets: &[&str]) -> Result<Config, ConfigErrors> {
    Config::load(&sources(env, sets))
}

#[test]
fn defaults_need_no_file() {
    let config = load(&[], &[]).unwrap();
    assert_eq!((config.port, config.admin_port, config.mode), (3001, 8082, Mode::Development));
    assert_eq!(config.server.url_prefix, "/");
    assert!(!config.auth.anonymous_viewer && !config.server.tls && config.admin.password.is_none());
}

#[test]
fn prefix_and_tls_come_from_the_public_url_or_the_prefix_alone() {
    let check = |sets: &[&str], prefix: &str, tls: bool| {
        let server = load(&[], sets).unwrap().server;
        assert_eq!((server.url_prefix.as_str(), server.tls), (prefix, tls), "{sets:?}");
    };
    check(&["server.url_prefix=/obs"], "/obs/", false);
    check(&["server.url_prefix=a/b/"], "/a/b/", false);
    check(&["server.root_url=https://Obs.example.com"], "/", true);
    check(&["server.root_url=https://obs.example.com/grafana/"], "/grafana/", true);
    check(&["server.root_url=https://obs.example.com/x", "server.url_prefix=/y"], "/y/", true);
}

#[test]
fn the_password_is_taken_as_it_stands_and_never_shown() {
    let hostile = "pass: [word]#*&";
    let check = |env: &[(&str, &str)], sets: &[&str], expect: &str| {
        let config = load(env, sets).unwrap();
        assert_eq!(config.admin.password.as_ref().unwrap().reveal(), expect);
        assert!(!config.shown.contains(expect) && !format!("{config:?}").contains(expect));
    };
    check(&[("YC_DASHBOARD_GATEWAY_ADMIN_PASSWORD", hostile)], &[], hostile);
    check(&[("GF_SECURITY_ADMIN_PASSWORD", hostile)], &[], hostile);
    let both = [
        ("YC_DASHBOARD_GATEWAY_ADMIN_PASSWORD", "longenough1"),
        ("GF_SECURITY_ADMIN_PASSWORD", "longenough2"),
    ];
    check(&both, &[], "longenough1");
    check(&both, &["admin.password=longenough3"], "longenough3");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from a file\n").unwrap();
    check(&[("YC_DASHBOARD_GATEWAY_ADMIN_PASSWORD_FILE", file.path().to_str().unwrap())], &[], "from a file");
    check(&[("GF_SECURITY_ADMIN_PASSWORD__FILE", file.path().to_str().unwrap())], &[], "from a file");
}

#[test]
fn all_impossible_values_are_named_together() {
    let sets = [
        "server.url_prefix=/../x",
        "server.root_url=ftp://x",
        "server.trusted_proxies=[here]",
        "upstreams.traces=nowhere",
        "proxy.timeout=0",
        "admin.password_file=/none",
    ];
    let error = load(&[], &sets).unwrap_err().to_string();
    for part in [
        "6 errors",
        "`server.url_prefix`: expected an absolute path",
        "`server.root_url`: `ftp://x` is not a URL",
        "`server.trusted_proxies`: `here` is not an IP address",
        "`upstreams.traces`: expected `host:port`",
        "`proxy.timeout`: must be greater than 0",
        "`admin.password_file`: /none cannot be read",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn weak_passwords_are_refused_in_both_modes_and_admin_in_production() {
    for sets in [
        &["admin.password=short"][..],
        &["mode=production", "admin.password=admin"],
        &["mode=production", "admin.password=short"],
    ] {
        assert!(load(&[], sets).unwrap_err().to_string().contains("`admin.password`"), "{sets:?}");
    }
    load(&[], &["admin.password=admin"]).unwrap();
    load(&[], &["mode=production", "admin.password=correct horse"]).unwrap();
}
