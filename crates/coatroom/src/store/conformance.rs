//! The contract of [`Store`], one test for each of its sentences. Feature `conformance`.
//!
//! Whoever writes a store instantiates them all in a test of the store's own crate, with an
//! expression that makes a store:
//!
//! ```
//! # use coatroom::store::MemoryStore as MyStore;
//! coatroom::conformance_tests!(my_store, MyStore::new());
//! ```
//!
//! That is a module `my_store` with one `#[test]` for each sentence, each with a store of its own;
//! [`conformance_tests!`](crate::conformance_tests) says what the expression may give, [`Subject`]
//! how to keep a directory alive beside the store or to skip where a server is missing. The same
//! sentences are functions here, for a test runner of one's own: [`all`] lists them.
//!
//! The sentences need no async runtime and never sleep: time is the `now` that they pass, and many
//! at once are threads that block on the store's futures, so those must complete when polled on a
//! thread outside any runtime. Each sentence draws a namespace of its own and looks at nothing
//! else, so that one store may serve them all, at once, and others beside them. They wipe nothing:
//! what they wrote stays behind, dated in the year 2100, so a server should lend a database that
//! can be thrown away. A bounded store needs room for 64 MiB, since nothing may be evicted.
//!
//! This module is a tool for tests and not held to semantic versioning: a minor release may add a
//! sentence, or make one stricter.

// The assertions of a test suite are panics.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod at_hand;
pub mod claim;
pub mod commit;
pub mod create;
pub mod dropped;
pub mod load;
pub mod model;
pub mod page;
pub mod parallel;
pub mod principal;
pub mod remove;
mod scene;
pub mod settle;
pub mod size;
pub mod touch;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::store::Store;

/// One sentence of the contract.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Sentence {
    /// What it says.
    pub name: &'static str,
    /// Checks it on a store; panics where the store does not keep it.
    pub check: for<'a> fn(&'a dyn Store) -> Checking<'a>,
}

/// A sentence being checked. Takes up its thread until it is done.
pub type Checking<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl fmt::Debug for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// All sentences.
#[must_use]
pub fn all() -> &'static [Sentence] {
    crate::__conformance_sentences! { [crate::__conformance_list] }
}

/// What an expression in [`conformance_tests!`](crate::conformance_tests) may give: a store, one in
/// an `Arc`, one with what it needs to be kept alive, or `None` of these to skip.
pub trait Subject {
    /// The store to check, `None` to skip.
    fn store(&self) -> Option<&dyn Store>;
}

impl<S: Store> Subject for S {
    fn store(&self) -> Option<&dyn Store> {
        Some(self)
    }
}

impl<S: Store> Subject for Arc<S> {
    fn store(&self) -> Option<&dyn Store> {
        Some(&**self)
    }
}

impl Subject for Arc<dyn Store> {
    fn store(&self) -> Option<&dyn Store> {
        Some(&**self)
    }
}

/// A store and what is dropped after it, such as a temporary directory.
impl<S: Store, G> Subject for (S, G) {
    fn store(&self) -> Option<&dyn Store> {
        Some(&self.0)
    }
}

impl<T: Subject> Subject for Option<T> {
    fn store(&self) -> Option<&dyn Store> {
        self.as_ref().and_then(Subject::store)
    }
}

/// Makes a store and checks one sentence on it, blocking.
///
/// # Panics
///
/// Where the store does not keep the sentence, or fails.
pub fn run<T: Subject>(subject: impl Future<Output = T>, check: for<'a> fn(&'a dyn Store) -> Checking<'a>) {
    pollster::block_on(async {
        let subject = subject.await;
        match subject.store() {
            Some(store) => check(store).await,
            None => eprintln!("skipped: there is no store to check here"),
        }
    });
}

/// A module of tests, one for each sentence of the [`Store`] contract.
///
/// The first argument names the module, the second makes the store of each test: an expression, or
/// an `async` block, that gives a [`Subject`]. It is evaluated once for each test.
///
/// # Example
///
/// ```
/// use coatroom::store::MemoryStore;
///
/// # async fn connect() -> Option<MemoryStore> { None }
/// coatroom::conformance_tests!(roomy, MemoryStore::builder().max_bytes(1 << 30).build());
/// coatroom::conformance_tests!(remote, async { connect().await });
/// ```
#[macro_export]
macro_rules! conformance_tests {
    ($name:ident, async $store:block) => {
        $crate::__conformance_sentences! { [$crate::__conformance_tests] $name (async $store) }
    };
    ($name:ident, $store:expr) => {
        $crate::__conformance_sentences! { [$crate::__conformance_tests] $name (async { $store }) }
    };
}

/// Hands all sentences, by subject, to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_sentences {
    ([$($callback:tt)*] $($arguments:tt)*) => {
        $($callback)*! { [$($arguments)*]
            load:
                load_returns_what_create_kept
                load_of_an_unknown_key_is_none
                load_changes_nothing
                load_sees_what_other_threads_completed
                load_finds_a_record_until_the_millisecond_of_its_deadline
                a_record_without_limits_never_dies
                namespaces_never_meet
                check_succeeds
                flush_completes_and_changes_nothing;
            create:
                create_leaves_a_live_record_as_it_is
                create_takes_the_place_of_a_dead_record_and_reports_it
                create_respects_a_record_in_its_last_millisecond
                a_record_created_over_a_dead_one_lives_by_its_own_deadlines
                create_after_remove_creates;
            commit:
                commit_replaces_the_expected_revision
                commit_on_another_revision_conflicts_and_shows_the_newest
                commit_where_nothing_is_makes_nothing
                commit_after_remove_does_not_revive
                commit_on_a_record_created_again_conflicts
                commit_on_a_dead_record_is_gone
                commit_never_moves_the_activity_back
                commit_moves_the_activity_forward
                revisions_are_compared_in_all_64_bits;
            at_hand:
                what_is_at_hand_is_what_load_gives
                a_commit_at_hand_is_a_commit
                a_commit_at_hand_replaces_the_expected_live_record_only
                at_most_one_of_many_commits_at_hand_lands
                a_create_at_hand_is_a_create
                a_create_at_hand_takes_no_place
                at_most_one_of_many_creates_at_hand_lands;
            touch:
                touch_moves_the_idle_deadline
                touch_never_moves_the_activity_back
                touch_confirms_for_good
                touch_never_moves_the_lifetime
                touch_raises_no_revision
                touch_never_revives_a_dead_record
                touch_of_an_absent_record_does_nothing;
            remove:
                remove_returns_the_record_and_takes_it_out
                remove_of_an_absent_record_is_none
                remove_of_a_dead_record_is_none
                remove_leaves_a_dead_record_to_be_claimed
                a_removed_record_is_never_claimed
                remove_leaves_the_others;
            page:
                pages_are_in_the_order_of_locators
                a_page_has_at_most_its_limit
                a_page_starts_behind_its_start
                the_last_page_has_no_next
                a_listing_shows_once_what_lives_through_it
                pages_show_live_records_only
                dead_records_do_not_end_a_listing
                pages_and_counts_keep_to_their_namespace
                count_is_the_number_of_live_records
                count_falls_with_each_remove
                every_namespace_with_records_is_named_once;
            principal:
                of_principal_finds_all_records_of_a_principal
                principals_are_compared_whole
                of_principal_follows_every_change_of_principal
                of_principal_ignores_a_commit_that_did_not_land
                of_principal_forgets_what_was_removed
                of_principal_finds_live_records_only
                of_principal_follows_touch_and_settle
                principals_keep_to_their_namespace
                epochs_begin_at_zero_and_rise_by_one
                epochs_of_others_stay
                an_epoch_outlives_the_records_of_its_principal;
            claim:
                a_dead_record_is_claimed_with_its_data
                a_live_record_is_not_claimed
                a_claimed_record_is_not_claimed_during_its_lease
                an_unsettled_record_is_claimed_again_after_its_lease
                a_claimed_record_stays_dead
                claims_find_each_dead_record_once
                touched_records_do_not_hide_dead_ones
                a_touched_record_is_claimed_by_its_new_deadline
                a_shortened_deadline_is_claimed_in_time
                a_record_whose_deadline_was_shortened_is_claimed_once
                a_lengthened_deadline_is_claimed_in_time
                a_claim_leaves_other_namespaces_alone
                a_claim_finds_what_was_filed_behind_an_earlier_one
                a_claim_after_a_hundred_years_finds_the_dead
                a_record_created_over_a_leased_one_is_claimed_in_time
                a_former_lease_does_not_end_a_later_one;
            settle:
                a_settled_record_is_never_claimed_again
                settle_leaves_the_rest_of_a_claim
                settle_leaves_a_record_created_again
                a_late_settle_leaves_the_lease_of_a_record_created_again
                settle_is_idempotent;
            parallel:
                exactly_one_of_many_creates_is_created
                exactly_one_of_many_creates_takes_the_place_of_a_dead_record
                exactly_one_of_many_commits_lands
                parallel_increments_lose_nothing
                parallel_touches_and_commits_lose_neither
                readers_never_see_a_torn_record
                exactly_one_of_many_removes_returns_the_record
                a_remove_racing_commits_and_touches_is_final
                parallel_claims_never_share_a_record
                parallel_bumps_all_count
                parallel_logins_leave_the_index_of_principals_right;
            dropped:
                a_dropped_create_leaves_nothing_or_the_record
                a_dropped_commit_leaves_the_former_record_or_the_next
                a_dropped_touch_leaves_the_former_activity_or_the_next
                a_dropped_remove_leaves_the_record_or_nothing
                a_dropped_bump_raises_by_one_or_not_at_all
                a_dropped_claim_loses_no_record
                a_dropped_settle_can_be_repeated
                dropped_reads_change_nothing;
            size:
                a_record_without_attributes_is_kept
                an_empty_value_is_kept
                every_byte_is_kept
                many_attributes_are_kept
                records_of_64_kib_are_kept
                records_of_1_mib_are_kept
                a_record_grows_and_shrinks;
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ([$name:ident $store:tt] $($subject:ident: $($sentence:ident)*;)*) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $($(
                #[test]
                #[allow(unused_parens)]
                fn $sentence() {
                    $crate::store::conformance::run($store, |store| {
                        Box::pin($crate::store::conformance::$subject::$sentence(store))
                    });
                }
            )*)*
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_list {
    ([] $($subject:ident: $($sentence:ident)*;)*) => {
        &[$($(
            $crate::store::conformance::Sentence {
                name: stringify!($sentence),
                check: |store| Box::pin($crate::store::conformance::$subject::$sentence(store)),
            },
        )*)*]
    };
}

#[cfg(test)]
mod tests;
