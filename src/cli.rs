//! The command line: clap's types and nothing else.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Tells salon clients by messenger what happened to their YClients bookings, by polling alone.
#[derive(Parser)]
#[command(
    name = "booking-monitor",
    version,
    about,
    subcommand_negates_reqs = true
)]
pub struct Cli {
    /// The configuration [default: ./booking-monitor.toml, else /etc/booking-monitor/booking-monitor.toml]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// Poll every company once, send everything that is due, and exit
    #[arg(long)]
    pub once: bool,

    /// With --once: wait for what can become due within `max_delay`, and send it
    #[arg(long, requires = "once")]
    pub drain: bool,

    /// Log at debug level
    #[arg(short, long, global = true)]
    pub verbose: bool,

    /// What to do; the daemon when nothing is said
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Run the daemon in the foreground, logging to stderr
    Run,
    /// Watch a simulated salon for half a minute: no configuration, no network, no credentials
    Demo(DemoArgs),
    /// Set everything up by answering questions: tokens, branches, messengers, the owner's chat
    Init(InitArgs),
    /// Write to every client from now on, after a look at what yesterday would have sent
    GoLive {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Check the configuration, the templates and the database
    Check {
        /// Ask YClients and every channel too, without sending anything
        #[arg(long)]
        online: bool,
    },
    /// Show how everything fares, from the database alone
    Status {
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Tell one booking's whole story: what was seen, what was decided and why, what was sent
    Explain {
        /// The record's id in YClients
        record: i64,
        /// Its company, where several have a record of that id
        #[arg(long, value_name = "ID")]
        company: Option<i64>,
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Show the last notifications
    Log {
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Of this company only
        #[arg(long, value_name = "ID")]
        company: Option<i64>,
        /// With this status only
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Show a message as its recipient would read it
    Preview(PreviewArgs),
    /// Send somebody an emulated event through a real channel
    SendTest(Box<SendTestArgs>),
    /// Show what clients wrote and what they were answered
    Messages(MessagesArgs),
    /// Show what clients wrote, and whether they were answered
    Inbox {
        /// Only what waits for an answer
        #[arg(long)]
        unanswered: bool,
        /// Which
        #[command(flatten)]
        of: MessagesArgs,
    },
    /// Try out what would follow from a client's message; sends and writes nothing
    ReceiveTest(ReceiveTestArgs),
    /// Talk with a salon's agent in the terminal, as a client would: nobody else reads it, and nothing is
    /// written into a real journal
    Chat(ChatArgs),
    /// Read the whole horizon from YClients and print every difference from the cache
    Verify {
        /// Of this company only
        #[arg(long, value_name = "ID")]
        company: Option<i64>,
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Make dead or uncertain notifications due again
    Retry {
        /// Their ids
        #[arg(value_name = "NOTIFICATION_ID", required_unless_present = "dead")]
        ids: Vec<i64>,
        /// All dead ones
        #[arg(long, conflicts_with = "ids")]
        dead: bool,
    },
    /// Let go what the mass-change guard holds
    Release {
        /// Of this company only
        #[arg(long, value_name = "ID")]
        company: Option<i64>,
        /// Drop it instead of sending it
        #[arg(long)]
        discard: bool,
        /// What narrowed rights seem to hide is really gone: believe it
        #[arg(long, conflicts_with = "discard")]
        hidden: bool,
    },
    /// Write to no client for a while; replies, owner's copies and alerts go on
    Pause {
        /// What to pause; everything when nothing is named
        #[command(flatten)]
        of: PauseArgs,
        /// It ends by itself after this long, such as 2h
        #[arg(long = "for", value_name = "SPAN")]
        span: Option<String>,
    },
    /// End a pause: the one about exactly this, or all when nothing is named
    Resume {
        /// Which
        #[command(flatten)]
        of: PauseArgs,
    },
    /// Erase a person's data everywhere in the database; nothing is sent to them until they write
    Forget {
        /// Their number, with or without +
        #[arg(allow_hyphen_values = true)]
        phone: String,
    },
    /// Approved templates, for official WhatsApp
    #[command(subcommand)]
    Templates(TemplatesCommand),
    /// Look after the database
    #[command(subcommand)]
    Db(DbCommand),
    /// Print what makes a shell complete these commands
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man {
        /// Write a page for every command into this folder instead
        #[arg(long, value_name = "FOLDER")]
        into: Option<PathBuf>,
    },
}

/// Which messages.
#[derive(Clone, Debug, Args)]
pub struct MessagesArgs {
    /// Of this client only
    #[arg(long, value_name = "PHONE", allow_hyphen_values = true)]
    pub phone: Option<String>,
    /// In this channel only
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// How many
    #[arg(long, default_value_t = 20)]
    pub limit: u32,
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// What is to be shown.
#[derive(Clone, Args)]
pub struct PreviewArgs {
    /// The kind of message, such as created
    pub kind: String,
    /// As this channel writes it; the company's first one when nothing is said
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// In this company's words; the first one's when nothing is said
    #[arg(long, value_name = "ID")]
    pub company: Option<i64>,
    /// Of this booking in place of a sample
    #[arg(long, value_name = "ID")]
    pub record: Option<i64>,
}

/// What is to be sent, and to whom.
#[derive(Clone, Args)]
pub struct SendTestArgs {
    /// In this company's name
    #[arg(long, value_name = "ID")]
    pub company: i64,
    /// To this number, with or without +
    #[arg(long, value_name = "PHONE", allow_hyphen_values = true)]
    pub phone: String,
    /// What happened: record.created, record.updated, record.deleted, or a kind of message
    #[arg(long, default_value = "record.created")]
    pub event: String,
    /// Over this channel; the company's first one that can reach them when nothing is said
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// What is booked
    #[arg(long, value_name = "TITLE")]
    pub service: Option<String>,
    /// With whom
    #[arg(long, value_name = "NAME")]
    pub master: Option<String>,
    /// When, such as "2026-08-21 14:30" or ISO; tomorrow when nothing is said
    #[arg(long, value_name = "WHEN")]
    pub datetime: Option<String>,
    /// What is to be paid
    #[arg(long, value_name = "SUM", value_parser = sum)]
    pub cost: Option<f64>,
    /// What it would cost without the discount
    #[arg(long, value_name = "SUM", value_parser = sum)]
    pub old_cost: Option<f64>,
    /// The discount in percent
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub discount: Option<f64>,
    /// When it was before
    #[arg(long, value_name = "WHEN")]
    pub old_datetime: Option<String>,
    /// With whom it was before
    #[arg(long, value_name = "NAME")]
    pub old_master: Option<String>,
    /// The client's name, for texts that use it
    #[arg(long, value_name = "NAME")]
    pub client_name: Option<String>,
}

fn sum(text: &str) -> Result<f64, String> {
    within(text, 10_000_000.0)
}

fn percent(text: &str) -> Result<f64, String> {
    within(text, 100.0)
}

/// A number as people write it, `1000` or `999,50`.
fn within(text: &str, most: f64) -> Result<f64, String> {
    let number: Option<f64> = text.trim().replace(',', ".").parse().ok();
    number
        .filter(|n| (0.0..=most).contains(n))
        .ok_or_else(|| format!("expected a number from 0 to {most}"))
}

/// A message to be tried out.
#[derive(Clone, Args)]
pub struct ReceiveTestArgs {
    /// The channel it comes by
    #[arg(long, value_name = "NAME")]
    pub channel: String,
    /// The client's number, with or without +
    #[arg(long, value_name = "PHONE", allow_hyphen_values = true)]
    pub phone: String,
    /// What they write
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub text: String,
}

/// Where the services are, for networks that do not reach them directly.
#[derive(Clone, Args)]
pub struct InitArgs {
    /// The records API, such as <https://api.alteg.io/api/v1>
    #[arg(
        long,
        value_name = "URL",
        default_value = "https://api.yclients.com/api/v1"
    )]
    pub yclients_url: String,
    /// Telegram's Bot API, or a relay of it
    #[arg(long, value_name = "URL", default_value = "https://api.telegram.org")]
    pub telegram_url: String,
}

/// What a pause is about.
#[derive(Clone, Args)]
pub struct PauseArgs {
    /// This company
    #[arg(long, value_name = "ID")]
    pub company: Option<i64>,
    /// This master
    #[arg(long, value_name = "ID")]
    pub staff: Option<i64>,
    /// This client
    #[arg(long, value_name = "PHONE", allow_hyphen_values = true)]
    pub phone: Option<String>,
}

/// Whom to talk with.
#[derive(Clone, Args)]
pub struct ChatArgs {
    /// The company
    #[arg(long, value_name = "ID", required_unless_present = "demo")]
    pub company: Option<i64>,
    /// As the client with this number; without it nobody knows who writes
    #[arg(long = "as", value_name = "PHONE", allow_hyphen_values = true)]
    pub phone: Option<String>,
    /// With the simulated salon and a scripted model: no configuration, no network, no credentials
    #[arg(long, conflicts_with = "company")]
    pub demo: bool,
}

/// How to show the demo.
#[derive(Clone, Args)]
pub struct DemoArgs {
    /// Finish in under five seconds, for scripts
    #[arg(long)]
    pub fast: bool,
    /// Keep the database here instead of in a temporary file
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
}

/// What can be done about approved templates.
#[derive(Subcommand)]
pub enum TemplatesCommand {
    /// Print texts to submit for approval, with the settings that fit them
    Suggest {
        /// For this channel; for every official one when none is named
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
    },
}

/// What can be done to the database.
#[derive(Subcommand)]
pub enum DbCommand {
    /// Copy the database into a new file, beside a running daemon or without one
    Backup {
        /// A file that is not there yet
        file: PathBuf,
    },
    /// Look whether the file is whole and the one that belongs here
    Check,
    /// Erase now what is older than `database.retention`
    Prune {
        /// Erase the texts and contacts received on this channel instead
        #[arg(long, value_name = "CHANNEL")]
        messages: Option<String>,
    },
    /// Put a backup in force: nothing is sent twice, the owner gets one list of what changed since
    Restore {
        /// A file made by `db backup` or found in `database.backup_dir`
        file: PathBuf,
    },
    /// Start afresh on purpose: keep the old file under another name, then a silent baseline
    Accept,
}
