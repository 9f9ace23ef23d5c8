//! Which attack is answered by what, and what is left to the application.
//!
//! Numbers are those of OWASP ASVS 5.0.
//!
//! | threat | answer |
//! |---|---|
//! | **Guessing an id** (7.2.3, 11.5.1) | 384 random bits from the operating system, 256 of them secret. Without random bytes no id is made. |
//! | **Fixation**: the attacker plants an id and waits for a login (7.2.4) | [`login`](crate::Session::login) replaces the secret in the same commit that names the user; the planted one opens nothing. An id that the server did not issue is never adopted. [`renew`](crate::Session::renew) does the same for other changes of privilege. |
//! | **Fixation by a slow request**, sent with the planted id and answered after the login | It can write what its handler writes, as any request of the time before. It reads nothing that came with or after the login, and neither signs in nor renews ([Logins](super::concurrency#logins)). |
//! | **Hijack by a script** (3.3.4) | `HttpOnly`. The id is in no body, URL, log, metric or error: its type has neither `Display` nor `Serialize`. |
//! | **Hijack on the line** (3.3.1) | `Secure` and `__Host-`; plain HTTP must be asked for by [a name that says so](crate::CookieOptions::insecure_plain_http_for_localhost). |
//! | **A stolen copy of the store** | Records hold a hash of the secret, so a copy signs nobody in. Values lie there as they are, unless their slot is [sealed](crate::Slot::sealed): then a copy reads nothing, and a value moved to another session, attribute or application does not open. |
//! | **Writing to the store** | Not answered: who can write there can make any session. Values are data and never code; a Python pickle is not read here. |
//! | **Timing** (11.2.4) | Sessions are found by the public locator; secrets are hashed, and hashes compared in constant time. |
//! | **Cookie tossing**: a neighbouring subdomain sets a second cookie of our name | Two different values are no session, in any order, and an event. `__Host-` has browsers refuse such a cookie in the first place. |
//! | **Odd cookies**: quoted, encoded, joined by commas | One spelling of an id is read, and nothing is unquoted, decoded or guessed. Reading takes one pass whatever was sent. |
//! | **A logout undone** by a request still under way (7.4.1) | Commits update and never insert: the slow request's is [`Gone`](crate::SessionError::Gone). |
//! | **A login undone** by "sign out everywhere" that came first or second (7.4.2) | Epochs of principals: whichever way they interleave, the login loses. |
//! | **Too many logins of one user** (7.1.2) | [`max_sessions_per_principal`](crate::SessionManagerBuilder::max_sessions_per_principal), kept also by parallel logins. |
//! | **A cache serves one visitor's page to another** (14.3.2) | `Vary` names the cookie and the header that may bring an id where a session was read, `Cache-Control: no-store` where a cookie is set. What else a page shows to its visitor alone must say so itself. |
//! | **Puzzling**: data that one flow writes is taken for a login by another | Who is signed in is no attribute: only `login` sets the principal. Slots are typed, and [`login`](crate::Session::login) over another user's session clears its data first. |
//! | **Log leak** (16.2.5) | Logs, errors and metrics show locators and names of attributes, never a secret or a value. `Debug` of every type keeps to that. |
//! | **Filling the store** by requests without cookies | Reading creates nothing; sessions never brought back end after 10 minutes and are evicted first; sizes are limited. Limiting rates is the application's. |
//! | **A failing store taken for "not signed in"** (16.5.3) | It is an error, 503 by default. Only a handler that asks for `Option<Session>` goes on. |
//!
//! # What is suspicious
//!
//! [`Event::Suspicious`](crate::Event::Suspicious) tells of ids that no honest browser sends. One whose
//! session has ended or expired is not among them, and no event: browsers go on sending it with every
//! request after a pause or a logout in another tab, nothing is left by which it could be told from an id
//! that never was, and anyone could fill a log with such ids. It opens nothing, is never adopted and,
//! being 384 random bits, cannot be come across by trying; what a series of them tells is for the limits on
//! rates in front of the application.
//!
//! # What is left to the application
//!
//! **Forged requests** (CSRF, 3.5.1). `SameSite=Lax` keeps the cookie from forms and scripts of other
//! sites, not from those of sibling subdomains, nor from links; so never change anything on a GET, and
//! put a check of `Origin` and `Sec-Fetch-Site` around the rest, such as tower-http's CSRF layer. With
//! [`SameSite::None`](crate::SameSite::None) that layer is all there is.
//!
//! **Checking passwords**, and how often they may be tried (6.3.1). The library never sees one.
//!
//! **Fresh logins for what matters** (7.5.1): compare [`authenticated`](crate::Session::authenticated)
//! with the time, and ask for the password again where it was long ago.
//!
//! ```
//! # use coatroom::{Session, SessionManager};
//! use std::time::Duration;
//!
//! fn may_change_password(sessions: &SessionManager, session: &Session) -> bool {
//!     let fresh = |at| sessions.now().since(at) < Duration::from_secs(5 * 60);
//!     session.principal().is_some() && session.authenticated().is_some_and(fresh)
//! }
//! ```
//!
//! **Ending sessions when a password or a factor changes** (7.4.3):
//! [`end_others`](crate::SessionManager::end_others), and [`renew`](crate::Session::renew) of the
//! present one. When an account is closed (7.4.2): [`end_all`](crate::SessionManager::end_all).
//!
//! **Open streams and websockets** outlive a logout: look now and then whether their session still is,
//! for instance by [`open_locator`](crate::SessionManager::open_locator), and hang up.
//!
//! **Whose session is it?** A locator opens nothing, so a page may show it (7.5.2), but anyone can send
//! one. Before ending a session for a user, find it among [hers](crate::SessionManager::of).
