//! 600 writes a minute, on a simulated clock.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::join_all;
use seed_core::backend::{Kind, Pace};
use seed_gcpsm::{BURST, CAPABILITIES};
use seed_provider::{Operation, Policy, Requests};
use tokio::time::Instant;

use crate::support::policy;

const KEYS: u32 = 1_000;
const MINUTE: Duration = Duration::from_mins(1);
/// What the service takes.
const QUOTA: u32 = 600;

/// The requests of 1,000 creations, each of which is two writes: no minute sees more than the service takes, and all are
/// over not much later than the service lets them be.
#[tokio::test(start_paused = true)]
async fn a_thousand_secrets_take_as_long_as_the_quota_says_and_hardly_longer() {
    let sent = Mutex::new(Vec::new());
    let requests = Requests::new(Policy {
        pace: CAPABILITIES.pace,
        burst: BURST,
        deadline: MINUTE,
        ..policy()
    });
    let begin = Instant::now();
    let one = async |key: u32| {
        let name = Kind::Gcpsm.existing_name(&format!("key-{key}")).unwrap();
        let turns = requests
            .turns(2, Operation::Create, Some(&name))
            .await
            .unwrap();
        for _ in 0..2 {
            let attempt = || async {
                sent.lock().unwrap().push(Instant::now());
                tokio::time::sleep(Duration::from_millis(80)).await;
                Ok(())
            };
            let write = requests.write_in_turn(&turns, Operation::Create, Some(&name), attempt);
            write.await.unwrap();
        }
    };
    join_all((0..KEYS).map(one)).await;
    let took = begin.elapsed();
    let sent = sent.into_inner().unwrap();
    assert_eq!(u32::try_from(sent.len()), Ok(2 * KEYS));
    let mut minute = VecDeque::new();
    for at in sent {
        while minute.front().is_some_and(|first| at >= *first + MINUTE) {
            minute.pop_front();
        }
        minute.push_back(at);
        let count = u32::try_from(minute.len()).unwrap();
        assert!(count <= QUOTA, "{count} in a minute");
    }
    // The service takes the first 600 at once, and the last 200 in the fourth minute; spread evenly, all take 200 s.
    let quota = MINUTE * 2 * KEYS / QUOTA;
    assert!(took <= quota.mul_f64(1.05), "{took:?} for {quota:?}");
}

/// Without a quota there would be nothing to keep to.
#[test]
fn the_quotas_of_the_service_are_kept_by_default() {
    let Pace { reads, writes } = CAPABILITIES.pace;
    for pace in [reads, writes] {
        let pace = pace.unwrap().get();
        assert!((QUOTA * 95 / 100..=QUOTA).contains(&pace), "{pace}");
    }
}
