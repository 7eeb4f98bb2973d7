//! Certificates for the tests, made with openssl: an authority and what it signs.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::peers;

/// What a key is.
#[derive(Clone, Copy)]
pub(crate) enum Key {
    Ec,
    Rsa,
}

impl Key {
    fn flags(self) -> &'static [&'static str] {
        match self {
            Key::Ec => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            Key::Rsa => &["-newkey", "rsa:2048"],
        }
    }
}

/// What is asked for in a certificate.
#[derive(Clone, Copy)]
pub(crate) struct Wish<'a> {
    pub(crate) key: Key,
    /// subjectAltName, as openssl writes it; none if empty.
    pub(crate) names: &'a str,
    /// Begin and end, `YYYYMMDDhhmmssZ`.
    pub(crate) dates: [&'a str; 2],
    /// Whether it may sign others.
    pub(crate) is_authority: bool,
}

/// A certificate for this machine.
pub(crate) const LOCAL: Wish<'static> = Wish {
    key: Key::Ec,
    names: "DNS:localhost,IP:127.0.0.1",
    dates: ["20200101000000Z", "20491231235959Z"],
    is_authority: false,
};

/// A directory with the certificates of one authority.
pub(crate) struct Authority {
    directory: TempDir,
    openssl: PathBuf,
}

impl Authority {
    /// An authority of its own, or `None` when openssl is not installed.
    pub(crate) fn new(name: &str, key: Key) -> Option<Authority> {
        let authority = Authority {
            directory: TempDir::new().expect("a temporary directory"),
            openssl: peers::find("openssl")?,
        };
        let configuration = format!(
            "[ca]\ndefault_ca = ca\n[ca]\ndatabase = {0}/index\nnew_certs_dir = {0}\nrand_serial = yes\n\
             default_md = sha256\npolicy = policy\ncopy_extensions = copy\nunique_subject = no\n\
             certificate = {0}/ca.pem\nprivate_key = {0}/ca.key\n[policy]\ncommonName = supplied\n\
             [server]\nbasicConstraints = CA:FALSE\n[authority]\nbasicConstraints = critical,CA:TRUE\n\
             [req]\ndistinguished_name = empty\nx509_extensions = authority\n[empty]\n",
            authority.directory.path().display()
        );
        std::fs::write(authority.path("ca.cnf"), configuration).expect("write a configuration");
        std::fs::write(authority.path("index"), "").expect("write a database");
        authority.self_signed("ca", name, key, "");
        Some(authority)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs openssl in the directory.
    fn run(&self, arguments: &[&str]) {
        let mut command = Command::new(&self.openssl);
        command.current_dir(self.directory.path()).args(arguments);
        let (status, _, error) = peers::run(&mut command);
        assert!(status.success(), "openssl {arguments:?}: {error}");
    }

    /// The authority's certificate.
    pub(crate) fn file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// A flag that trusts it.
    pub(crate) fn flag(&self) -> String {
        flag(&self.file())
    }

    /// A directory with it, for `SSL_CERT_DIR`.
    pub(crate) fn hashed_directory(&self) -> PathBuf {
        let directory = self.path("hashed");
        std::fs::create_dir(&directory).expect("a directory");
        std::fs::copy(self.file(), directory.join("ca.pem")).expect("copy a certificate");
        self.run(&["rehash", "hashed"]);
        directory
    }

    /// Signs a certificate; returns a file with it and its key, as HAProxy reads it.
    pub(crate) fn sign(&self, file: &str, wish: Wish<'_>) -> PathBuf {
        let (key, request) = (format!("{file}.key"), format!("{file}.csr"));
        let subject = format!("/CN={file}");
        let names = format!("subjectAltName={}", wish.names);
        let mut arguments = vec!["req", "-config", "ca.cnf", "-new", "-nodes"];
        arguments.extend(["-keyout", &key, "-out", &request, "-subj", &subject]);
        arguments.extend(wish.key.flags());
        if !wish.names.is_empty() {
            arguments.extend(["-addext", &names]);
        }
        self.run(&arguments);
        let out = format!("{file}.crt");
        let extensions = if wish.is_authority {
            "authority"
        } else {
            "server"
        };
        let mut arguments = vec!["ca", "-batch", "-notext", "-config", "ca.cnf"];
        arguments.extend(["-in", &request, "-out", &out, "-extensions", extensions]);
        arguments.extend(["-startdate", wish.dates[0], "-enddate", wish.dates[1]]);
        self.run(&arguments);
        self.join(file, &[&out, &key])
    }

    /// A certificate signed by its own key, as `openssl req -x509` makes it: an authority.
    pub(crate) fn self_signed(&self, file: &str, name: &str, key: Key, names: &str) -> PathBuf {
        let (key_file, out) = (format!("{file}.key"), format!("{file}.pem"));
        let subject = format!("/CN={name}");
        let names = format!("subjectAltName={names}");
        let mut arguments = vec!["req", "-config", "ca.cnf", "-x509", "-nodes", "-days", "30"];
        arguments.extend(["-keyout", &key_file, "-out", &out, "-subj", &subject]);
        arguments.extend(key.flags());
        if !names.ends_with('=') {
            arguments.extend(["-addext", &names]);
        }
        self.run(&arguments);
        self.join(&format!("{file}-whole"), &[&out, &key_file])
    }

    /// A certificate that its own key signed, with the dates wished for: what is pinned as a root.
    pub(crate) fn pinned(&self, file: &str, wish: Wish<'_>) -> PathBuf {
        let (key, request) = (format!("{file}.key"), format!("{file}.csr"));
        let names = format!("subjectAltName={}", wish.names);
        let mut arguments = vec!["req", "-config", "ca.cnf", "-new", "-nodes"];
        arguments.extend(["-keyout", &key, "-out", &request, "-subj", "/CN=pinned"]);
        arguments.extend(wish.key.flags());
        arguments.extend(["-addext", &names]);
        self.run(&arguments);
        let out = format!("{file}.pem");
        let extensions = if wish.is_authority {
            "authority"
        } else {
            "server"
        };
        let mut arguments = vec!["ca", "-batch", "-notext", "-config", "ca.cnf", "-selfsign"];
        arguments.extend(["-keyfile", &key, "-in", &request, "-out", &out]);
        arguments.extend(["-extensions", extensions]);
        arguments.extend(["-startdate", wish.dates[0], "-enddate", wish.dates[1]]);
        self.run(&arguments);
        self.join(file, &[&out, &key])
    }

    /// A certificate signed by an authority between, with that one behind it.
    pub(crate) fn sign_below(&self, file: &str, between: Wish<'_>, wish: Wish<'_>) -> PathBuf {
        self.sign("between", between);
        let lower = Authority {
            directory: TempDir::new().expect("a temporary directory"),
            openssl: self.openssl.clone(),
        };
        let configuration = std::fs::read_to_string(self.path("ca.cnf")).expect("a configuration");
        let [upper, own] = [self, &lower].map(|one| one.directory.path().display().to_string());
        std::fs::write(lower.path("ca.cnf"), configuration.replace(&upper, &own))
            .expect("write a configuration");
        std::fs::write(lower.path("index"), "").expect("write a database");
        for (from, to) in [("between.crt", "ca.pem"), ("between.key", "ca.key")] {
            std::fs::copy(self.path(from), lower.path(to)).expect("copy a file");
        }
        let whole = std::fs::read(lower.sign(file, wish)).expect("a certificate");
        std::fs::write(self.path(&format!("{file}.single")), whole).expect("write a file");
        self.join(file, &[&format!("{file}.single"), "between.crt"])
    }

    fn join(&self, file: &str, parts: &[&str]) -> PathBuf {
        let bytes: Vec<u8> = parts
            .iter()
            .flat_map(|part| std::fs::read(self.path(part)).expect("a file of openssl"))
            .collect();
        let path = self.path(&format!("{file}.whole"));
        std::fs::write(&path, bytes).expect("write a file");
        path
    }
}

/// A flag that trusts the certificates in a file.
pub(crate) fn flag(path: &Path) -> String {
    format!("--haproxy.ssl-ca-file={}", path.display())
}
