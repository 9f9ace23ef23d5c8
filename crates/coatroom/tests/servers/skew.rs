//! Nodes whose clocks differ agree on every deadline.

use std::time::Duration;

use coatroom::{Clock, SystemClock, Timestamp};

use crate::support::{Shop, on_each_server, open};

const MINUTE: Duration = Duration::from_secs(60);

/// A clock that is set wrong.
#[derive(Debug)]
struct Wrong {
    millis: i64,
}

impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().as_millis().saturating_add_signed(self.millis))
    }
}

/// A node whose clock is five minutes ahead or behind.
async fn node(url: &str, minutes: i64) -> Shop {
    let clock = Wrong { millis: minutes * 60_000 };
    let limits = (2 * MINUTE, 3 * MINUTE);
    Shop::with(open(url).await, |builder| builder.clock(clock).idle_timeout(limits.0).lifetime(limits.1))
        .await
}

on_each_server! {
    async fn nodes_ten_minutes_apart_agree_who_is_alive(server) {
        let nodes = [node(&server.url(), 5).await, node(&server.url(), -5).await];
        for (here, there) in [(&nodes[0], &nodes[1]), (&nodes[1], &nodes[0])] {
            let mut visitor = here.signed_in("anna").await;
            let mut elsewhere = visitor.at(there.address);
            assert_eq!(elsewhere.get("/owner").await.body, "anna");
            assert_eq!(elsewhere.post("/list/1").await.status, 204);
            assert_eq!(visitor.get("/list").await.body, "1");
            // A session that dies in two minutes here is not swept there.
            assert_eq!(there.sessions.sweep().await.unwrap().expired, 0);
            let locator = here.sessions.of("anna").await.unwrap()[0].locator;
            let session = there.sessions.open_locator(&locator).await.unwrap().unwrap();
            for node in [here, there] {
                let left = session.deadline().unwrap().since(node.sessions.now());
                assert!(left > MINUTE && left < 4 * MINUTE, "{left:?} are left");
            }
            assert_eq!(visitor.post("/logout").await.status, 204);
            assert_eq!(elsewhere.get("/owner").await.body, "");
        }
    }
}
