//! `strace`, which makes single system calls of the running program fail, wait or kill it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Whether calls can be traced here; where not, that is said.
pub fn can_trace() -> bool {
    let tried = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"])
        .stderr(Stdio::null())
        .status();
    let works = tried.is_ok_and(|status| status.success());
    if !works {
        super::skip::skip("strace is not there, or tracing is not permitted: no system call was disturbed");
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

/// Makes the waiting of one thread of a running process fail, which its runtime answers with a panic. `None`: it cannot be
/// traced.
pub fn kills_thread(pid: u32, name: &str) -> Option<Child> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let named =
        |task: &PathBuf| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name);
    let task =
        tasks.map(|task| task.unwrap().path()).find(named).unwrap_or_else(|| panic!("no thread {name}"));
    let thread = task.file_name().unwrap().to_string_lossy().into_owned();
    let calls = "epoll_wait,epoll_pwait,epoll_pwait2";
    let mut tracer = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "-p", &thread, "-e", &format!("trace={calls}")])
        .args(["-e", &format!("inject={calls}:error=EBADF")])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It holds on to the thread, or ends at once.
    let holds =
        || std::fs::read_to_string(task.join("status")).is_ok_and(|status| !status.contains("TracerPid:\t0"));
    let held = super::until("the tracer", || match tracer.try_wait().unwrap() {
        Some(_) => Some(holds()),
        None => holds().then_some(true),
    });
    held.then_some(tracer)
}
