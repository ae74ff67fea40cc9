//! Bounds of what `logging` may say, of the stack and of its services.

use std::time::Duration;

use super::Finding;
use crate::spec::{
    Logging, code,
    value::{show_duration, show_size},
    yaml::Path,
};

/// A segment costs two files and some work at each end.
const FILE: (u64, u64) = (4 << 10, 64 << 30);
const TOTAL: (u64, u64) = (16 << 10, 1 << 50);
const COUNT: (u64, u64) = (1, 1_000_000);
/// A reader holds that much of a line in memory.
const LINE: (u64, u64) = (64, 64 << 20);
const YOUNGEST: Duration = Duration::from_secs(60);

/// Checks the values of one `logging`.
pub(crate) fn check(logging: &Logging, path: &Path, findings: &mut Vec<Finding>) {
    let mut size = |key: &str, value: Option<u64>, (low, high): (u64, u64)| {
        let Some(bytes) = value.filter(|bytes| !(low..=high).contains(bytes)) else { return };
        let message = format!("`{}` is out of range: {} to {}", show_size(bytes), show_size(low), show_size(high));
        findings.push(Finding::error(code::OUT_OF_RANGE, path.clone().key(key), message));
    };
    size("maxFileSize", logging.max_file_size, FILE);
    size("maxTotalSize", logging.max_total_size, TOTAL);
    size("maxLineBytes", logging.max_line_bytes, LINE);
    if let Some(count) = logging.max_file_count
        && !(COUNT.0..=COUNT.1).contains(&count.into())
    {
        let message = format!("`{count}` is out of range: {} to {}", COUNT.0, COUNT.1);
        findings.push(Finding::error(code::OUT_OF_RANGE, path.clone().key("maxFileCount"), message));
    }
    if let Some(age) = logging.max_file_age.filter(|age| *age < YOUNGEST) {
        let (age, least) = (show_duration(age), show_duration(YOUNGEST));
        let message = format!("`{age}` is out of range: at least {least}");
        let finding = Finding::error(code::OUT_OF_RANGE, path.clone().key("maxFileAge"), message);
        findings.push(finding.help("without `maxFileAge` nothing goes for its age"));
    }
    if let (Some(file), Some(total)) = (logging.max_file_size, logging.max_total_size)
        && file > total
    {
        let message = format!("one file of {} is more than all may take: {}", show_size(file), show_size(total));
        let finding = Finding::error(code::OUT_OF_RANGE, path.clone().key("maxFileSize"), message);
        findings.push(finding.also(path.clone().key("maxTotalSize"), "all together"));
    }
    if logging.directory.as_ref().is_some_and(|directory| directory.as_os_str().as_encoded_bytes().contains(&0)) {
        findings.push(Finding::error(code::NUL, path.clone().key("directory"), "a NUL character".to_owned()));
    }
}
