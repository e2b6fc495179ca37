//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::cli::progress::notice;
use crate::engine::Options;
use crate::error::{Error, Result};
use crate::format::Format;
use crate::judgment::Answer;
use crate::score::Model;
use crate::serve::Role;
use crate::store::Access;

/// Finds mirror accounts: accounts a banned actor opens again. It flags; people decide.
#[derive(Debug, Parser)]
#[command(name = "mirrorwatch", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Folder of the database.
    #[arg(
        long,
        global = true,
        env = "MIRRORWATCH_DB",
        default_value = "mirrorwatch.db",
        value_name = "DIR"
    )]
    pub(crate) db: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The main job end to end, on a temporary database and the samples in `data/`.
    Demo {
        /// Folder of the samples.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Add or update banned accounts by id.
    Enroll {
        #[command(flatten)]
        files: Files,
        /// Go on where a load of the same files was cut off.
        #[arg(long)]
        resume: bool,
    },
    /// Remove entries by id.
    Withdraw {
        /// Ids of entries.
        #[arg(required_unless_present = "from", value_name = "ID")]
        ids: Vec<String>,
        /// A file of ids, one a line.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
    /// Judge accounts: one report line for each record, in order; serves a pipe.
    Screen {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        judging: Judging,
        #[command(flatten)]
        telling: Telling,
    },
    /// Judge many accounts on all cores, into a file; can be resumed.
    Rescan {
        #[command(flatten)]
        files: Files,
        /// Where reports go; a name ending in .ndjson, .jsonl or .json.
        #[arg(long, value_name = "FILE", value_parser = reports_file)]
        out: PathBuf,
        /// Go on where an interrupted run stopped.
        #[arg(long)]
        resume: bool,
        /// Leave clear reports out.
        #[arg(long)]
        flagged_only: bool,
        #[command(flatten)]
        judging: Judging,
        #[command(flatten)]
        telling: Telling,
    },
    /// Entries with the same, a confusable or a near handle.
    Lookup {
        /// The handle, with or without `@`.
        handle: String,
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
        /// Most entries shown.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Why, or why not: every signal of one pair.
    Explain {
        /// Id of an account seen or enrolled, or a file with its record.
        #[arg(value_name = "ID-OR-FILE")]
        probe: String,
        /// Id of the entry.
        entry: String,
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        judging: Judging,
    },
    /// Labelled probes (`mirror_of`, `tactic`) -> recall, precision, ranks, calibration.
    Evaluate {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        judging: Judging,
        /// JSON instead of tables.
        #[arg(long)]
        json: bool,
    },
    /// Fit weights, prior and thresholds to probes, into a file that `--model` reads. Probes with `mirror_of` say which
    /// are mirrors; where none does, it is estimated (EM).
    Calibrate(Calibrate),
    /// Build or extend the rarity background from ordinary accounts; keeps counts only.
    Background(Background),
    /// Sizes of the watchlist and the database.
    Stats {
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Read everything and say what is damaged; exits 1 on any damage.
    Verify,
    /// Write all entries as NDJSON; tokens stay behind.
    Export {
        /// Write judgments and protected accounts instead, as `judge --from` reads them.
        #[arg(long)]
        judgments: bool,
    },
    /// Write a consistent copy of the database.
    Backup {
        /// A folder that does not exist yet.
        dir: PathBuf,
    },
    /// Make the database from a backup; refuses to replace one.
    Restore {
        /// A folder that `backup` wrote.
        dir: PathBuf,
    },
    /// Say of a pair whether it is a mirror; a pair judged `not_mirror` is flagged no more, a `mirror` that was screened
    /// joins the lineage of the entry; from a file mirrors are only kept.
    Judge {
        /// Id of the account that was screened.
        #[arg(required_unless_present = "from")]
        probe: Option<String>,
        /// Id of the entry.
        #[arg(required_unless_present = "from")]
        entry: Option<String>,
        /// mirror, not_mirror or unsure.
        #[arg(required_unless_present = "from", value_name = "JUDGMENT")]
        answer: Option<Answer>,
        /// NDJSON with `probe`, `entry`, `judgment`, and if told `note`, `who`, `at`; `-` is standard input.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["probe", "entry", "answer"])]
        from: Option<PathBuf>,
        #[command(flatten)]
        remark: Remarks,
    },
    /// Serve HTTP: the interface of signup pipelines and the console of analysts.
    Serve(Serve),
    /// Keys of those who may call the service.
    Keys {
        #[command(subcommand)]
        what: KeysCommand,
    },
    /// Settings of the service.
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Erase what is kept of accounts: entries, what was seen, decisions, judgments and protections with their notes.
    Erase {
        /// Ids of accounts.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// Keep what people judged, and protections.
        #[arg(long)]
        keep_judgments: bool,
    },
    /// Never flag these accounts, whatever entry they are like.
    Protect {
        /// Ids of accounts.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// End their protection.
        #[arg(long)]
        remove: bool,
        #[command(flatten)]
        remark: Remarks,
    },
}

/// How the service runs.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address and port [default: 127.0.0.1:8787]. Beyond this machine only with keys.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// Settings in TOML; variables MIRRORWATCH__NAME go over it.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Certificate chain in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) judging: Judging,
    /// Most hits a report.
    #[arg(long, default_value_t = 5)]
    pub(crate) hits: usize,
}

/// What is done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and print it, once; only its salted hash is kept.
    Add {
        /// Who it is for.
        name: String,
        /// screen, analyst or admin; each may what those before it may.
        #[arg(long)]
        role: Role,
    },
    /// Names, roles and dates.
    List,
    /// End a key, by its name or id. A running service honours it within a second.
    Revoke {
        /// Name or id.
        name: String,
    },
}

/// What is done with settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read the settings and say what is wrong with them.
    Check {
        /// Settings in TOML.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

/// What is said beside a judgment.
#[derive(Debug, Args)]
pub(crate) struct Remarks {
    /// Why, in a sentence.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) note: String,
    /// Who judges [default: the user, or cli].
    #[arg(long, value_name = "NAME")]
    pub(crate) who: Option<String>,
}

/// What teaches the background, and where it goes.
#[derive(Debug, Args)]
pub(crate) struct Background {
    /// Records: .ndjson, .jsonl or .csv, also .gz or .zst; `-` is standard input.
    #[arg(required_unless_present = "learned", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// ndjson or csv, where the name does not tell.
    #[arg(long)]
    pub(crate) format: Option<Format>,
    /// Let what clear accounts have taught while they were screened weigh in from now on.
    #[arg(long, conflicts_with_all = ["files", "fresh", "out"])]
    pub(crate) learned: bool,
    /// Start from nothing instead of extending the background in use.
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Write to this file instead of the database.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Most features kept, the most common first; a million take 16 MB of memory.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) features: usize,
}

/// What is to be fitted, and where to.
#[derive(Debug, Args)]
pub(crate) struct Calibrate {
    /// Probes, labelled or not: .ndjson, .jsonl or .csv, also .gz or .zst; `-` is standard input.
    #[arg(required_unless_present = "judgments", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// ndjson or csv, where the name does not tell.
    #[arg(long)]
    pub(crate) format: Option<Format>,
    /// Fit only what a score is worth, to the judgments in the database.
    #[arg(long, conflicts_with = "files")]
    pub(crate) judgments: bool,
    /// The model file to write.
    #[arg(long, value_name = "FILE", default_value = "mirrorwatch-model.json")]
    pub(crate) out: PathBuf,
    /// Mirrors expected in a signup. If not told: with labels as many as the model expects, without as many as are found.
    #[arg(long, value_parser = share, value_name = "SHARE")]
    pub(crate) mirrors_per_signup: Option<f32>,
    #[command(flatten)]
    pub(crate) judging: Judging,
}

/// Inputs.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// Records: .ndjson, .jsonl or .csv, also .gz or .zst; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// ndjson or csv, where the name does not tell.
    #[arg(long)]
    pub(crate) format: Option<Format>,
}

/// How evidence is judged.
#[derive(Debug, Clone, Args)]
pub(crate) struct Judging {
    /// False `match` verdicts put up with in 10,000 ordinary signups; `review` costs ten times that.
    #[arg(long, default_value_t = 1.0, value_parser = positive, value_name = "X")]
    pub(crate) false_flags_per_10k: f32,
    /// Weights that `calibrate` wrote, instead of the ones that ship.
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,
}

/// How much is told.
#[derive(Debug, Clone, Args)]
pub(crate) struct Telling {
    /// Most hits a report.
    #[arg(long, default_value_t = 5)]
    pub(crate) hits: usize,
    /// Tell hits below the review threshold too.
    #[arg(long)]
    pub(crate) all_candidates: bool,
}

impl Judging {
    /// Options for an engine that tells its best hits.
    ///
    /// # Errors
    /// The model file cannot be read, or is none.
    pub(crate) fn options(&self, access: Access) -> Result<Options> {
        let model = match &self.model {
            None => Model::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
                Model::from_json(&text).map_err(|error| Error::Malformed {
                    what: path.display().to_string(),
                    reason: format!("no model that `calibrate` wrote: {error}"),
                })?
            }
        };
        Ok(Options {
            access,
            false_flags_per_10k: self.false_flags_per_10k,
            model,
            notice,
            ..Options::default()
        })
    }
}

impl Telling {
    /// Options for an engine that judges and tells like that.
    ///
    /// # Errors
    /// The model file cannot be read, or is none.
    pub(crate) fn options(&self, judging: &Judging, access: Access) -> Result<Options> {
        Ok(Options {
            hits_max: self.hits,
            all_candidates: self.all_candidates,
            ..judging.options(access)?
        })
    }
}

fn reports_file(name: &str) -> std::result::Result<PathBuf, String> {
    let path = PathBuf::from(name);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("ndjson" | "jsonl" | "json") => Ok(path),
        _ => Err("reports are written as .ndjson, .jsonl or .json".into()),
    }
}

fn share(text: &str) -> std::result::Result<f32, String> {
    match text.parse::<f32>() {
        Ok(number) if number > 0.0 && number <= 0.5 => Ok(number),
        _ => Err("expected a share above 0, at most 0.5".into()),
    }
}

fn positive(text: &str) -> std::result::Result<f32, String> {
    match text.parse::<f32>() {
        Ok(number) if number > 0.0 && number <= 10_000.0 => Ok(number),
        _ => Err("expected a number above 0, at most 10000".into()),
    }
}
