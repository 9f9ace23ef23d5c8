//! The manual: what holds, what is set, and why. Documentation only.
//!
//! | page | answers |
//! |---|---|
//! | [`concurrency`] | what becomes of two requests that change one session at once? |
//! | [`time`] | when does a session end, and what extends it? |
//! | [`threats`] | which attack is answered by what, and what is left to the application? |
//! | [`defaults`] | what is set if I set nothing, and within which range may I? |
//! | [`choosing_a_store`] | where should sessions be kept, and what does a crash cost? |
//! | [`operating`] | what do logs, metrics and events say, and what do errors mean? |
//! | [`testing_applications`] | how do I test what stands on sessions? |
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | session | the data kept for one visitor between requests |
//! | session id | what the cookie carries: a locator and a secret; never stored whole, never logged |
//! | locator | the public half of an id, by which stores and logs know the session |
//! | secret | the other half; the record holds only its hash; `renew` and `login` replace it |
//! | attribute | one named value in a session |
//! | slot | a typed name of an attribute, with its merge rule |
//! | record | what a store keeps: attributes, times, revision, principal |
//! | revision | a counter that a record gains with each commit |
//! | generation | a counter that a record gains with each renewal |
//! | principal | the user a session belongs to |
//! | namespace | one application's part of a store |
//! | keyed session | one that the application finds by a key of its own; it has no secret |
//! | superseded | what an id is for a minute after a renewal replaced its secret |
//! | commit | write a request's changes, once, after the handler |
//! | touch | move the idle deadline without rewriting data |
//! | end | delete the data and expire the cookie |
//! | idle timeout, lifetime | how long a session lives without activity, and how long at most |
//! | sweep | take out expired records and report them |

pub mod choosing_a_store;
pub mod concurrency;
pub mod defaults;
pub mod operating;
pub mod testing_applications;
pub mod threats;
pub mod time;
