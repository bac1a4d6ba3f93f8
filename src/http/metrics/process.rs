//! The process as the kernel sees it, under the names that every Prometheus client uses.

use metrics::{counter, describe_counter, describe_gauge, gauge};
use std::fs;

/// Ticks a second of the times in `/proc/<pid>/stat`: the same on every Linux that a program sees (`USER_HZ`).
const TICKS: u64 = 100;

/// Brings the figures to where the process is. A system without `/proc` has none.
pub(super) fn look_up() {
    describe();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = |name| field(&status, name).map(|value| value.saturating_mul(1024));
    set("process_resident_memory_bytes", kilobytes("VmRSS:"));
    set("process_virtual_memory_bytes", kilobytes("VmSize:"));
    set("process_threads", field(&status, "Threads:"));
    set("process_open_fds", open_descriptors());
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    set("process_max_fds", field(&limits, "Max open files"));
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    if let Some(ticks) = cpu_ticks(&stat) {
        counter!("process_cpu_seconds_total").absolute(ticks / TICKS);
    }
}

fn describe() {
    describe_gauge!("process_resident_memory_bytes", "Memory in use.");
    describe_gauge!("process_virtual_memory_bytes", "Memory reserved.");
    describe_gauge!("process_threads", "Threads.");
    describe_gauge!("process_open_fds", "Open files, sockets included.");
    describe_gauge!("process_max_fds", "Most open files.");
    describe_counter!("process_cpu_seconds_total", "CPU time of all threads, in whole seconds.");
}

fn set(name: &'static str, value: Option<u64>) {
    if let Some(value) = value {
        gauge!(name).set(super::levels::number(value));
    }
}

/// The first number behind a name.
fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Without the one that this look needs.
fn open_descriptors() -> Option<u64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(count.saturating_sub(1)).ok()
}

/// User and system time (fields 14 and 15): the name of the program, which may have spaces, ends with the last `)`.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let times: Vec<u64> =
        fields.split_whitespace().skip(11).take(2).filter_map(|time| time.parse().ok()).collect();
    (times.len() == 2).then(|| times.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read() {
        let status = "Name:\tfloodgate\nVmRSS:\t   20480 kB\nThreads:\t17\n";
        assert_eq!((field(status, "VmRSS:"), field(status, "Threads:")), (Some(20_480), Some(17)));
        assert_eq!(
            field("Max open files            1024                 4096   files", "Max open files"),
            Some(1024)
        );
        assert_eq!(field(status, "VmSize:"), None);
        assert_eq!(cpu_ticks("1 (a ) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0"), Some(300));
        assert!(open_descriptors().is_some_and(|count| count > 2));
    }
}
