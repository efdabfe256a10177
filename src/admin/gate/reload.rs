//! Keeps the rules as the files say, without a restart.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use tokio::sync::watch;

use super::web_config::{self, Mark, Rules};
use crate::metrics::Metrics;

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// The files of the rules and how they were when they were read.
#[derive(Debug)]
pub(super) struct Watch {
    path: PathBuf,
    files: Vec<(PathBuf, Mark)>,
}

impl Watch {
    /// Reads the rules for the first time.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub(super) fn begin(path: &Path, metrics: &Metrics) -> Result<(Self, Rules), Vec<String>> {
        let loaded = web_config::load(path);
        for warning in &loaded.warnings {
            tracing::warn!(file = %path.display(), "{warning}");
        }
        let rules = loaded.rules?;
        tell(&rules, metrics);
        Ok((Self { path: path.to_owned(), files: loaded.files }, rules))
    }

    /// Looks at the files until `stop` closes.
    pub(super) fn run(
        mut self,
        rules: &watch::Sender<Arc<Rules>>,
        metrics: &Metrics,
        stop: &Receiver<()>,
    ) {
        while stop.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
            if self.files.iter().all(|(file, before)| web_config::mark(file) == *before) {
                continue;
            }
            let path = self.path.clone();
            let loaded = web_config::load(&path);
            // Also after a failure: it is told once, and again when something has changed.
            self.files = loaded.files;
            match loaded.rules {
                Ok(new) => {
                    tell(&new, metrics);
                    rules.send_replace(Arc::new(new));
                    metrics.web_config_reloads.inc();
                    tracing::info!(file = %path.display(), "the web configuration was read again");
                }
                Err(problems) => {
                    metrics.web_config_failures.inc();
                    let why = problems.join("; ");
                    tracing::error!(
                        file = %path.display(), why, "the web configuration is no good; the old one stays"
                    );
                }
            }
        }
    }
}

fn tell(rules: &Rules, metrics: &Metrics) {
    let tls = rules.tls.as_ref();
    metrics.certificate_ends("server", tls.and_then(|tls| tls.ends));
    metrics.certificate_ends("client_ca", tls.and_then(|tls| tls.client_ca_ends));
}
