use rustix::process::Signal;

use crate::directory::{Directory, User};
use crate::port;
use crate::process::{Process, Recipe};
use crate::program::Program;
use crate::server::lifecycle;

/// An nginx that hands requests to servers in turn, whatever cookie they carry.
#[derive(Debug)]
pub struct Nginx {
    // Dropped first: its directory goes after it.
    process: Option<Process>,
    directory: Directory,
    port: u16,
    upstreams: Vec<String>,
    user: Option<User>,
}

lifecycle!(Nginx, QUIT);

impl Nginx {
    /// Starts one in front of `upstreams`, each a host and port.
    #[must_use]
    pub fn start(upstreams: &[&str]) -> Self {
        let upstreams = upstreams.iter().map(|&upstream| upstream.to_owned()).collect();
        let user = User::unprivileged();
        let directory = Directory::new(None, user);
        let mut nginx = Self { process: None, directory, port: 0, upstreams, user };
        nginx.start_on_a_free_port();
        nginx
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn choose_port(&mut self) {
        self.port = port::free();
    }

    /// Whether it came up.
    fn launch(&mut self) -> bool {
        let configuration = self.directory.write("nginx.conf", &self.configuration());
        let here = self.directory.path().display().to_string();
        let arguments = ["-p", &here, "-e", "stderr", "-c", &configuration.display().to_string()];
        let recipe = Recipe {
            name: "nginx",
            program: Program::Nginx.path(),
            arguments: arguments.map(str::to_owned).to_vec(),
            end: ("TERM", Signal::TERM),
            user: self.user,
        };
        let process = self.process.insert(Process::start(&recipe, &self.directory));
        process.becomes_ready(|| port::answers(self.port))
    }

    fn configuration(&self) -> String {
        let servers: String =
            self.upstreams.iter().map(|upstream| format!("    server {upstream};\n")).collect();
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let places: String = kinds.map(|kind| format!("  {kind}_temp_path temp_{kind};\n")).concat();
        format!(
            "daemon off;\nworker_processes 1;\npid nginx.pid;\nevents {{ worker_connections 1024; }}\n\
             error_log stderr;\nhttp {{\n  access_log off;\n{places}  upstream shops {{\n{servers}    keepalive 32;\n  }}\n\
             \x20 server {{\n    listen 127.0.0.1:{};\n    location / {{\n      proxy_pass http://shops;\n\
             \x20     proxy_http_version 1.1;\n      proxy_set_header Connection \"\";\n\
             \x20     proxy_set_header Host $http_host;\n    }}\n  }}\n}}\n",
            self.port
        )
    }
}
