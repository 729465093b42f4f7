//! Watches the editor's process: a server that outlives it would run for ever where standard input is held open by somebody else.

/// How often the process is looked for.
#[cfg(unix)]
const INTERVAL: std::time::Duration = std::time::Duration::from_secs(3);

/// Returns once no process with this id exists any more.
#[cfg(unix)]
pub async fn gone(id: u32) {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};

    let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(INTERVAL).await;
        // Without the right to signal it the process still lives.
        if test_kill_process(pid) == Err(Errno::SRCH) {
            return;
        }
    }
}

/// Never returns: on this system the end of standard input has to do.
#[cfg(not(unix))]
pub async fn gone(_: u32) {
    std::future::pending().await
}
