//! Flags and variables that win over the `logging` of the stack file.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use orco_api::wire::parse_duration;
use orco_core::spec::{Invalid, Logging, read_size};

/// How much of the output is kept.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Logs (each wins over `logging` in the stack file)")]
pub struct LogArgs {
    /// Export records as NDJSON to files in this directory
    #[arg(long, value_name = "DIR", env = "ORCO_LOG_DIRECTORY", hide_env_values = true)]
    pub log_directory: Option<PathBuf>,
    /// Close a file at this size (`16MiB`)
    #[arg(long, value_name = "SIZE", env = "ORCO_LOG_MAX_FILE_SIZE", hide_env_values = true, value_parser = read_size)]
    pub log_max_file_size: Option<u64>,
    /// Delete the oldest files above this size of all (`256MiB`)
    #[arg(long, value_name = "SIZE", env = "ORCO_LOG_MAX_TOTAL_SIZE", hide_env_values = true, value_parser = read_size)]
    pub log_max_total_size: Option<u64>,
    /// Delete what is older than this (`7d`)
    #[arg(long, value_name = "T", env = "ORCO_LOG_MAX_FILE_AGE", hide_env_values = true, value_parser = parse_duration)]
    pub log_max_file_age: Option<Duration>,
    /// Delete the oldest files of a replica above this number
    #[arg(long, value_name = "N", env = "ORCO_LOG_MAX_FILE_COUNT", hide_env_values = true)]
    pub log_max_file_count: Option<u32>,
    /// Cut longer lines for readers (`1MiB`)
    #[arg(long, value_name = "SIZE", env = "ORCO_LOG_MAX_LINE_BYTES", hide_env_values = true, value_parser = read_size)]
    pub log_max_line_bytes: Option<u64>,
}

impl LogArgs {
    /// What they say; a relative directory is relative to where the command was typed.
    ///
    /// # Errors
    /// [`Invalid`] where a value makes no sense.
    pub fn settle(self) -> Result<Logging, Invalid> {
        let mut logging = Logging::default();
        logging.directory = self.log_directory.map(|path| std::path::absolute(&path).unwrap_or(path));
        logging.max_file_size = self.log_max_file_size;
        logging.max_total_size = self.log_max_total_size;
        logging.max_file_age = self.log_max_file_age;
        logging.max_file_count = self.log_max_file_count;
        logging.max_line_bytes = self.log_max_line_bytes;
        logging.validate().map(|()| logging)
    }
}
