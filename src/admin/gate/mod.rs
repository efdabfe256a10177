//! The gate: who may come in, and what may be asked. What passes is a complete, well-formed request of
//! limited size, and goes to the HTTP library behind.

mod body;
mod clients;
mod connection;
mod head;
mod library;
mod passwords;
mod places;
mod rate;
mod reload;
mod tls;
mod web_config;
mod wires;

use std::{
    net::{IpAddr, SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Sender, bounded};
use ipnet::IpNet;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::sleep,
};

pub(super) use self::{
    body::too_large,
    head::Head,
    library::Library,
    wires::{CONNECTIONS, Lane},
};
use self::{passwords::Passwords, places::Places, reload::Watch, web_config::Rules, wires::Wires};
use crate::{
    config::{self, Problem, Problems},
    flow::Crew,
    metrics::{Metrics, Refused},
};

/// Bodies that are being received at a time; this bounds the memory, and no more can be answered.
const BODIES: usize = 4;

/// A certificate that ends within so many days is told by `check`.
const EXPIRES_SOON_DAYS: i64 = 30;

/// What all connections have in common.
#[derive(Debug)]
pub(super) struct Gate {
    metrics: Arc<Metrics>,
    wires: Wires,
    allow: Vec<IpNet>,
    open_health: bool,
    rules: watch::Receiver<Arc<Rules>>,
    passwords: Passwords,
    bodies: Semaphore,
    body_limit: usize,
    /// Closes with the gate; whoever watches the files ends then.
    _watching: Sender<()>,
}

impl Gate {
    /// A gate before the library at the other ends of `streams`. `crew` gets the threads that read the
    /// web configuration when it changes, and that check passwords.
    ///
    /// # Errors
    /// The web configuration is no good, or the system has no room.
    pub(super) fn new(
        config: &config::Admin,
        metrics: Arc<Metrics>,
        streams: Vec<std::os::unix::net::UnixStream>,
        crew: &mut Crew,
    ) -> Result<Self> {
        let (watching, stop) = bounded(0);
        let (passwords, jobs) = Passwords::new();
        let (rules_in, mut rules) = watch::channel(Arc::new(Rules::default()));
        if !config.web_config.as_os_str().is_empty() {
            let (watch, first) = Watch::begin(&config.web_config, &metrics)
                .map_err(|problems| wrong(&config.web_config, problems))?;
            rules_in.send_replace(Arc::new(first));
            rules.mark_unchanged();
            let metrics = Arc::clone(&metrics);
            crew.spawn("web-config", move |_| {
                watch.run(&rules_in, &metrics, &stop);
                Ok(())
            })?;
            crew.spawn("passwords", move |_| {
                jobs.iter().for_each(passwords::Job::work);
                Ok(())
            })?;
        }
        Ok(Self {
            metrics,
            wires: Wires::new(streams).context("failed to use the HTTP library")?,
            allow: config.allow.clone(),
            open_health: config.open_health,
            rules,
            passwords,
            bodies: Semaphore::new(BODIES),
            body_limit: config.body_limit_bytes,
            _watching: watching,
        })
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.borrow())
    }

    fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow.is_empty() || self.allow.iter().any(|network| network.contains(&address))
    }
}

fn wrong(file: &Path, problems: Vec<String>) -> Problems {
    let problem = |why| Problem {
        key: "admin.web_config".to_owned(),
        why: format!("{}: {why}", file.display()),
        place: None,
    };
    Problems(problems.into_iter().map(problem).collect())
}

/// What is wrong with who may read, and what should be looked at; nothing is started.
pub(super) fn check(config: &config::Admin, now_unix_s: i64) -> (Problems, Vec<String>) {
    let mut warnings = Vec::new();
    let mut rules = Rules::default();
    if !config.web_config.as_os_str().is_empty() {
        let loaded = web_config::load(&config.web_config);
        let told = |text: String| format!("{}: {text}", config.web_config.display());
        warnings.extend(loaded.warnings.into_iter().map(told));
        match loaded.rules {
            Ok(loaded) => rules = loaded,
            Err(problems) => return (wrong(&config.web_config, problems), warnings),
        }
    }
    let tls = rules.tls.as_ref();
    for (what, ends) in [
        ("the server's certificate", tls.and_then(|tls| tls.ends)),
        ("a certificate of client_ca", tls.and_then(|tls| tls.client_ca_ends)),
    ] {
        let Some(days) = ends.map(|end| (end - now_unix_s).div_euclid(86_400)) else { continue };
        if days < 0 {
            warnings.push(format!("{what} has expired; put a new one in its place"));
        } else if days < EXPIRES_SOON_DAYS {
            warnings.push(format!("{what} expires in {days} days; put a new one in its place"));
        }
    }
    let reachable = !config.address.ip().to_canonical().is_loopback();
    let verified = tls.is_some_and(|tls| tls.verifies);
    if reachable && rules.users.is_empty() && !verified {
        warnings.push(format!(
            "admin.address = \"{}\" is open to other machines, and nobody is asked who he is; set \
             admin.web_config (see docs/security.md), or listen on 127.0.0.1",
            config.address
        ));
    }
    if reachable && tls.is_none() && !rules.users.is_empty() {
        warnings.push(
            "passwords travel in the clear without TLS; set tls_server_config in admin.web_config"
                .into(),
        );
    }
    (Problems::default(), warnings)
}

/// Takes the address; says what to do if it cannot be had.
///
/// # Errors
/// It cannot be had.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow!(
            "failed to listen on {address}: another program (perhaps another linly-edge) has \
             that port; stop it, or set admin.address to another port"
        ),
        std::io::ErrorKind::PermissionDenied => anyhow!(
            "failed to listen on {address}: not allowed; set admin.address to a port above 1023"
        ),
        std::io::ErrorKind::AddrNotAvailable => anyhow!(
            "failed to listen on {address}: this machine does not have that address; set \
             admin.address to one of its own, or to 127.0.0.1"
        ),
        _ => anyhow!("failed to listen on {address}: {error}; check admin.address"),
    })?;
    listener.set_nonblocking(true).context("failed to listen without waiting")?;
    Ok(listener)
}

/// Accepts connections for ever.
pub(super) async fn accept(
    listener: &tokio::net::TcpListener,
    gate: &Arc<Gate>,
    connections: &mut JoinSet<()>,
) {
    let places = Arc::new(Places::new(gate.metrics.http_connections.clone()));
    let refused = |reason| gate.metrics.http_refused.of(reason).inc();
    loop {
        while connections.try_join_next().is_some() {}
        let (stream, address) = match listener.accept().await {
            Ok((stream, address)) => (stream, address.ip()),
            Err(error) => {
                // Out of descriptors, most likely: some come back when a connection ends.
                tracing::warn!(%error, "a connection was not accepted");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        if !gate.admits(address) {
            refused(Refused::Address);
            continue;
        }
        let (place, evicted) = places.enter(address);
        if evicted || place.is_none() {
            refused(Refused::Connections);
        }
        if let Some((place, end)) = place {
            let gate = Arc::clone(gate);
            connections.spawn(async move {
                tokio::select! {
                    _ = end => {}
                    () = connection::serve(stream, address, &gate, &place) => {}
                }
            });
        }
    }
}
