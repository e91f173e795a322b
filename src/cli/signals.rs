//! Ctrl-C and SIGTERM: the first ends the run in order, keeping what was found; a second one at once.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
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
    for signal in [SIGINT, SIGTERM] {
        // A platform without the signal keeps its own behaviour. The order matters: the shut-down looks at the flag first.
        let _ = flag::register_conditional_shutdown(signal, 128 + signal, stop.clone());
        let _ = flag::register(signal, stop.clone());
    }
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
