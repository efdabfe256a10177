//! `models list` and `models verify`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Subcommand;

use super::WRONG_CONFIG;
use crate::{engine::pack::Pack, report};

#[derive(Debug, Subcommand)]
pub(super) enum Models {
    /// Print the models of a pack.
    #[command(after_help = "Example:  linly-edge models list --json | jq '.[].name'")]
    List(Which),
    /// Compare the files of a pack with the hashes in its list; exits 0 or 78.
    #[command(
        after_help = "Example:  linly-edge models verify --pack /usr/share/linly-edge/models/starter"
    )]
    Verify(Which),
}

#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Folder of the model pack, in place of the one that is built in.
    #[arg(long, value_name = "DIR")]
    pack: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Which {
    fn open(&self) -> Result<Pack> {
        match &self.pack {
            Some(folder) => Pack::open(folder),
            None => Pack::starter(),
        }
    }
}

impl Models {
    pub(super) fn run(&self) -> Result<ExitCode> {
        match self {
            Self::List(which) => list(&which.open()?, which.json),
            Self::Verify(which) => Ok(verify(&which.open()?, which.json)),
        }
    }
}

fn list(pack: &Pack, json: bool) -> Result<ExitCode> {
    if json {
        report::print(&serde_json::to_string_pretty(&pack.models)?);
        return Ok(ExitCode::SUCCESS);
    }
    let head = ["step", "name", "engine", "language", "quantisation", "licence", "bytes"];
    let mut rows = vec![head.map(String::from).to_vec()];
    for entry in &pack.models {
        let bytes: u64 = entry.files.iter().map(|file| file.bytes).sum();
        rows.push(vec![
            entry.kind.to_string(),
            entry.name.clone(),
            entry.engine.clone(),
            entry.language.join(" "),
            entry.quantisation.clone(),
            entry.licence.clone(),
            bytes.to_string(),
        ]);
    }
    report::print(&format!("{}\n{}", pack.folder.display(), report::table(&rows).trim_end()));
    Ok(ExitCode::SUCCESS)
}

fn verify(pack: &Pack, json: bool) -> ExitCode {
    // Every file is hashed once; both forms tell the same findings.
    let found: Vec<Vec<String>> =
        pack.models.iter().map(|entry| entry.problems(&pack.folder)).collect();
    let problems: Vec<&String> = found.iter().flatten().collect();
    if json {
        let files: usize = pack.models.iter().map(|entry| entry.files.len()).sum();
        report::print(&serde_json::json!({ "files": files, "problems": problems }).to_string());
    } else {
        for (entry, found) in pack.models.iter().zip(&found) {
            let state = if found.is_empty() { "ok     " } else { "damaged" };
            report::print(&format!("{state}  {}", entry.name));
        }
        for problem in &problems {
            report::print(problem);
        }
    }
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(WRONG_CONFIG) }
}
