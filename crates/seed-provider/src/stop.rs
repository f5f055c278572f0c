//! What is not sent any more when a run is told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

tokio::task_local! {
    static CALLS: Arc<Calls>;
}

/// Calls that belong together.
struct Calls {
    stop: CancellationToken,
    /// Whether one of them may have changed something.
    begun: AtomicBool,
}

/// Makes calls that are not begun any more once `stop` is cancelled.
///
/// A request of theirs that still waits, for its turn or to be sent again, is then not sent, and fails as
/// [`Error::is_stopped`](crate::Error::is_stopped) tells. Once one of them may have changed something, all are sent that
/// `calls` makes: what is under way is finished.
pub async fn stopping<T>(stop: CancellationToken, calls: impl Future<Output = T>) -> T {
    let begun = AtomicBool::new(false);
    CALLS.scope(Arc::new(Calls { stop, begun }), calls).await
}

/// Waits until nothing more is to be begun. Never ends where nobody can stop, or something was begun.
pub(crate) async fn told() {
    match CALLS.try_with(Arc::clone) {
        Ok(calls) if !calls.begun.load(Ordering::Acquire) => calls.stop.cancelled().await,
        Ok(_) | Err(_) => std::future::pending().await,
    }
}

/// Something may have been changed.
pub(crate) fn begun() {
    // Where nobody can stop, nobody has to know.
    let _unscoped = CALLS.try_with(|calls| calls.begun.store(true, Ordering::Release));
}
