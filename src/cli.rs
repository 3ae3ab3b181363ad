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
