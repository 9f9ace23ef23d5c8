//! The examples of Plone's documentation on sessions, one after the other, in Rust.
//!
//! `cargo run --example checkout` (needs neither HTTP nor an async runtime: in a handler, `Session`
//! is an argument, the commit is the layer's, and `.await` stands where `.wait()` does here)

use std::error::Error;

use coatroom::{Locator, MemoryStore, Session, SessionError, SessionId, SessionManager, Slot, Wait};
use serde::{Deserialize, Serialize};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// `CHECKOUT_DATA_SESSION_KEY`: each add-on has slots of its own, kept apart by their names.
const CHECKOUT: Slot<CheckoutData> = Slot::new("shop.checkout");
/// `'getpaid.cart'`
const CART: Slot<Vec<String>> = Slot::new("getpaid.cart");

/// Anything that serde can write; no base class to inherit from.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
struct CheckoutData {
    step: u8,
    address: Option<String>,
}

// "Setting a session parameter": session.set("my_option", value)
fn set_parameter(session: &Session) -> Result<(), SessionError> {
    session.set(Slot::new("my_option"), &vec![1, 2, 3]) // the first write creates the session
}

// "Getting a session": session.get("my_option")
fn get_parameter(session: &Session) -> Result<Option<Vec<u8>>, SessionError> {
    session.get(Slot::new("my_option")) // reading never does
}

// "Getting session id": getBrowserIdManager().getBrowserId(create=False)
fn session_id(session: &Session) -> Option<Locator> {
    session.locator() // None if the session has not been created yet; the secret stays in the cookie
}

// "Initial construction of session data": getOrCreateCheckoutSession(context, create, browser_id)
fn get_or_create_checkout(
    sessions: &SessionManager,
    of_request: &Session,
    create: bool,
    id: Option<&SessionId>,
) -> Result<Option<CheckoutData>> {
    let session = match id {
        None => of_request.clone(), // hasSessionData() is not asked: looking at it creates nothing
        Some(id) => match sessions.open(id).wait()? {
            Some(session) => session,
            None => return Ok(None),
        },
    };
    if !create {
        return Ok(session.get(CHECKOUT)?);
    }
    let data = session.get_or_init(CHECKOUT, CheckoutData::default)?;
    if id.is_some() {
        sessions.commit(&session).wait()?; // not this request's own session, so no layer commits it
    }
    Ok(Some(data))
}

// "Deleting session data": _destroyCartForSession(context, browser_id)
fn destroy_cart(sessions: &SessionManager, of_request: &Session, id: Option<&SessionId>) -> Result<()> {
    let Some(id) = id else { return Ok(of_request.remove(CART)?) }; // nothing there: nothing happens
    if let Some(session) = sessions.open(id).wait()? {
        session.remove(CART)?;
        sessions.commit(&session).wait()?;
    }
    Ok(())
}

pub(crate) fn run() -> Result<()> {
    let sessions = SessionManager::builder(MemoryStore::new()).build()?;
    let (id, session) = sessions.create()?;

    println!("stored before the first commit: {}", session.exists());
    set_parameter(&session)?;
    println!("my_option:                      {:?}", get_parameter(&session)?);
    println!("session id (public half):       {:?}", session_id(&session).map(|l| l.to_string().len()));

    println!(
        "checkout, create=False:         {:?}",
        get_or_create_checkout(&sessions, &session, false, None)?
    );
    println!(
        "checkout, create=True:          {:?}",
        get_or_create_checkout(&sessions, &session, true, None)?
    );
    session.edit(CHECKOUT, |data| data.step = 2)?; // "object changes are automatically persisted"
    session.set(CART, &vec!["umbrella".to_owned()])?;
    sessions.commit(&session).wait()?;

    let later = sessions.open(&id).wait()?.ok_or("the session is gone")?;
    let by_key = get_or_create_checkout(&sessions, &later, false, Some(&id))?;
    println!("checkout, by key:               {by_key:?}");
    println!(
        "by the key of nobody:           {:?}",
        get_or_create_checkout(&sessions, &later, true, Some(&SessionId::generate()?))?
    );

    destroy_cart(&sessions, &later, Some(&id))?;
    let last = sessions.open(&id).wait()?.ok_or("the session is gone")?;
    println!("names after deleting the cart:  {:?}", last.names());
    destroy_cart(&sessions, &last, None)?;
    assert_eq!(last.names(), ["my_option", "shop.checkout"]);
    assert_eq!(by_key, Some(CheckoutData { step: 2, address: None }));
    Ok(())
}

fn main() -> Result<()> {
    run()
}
