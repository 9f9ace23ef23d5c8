//! What becomes of an attribute that two requests change at once: five slots, five answers.
//!
//! `cargo run --example slots_with_merge` (needs neither HTTP nor an async runtime)

use std::collections::BTreeSet;
use std::error::Error;

use coatroom::{MemoryStore, OnConflict, Session, SessionError, SessionManager, Slot, Wait};

/// Later wins, the default: right where only the latest matters.
const LAST_PAGE: Slot<String> = Slot::new("shop.last-page");
/// Changed by `edit`, whose closure runs again on the newer value.
const CART: Slot<Vec<String>> = Slot::new("shop.cart");
/// Both sides' steps count: what we added goes on top of theirs.
const LIKES: Slot<u64> = Slot::new("likes").merge(|base, theirs, ours| {
    let added = ours.unwrap_or(0).saturating_sub(base.unwrap_or(0));
    Some(theirs.unwrap_or(0) + added)
});
/// A set merges member by member: what either took out is out, what either put in is in.
const TAGS: Slot<BTreeSet<String>> = Slot::new("tags").merge(|base, theirs, ours| {
    let (base, theirs, ours) =
        (base.unwrap_or_default(), theirs.unwrap_or_default(), ours.unwrap_or_default());
    let taken_out = |tag: &String| base.contains(tag) && !(theirs.contains(tag) && ours.contains(tag));
    Some(theirs.union(&ours).filter(|tag| !taken_out(tag)).cloned().collect())
});
/// Two that set it at once shall not pass unnoticed.
const ADDRESS: Slot<String> = Slot::new("checkout.address").on_conflict(OnConflict::Reject);

fn tags<const N: usize>(tags: [&str; N]) -> BTreeSet<String> {
    tags.map(str::to_owned).into()
}

fn prepare(session: &Session) -> Result<(), SessionError> {
    session.set(LIKES, &10)?;
    session.set(TAGS, &tags(["new", "sale"]))
}

fn first_request(session: &Session) -> Result<(), SessionError> {
    session.set(LAST_PAGE, &"/coats".to_owned())?;
    session.edit(CART, |cart| cart.push("coat".to_owned()))?;
    session.set(LIKES, &12)?;
    session.set(TAGS, &tags(["new", "sale", "warm"]))
}

fn second_request(session: &Session) -> Result<(), SessionError> {
    session.set(LAST_PAGE, &"/hats".to_owned())?;
    session.edit(CART, |cart| cart.push("hat".to_owned()))?;
    session.set(LIKES, &11)?;
    session.set(TAGS, &tags(["new", "round"]))
}

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let sessions = SessionManager::builder(MemoryStore::new()).build()?;
    let (id, session) = sessions.create()?;
    prepare(&session)?;
    sessions.commit(&session).wait()?;

    // Both requests load the session before either of them has committed.
    let open = || sessions.open(&id).wait()?.ok_or("the session is gone".into());
    let open: &dyn Fn() -> Result<Session, Box<dyn Error>> = &open;
    let (first, second) = (open()?, open()?);
    first_request(&first)?;
    second_request(&second)?;
    sessions.commit(&first).wait()?;
    sessions.commit(&second).wait()?;

    let after = open()?;
    println!("last page, later wins:   {:?}", after.get(LAST_PAGE)?);
    println!("cart, edited by both:    {:?}", after.get(CART)?);
    println!("likes, 10 + 2 + 1:       {:?}", after.get(LIKES)?);
    println!("tags, merged:            {:?}", after.get(TAGS)?);
    assert_eq!(after.get(CART)?, Some(vec!["coat".to_owned(), "hat".to_owned()]));
    assert_eq!(after.get(LIKES)?, Some(13));
    assert_eq!(after.get(TAGS)?, Some(tags(["new", "round", "warm"])));

    let (first, second) = (open()?, open()?);
    first.set(ADDRESS, &"12 Peg Street".to_owned())?;
    second.set(ADDRESS, &"7 Hook Lane".to_owned())?;
    sessions.commit(&first).wait()?;
    let refused = sessions.commit(&second).wait();
    println!("address, rejected:       {:?}", refused.as_ref().err().map(ToString::to_string));
    assert!(matches!(refused, Err(SessionError::Conflict { .. })));
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run()
}
