//! `models list`, `models verify` and `models notices`.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Subcommand;

use super::WRONG_CONFIG;
use crate::{
    engine::{pack::Pack, vision::notice},
    report,
};

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
    /// Print the licences of what others have made: the face detector that is built in, and what the pack
    /// was made with.
    #[command(after_help = "Example:  linly-edge models notices | less")]
    Notices {
        /// Folder of the model pack, in place of the one that is built in.
        #[arg(long, value_name = "DIR")]
        pack: Option<PathBuf>,
    },
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

/// What comes with the program, and each file of the pack whose name says that it is a notice.
fn notices(pack: &Pack) -> Result<ExitCode> {
    report::print("The face detector that is built in (SeetaFace, in the crate rustface):\n");
    report::print(notice());
    let mut files: Vec<_> = fs::read_dir(&pack.folder)
        .with_context(|| format!("failed to read the folder {}", pack.folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with("notice.txt"))
        .collect();
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file)
            .with_context(|| format!("failed to read {}", file.display()))?;
        report::print(&format!("\n{}:\n\n{text}", file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

impl Models {
    pub(super) fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Notices { pack } => notices(&Which { pack: pack.clone(), json: false }.open()?),
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
