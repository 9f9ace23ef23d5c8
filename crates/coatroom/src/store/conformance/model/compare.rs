//! What the store answers, beside what the model holds.

use super::{Held, Model, PRINCIPALS};
use crate::id::{Key, Locator};
use crate::store::Store;
use crate::store::conformance::scene::{HOUR, Seen, done};

impl Model {
    pub(super) async fn compare_all(&mut self, store: &dyn Store) {
        let keys: Vec<_> = (0..=u8::MAX).map(|key| self.key(key)).collect();
        for key in keys {
            self.compare_load(store, key).await;
        }
        for namespace in 0..self.namespaces.len() {
            self.compare_count(store, namespace).await;
            self.compare_page(store, namespace, None, usize::MAX).await;
            for principal in 0..PRINCIPALS.len() {
                self.compare_principal(store, namespace, principal).await;
                self.compare_epoch(store, namespace, principal).await;
            }
        }
        self.now = self.now + 24 * HOUR;
        for namespace in 0..self.namespaces.len() {
            self.claim(store, namespace, usize::MAX, self.now + HOUR).await;
        }
    }

    pub(super) async fn compare_load(&self, store: &dyn Store, key: Key) {
        let found = done("load", store.load(&key, self.now).await);
        assert_eq!(found.as_ref().map(Seen::from), self.live(&key).map(Held::seen));
    }

    pub(super) async fn compare_count(&self, store: &dyn Store, namespace: usize) {
        let namespace = self.namespaces[namespace];
        let count = done("count", store.count(namespace, self.now).await);
        assert_eq!(count, self.living(namespace).count() as u64);
    }

    pub(super) async fn compare_page(
        &self,
        store: &dyn Store,
        namespace: usize,
        after: Option<Locator>,
        limit: usize,
    ) {
        let namespace = self.namespaces[namespace];
        let page = done("page", store.page(namespace, after, limit, self.now).await);
        let found: Vec<_> = page.records.iter().map(Seen::from).collect();
        let is_on = |locator: Locator| Some(locator) > after && page.next.is_none_or(|next| locator <= next);
        let expected: Vec<_> =
            self.living(namespace).map(Held::seen).filter(|seen| is_on(seen.key().locator)).collect();
        assert_eq!(found, expected, "the page behind {after:?}");
        assert!(found.len() <= limit);
    }

    pub(super) async fn compare_principal(&self, store: &dyn Store, namespace: usize, principal: usize) {
        let (namespace, principal) = (self.namespaces[namespace], PRINCIPALS[principal]);
        let found = done("of_principal", store.of_principal(namespace, principal, self.now).await);
        let mut found: Vec<_> = found.iter().map(Seen::from).collect();
        found.sort_by_key(Seen::key);
        let theirs = self.living(namespace).filter(|held| held.record.principal() == Some(principal));
        assert_eq!(found, theirs.map(Held::seen).collect::<Vec<_>>());
    }

    pub(super) async fn compare_epoch(&self, store: &dyn Store, namespace: usize, principal: usize) {
        let (namespace, principal) = (self.namespaces[namespace], PRINCIPALS[principal]);
        let epoch = self.epochs.get(&(namespace, principal)).copied().unwrap_or(0);
        assert_eq!(done("epoch", store.epoch(namespace, principal).await), epoch);
    }
}
