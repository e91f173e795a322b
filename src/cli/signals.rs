//! Ctrl-C and SIGTERM (on Windows Ctrl-Break): the first ends the run in order, keeping what was found; a second one at once.

use crate::platform;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How soon a signal is noticed.
pub(super) const POLL: Duration = Duration::from_millis(50);

/// A flag that a signal sets.
pub(super) fn stop_flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    platform::on_stop(&stop);
    stop
}

/// Does `work`; once `stop` is set, cancels it, and it ends in order.
pub(super) async fn cancelling<T>(stop: Arc<AtomicBool>, cancel: CancellationToken, work: impl Future<Output = T>) -> T {
    let watch = tokio::spawn(async move {
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(POLL).await;
        }
        cancel.cancel();
    });
    let done = work.await;
    watch.abort();
    done
}
