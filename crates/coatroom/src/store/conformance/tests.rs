//! The suite checked itself: a plain store keeps every sentence, and one that errs is caught.

mod reference;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use self::reference::{Flaw, Reference};
use super::all;
use super::model::{Step, check};

crate::conformance_tests!(reference_store, Reference::default());

#[test]
fn one_store_serves_all_sentences_at_once() {
    let store = Arc::new(Reference::default());
    std::thread::scope(|scope| {
        for sentences in all().chunks(all().len() / 4) {
            let store = Arc::clone(&store);
            scope.spawn(move || {
                sentences.iter().for_each(|sentence| pollster::block_on((sentence.check)(&*store)));
            });
        }
    });
}

#[test]
fn no_sentence_is_left_out_of_the_list() {
    let sources = [
        include_str!("at_hand.rs"),
        include_str!("claim.rs"),
        include_str!("commit.rs"),
        include_str!("create.rs"),
        include_str!("dropped.rs"),
        include_str!("load.rs"),
        include_str!("page.rs"),
        include_str!("parallel.rs"),
        include_str!("principal.rs"),
        include_str!("remove.rs"),
        include_str!("settle.rs"),
        include_str!("size.rs"),
        include_str!("touch.rs"),
    ];
    let written: usize = sources.iter().map(|source| source.matches("\npub async fn ").count()).sum();
    assert_eq!(written, all().len());
}

#[test]
fn an_absent_store_is_skipped() {
    super::run(async { None::<Reference> }, |_| panic!("there is no store"));
}

/// Each flaw, and a sentence that must catch it.
const CAUGHT: &[(Flaw, &str)] = &[
    (Flaw::ClaimsOneEarly, "a_live_record_is_not_claimed"),
    (Flaw::ClaimsAcrossNamespaces, "a_claim_leaves_other_namespaces_alone"),
    (Flaw::ClaimsDuringLeases, "a_claimed_record_is_not_claimed_during_its_lease"),
    (Flaw::ClaimsDuringLeases, "parallel_claims_never_share_a_record"),
    (Flaw::ClaimsOnceOnly, "an_unsettled_record_is_claimed_again_after_its_lease"),
    (Flaw::ClaimsPastItsLimit, "claims_find_each_dead_record_once"),
    (Flaw::CommitComparesTooLittle, "revisions_are_compared_in_all_64_bits"),
    (Flaw::CommitIgnoresRevision, "commit_on_another_revision_conflicts_and_shows_the_newest"),
    (Flaw::CommitIgnoresRevision, "exactly_one_of_many_commits_lands"),
    (Flaw::CommitIgnoresRevision, "a_commit_at_hand_replaces_the_expected_live_record_only"),
    (Flaw::CommitIgnoresRevision, "at_most_one_of_many_commits_at_hand_lands"),
    (Flaw::CommitIsTorn, "parallel_increments_lose_nothing"),
    (Flaw::CommitIsUpsert, "commit_where_nothing_is_makes_nothing"),
    (Flaw::CommitIsUpsert, "commit_after_remove_does_not_revive"),
    (Flaw::CommitIsUpsert, "commit_on_a_dead_record_is_gone"),
    (Flaw::CommitMovesActivityBack, "commit_never_moves_the_activity_back"),
    (Flaw::CommitMovesActivityBack, "a_commit_at_hand_is_a_commit"),
    (Flaw::CountsTheDead, "count_is_the_number_of_live_records"),
    (Flaw::CountsTheDead, "pages_show_live_records_only"),
    (Flaw::CountsTheDead, "of_principal_finds_live_records_only"),
    (Flaw::CreateIsUpsert, "create_leaves_a_live_record_as_it_is"),
    (Flaw::CreateIsUpsert, "exactly_one_of_many_creates_is_created"),
    (Flaw::CreateIsUpsert, "a_create_at_hand_takes_no_place"),
    (Flaw::CreateIsUpsert, "at_most_one_of_many_creates_at_hand_lands"),
    (Flaw::CreateHidesTheDead, "create_takes_the_place_of_a_dead_record_and_reports_it"),
    (Flaw::DropLosesTheRecord, "a_dropped_commit_leaves_the_former_record_or_the_next"),
    (Flaw::EpochsOfAllNamespaces, "epochs_of_others_stay"),
    (Flaw::FilesByFirstDeadline, "a_shortened_deadline_is_claimed_in_time"),
    (Flaw::FindsPrincipalsByPrefix, "principals_are_compared_whole"),
    (Flaw::HidesANamespace, "every_namespace_with_records_is_named_once"),
    (Flaw::HidesThatThereIsMore, "claims_find_each_dead_record_once"),
    (Flaw::LivesOneTooLong, "load_finds_a_record_until_the_millisecond_of_its_deadline"),
    (Flaw::LivesOneTooLong, "what_is_at_hand_is_what_load_gives"),
    (Flaw::MixesNamespaces, "namespaces_never_meet"),
    (Flaw::PageDropsOne, "a_listing_shows_once_what_lives_through_it"),
    (Flaw::PageRepeatsOne, "a_page_starts_behind_its_start"),
    (Flaw::PageIsUnordered, "pages_are_in_the_order_of_locators"),
    (Flaw::RemoveReturnsTheDead, "remove_of_a_dead_record_is_none"),
    (Flaw::RemoveLeavesTheRecord, "remove_returns_the_record_and_takes_it_out"),
    (Flaw::RemoveLeavesTheRecord, "exactly_one_of_many_removes_returns_the_record"),
    (Flaw::SettleEndsAnyLease, "a_late_settle_leaves_the_lease_of_a_record_created_again"),
    (Flaw::SettleForgets, "a_settled_record_is_never_claimed_again"),
    (Flaw::SettleIgnoresRevision, "settle_leaves_a_record_created_again"),
    (Flaw::TouchMovesBack, "touch_never_moves_the_activity_back"),
    (Flaw::TouchRevives, "touch_never_revives_a_dead_record"),
];

#[test]
fn every_flaw_is_caught_by_its_sentence() {
    for (flaw, name) in CAUGHT {
        let sentence = all().iter().find(|sentence| sentence.name == *name).unwrap();
        let store = Reference::with(*flaw);
        let checked = catch_unwind(AssertUnwindSafe(|| pollster::block_on((sentence.check)(&store))));
        assert!(checked.is_err(), "{name} did not catch {flaw:?}");
    }
}

/// Flaws that single calls show, so that random ones find them.
const MODELLED: &[Flaw] = &[
    Flaw::ClaimsAcrossNamespaces,
    Flaw::ClaimsDuringLeases,
    Flaw::ClaimsOnceOnly,
    Flaw::ClaimsPastItsLimit,
    Flaw::CommitIgnoresRevision,
    Flaw::CommitIsUpsert,
    Flaw::CountsTheDead,
    Flaw::CreateHidesTheDead,
    Flaw::CreateIsUpsert,
    Flaw::EpochsOfAllNamespaces,
    Flaw::FilesByFirstDeadline,
    Flaw::FindsPrincipalsByPrefix,
    Flaw::HidesThatThereIsMore,
    Flaw::LivesOneTooLong,
    Flaw::MixesNamespaces,
    Flaw::PageDropsOne,
    Flaw::PageIsUnordered,
    Flaw::PageRepeatsOne,
    Flaw::RemoveLeavesTheRecord,
    Flaw::RemoveReturnsTheDead,
    Flaw::SettleForgets,
    Flaw::SettleIgnoresRevision,
    Flaw::TouchMovesBack,
    Flaw::TouchRevives,
];

#[test]
fn the_model_agrees_with_a_plain_store() {
    let steps = random_steps(20_000);
    check(&steps, |open| open.unwrap_or_else(Reference::default));
}

#[test]
fn the_model_catches_the_flaws_that_calls_show() {
    for flaw in MODELLED {
        let steps = random_steps(20_000);
        let checked = catch_unwind(|| check(&steps, |open| open.unwrap_or_else(|| Reference::with(*flaw))));
        assert!(checked.is_err(), "20,000 random steps did not catch {flaw:?}");
    }
}

/// The same ones each time.
fn random_steps(count: usize) -> Vec<Step> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut bytes = [0; 8];
    std::iter::repeat_with(|| {
        random.fill(&mut bytes);
        Step::pick(bytes)
    })
    .take(count)
    .collect()
}
