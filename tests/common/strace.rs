//! `strace`, which makes single system calls of the running program fail, wait or kill it.

use std::process::{Command, Stdio};

/// Whether calls can be traced here; where not, that is said.
pub fn can_trace() -> bool {
    let tried = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"])
        .stderr(Stdio::null())
        .status();
    let works = tried.is_ok_and(|status| status.success());
    if !works {
        super::faults::skip("strace is not there, or tracing is not permitted: no system call was disturbed");
    }
    works
}

/// The command line of `strace` for one disturbance (`fsync:error=EIO:when=3`) of calls on `paths`; of all calls
/// where there are none. Numbers count in each thread by itself. The engine stays the child of whoever starts it.
pub fn strace(disturbance: &str, paths: &[String]) -> Vec<String> {
    let calls = disturbance.split(':').next().unwrap_or_default();
    let mut line: Vec<String> = ["strace", "-D", "-f", "-qq", "-o", "strace.log"].map(str::to_owned).into();
    line.extend([
        "-e".to_owned(),
        format!("trace={calls}"),
        "-e".to_owned(),
        format!("inject={disturbance}"),
    ]);
    // Not with --seccomp-bpf, which would be faster: with it some calls pass undisturbed.
    for path in paths {
        line.extend(["-P".to_owned(), path.clone()]);
    }
    line
}
