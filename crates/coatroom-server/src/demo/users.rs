//! Who may sign in.

use std::fmt;
use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use tokio::sync::Semaphore;

/// The demo's two users. Checking a password takes its time by design, so it is done on blocking
/// threads, and only so many at once: each check uses 19 MiB.
#[derive(Clone)]
pub(crate) struct Users {
    turns: Arc<Semaphore>,
}

/// A password could not be checked.
#[derive(Debug, thiserror::Error)]
#[error("checking a password failed; try again")]
pub(crate) struct CheckFailed;

impl Users {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { turns: Arc::new(Semaphore::new(cores)) }
    }

    /// The user of this name, if that is the password. A name that is not known takes as long as
    /// one that is, so that the time does not tell names (OWASP ASVS 6.3.8).
    pub(crate) async fn verify(
        &self,
        name: &str,
        password: String,
    ) -> Result<Option<&'static str>, CheckFailed> {
        let user = USERS.iter().find(|(known, _)| *known == name);
        let hash = user.map_or(DECOY, |(_, hash)| hash);
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| CheckFailed)?;
        let check = tokio::task::spawn_blocking(move || {
            let matches = matches(hash, &password);
            drop(turn);
            matches
        });
        let matches = check.await.map_err(|_| CheckFailed)?;
        Ok(user.filter(|_| matches).map(|(name, _)| *name))
    }
}

fn matches(hash: &str, password: &str) -> bool {
    // A longer one is nobody's.
    let password = if password.len() > MOST_BYTES { "" } else { password };
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Users")
    }
}

/// Names with the argon2id hashes of their passwords, which are no secret: the shop prints them.
const USERS: &[(&str, &str)] = &[
    (
        "alice",
        "$argon2id$v=19$m=19456,t=2,p=1$lfMZToM2Zbcq2RnSmb3pnQ$zhHd+9+lVlH0kD3DhYapU+5MufnTgDhVccqK1rG67xA",
    ),
    (
        "bob",
        "$argon2id$v=19$m=19456,t=2,p=1$2IgyPi/Dwci78FlDV9zJQA$O5olXMXfpYWRTv8eJnD/Vab+rQZjQ1SiOM1poxfimSI",
    ),
];

/// The hash of a password that nobody knows, checked for names that nobody has.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$R5J7JDiRqFnVxqHo+2Wmsg$tPCpkkPLewyyd+5Y8bq741foyOkJG+6hCicDprQENx0";

const MOST_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    async fn verify(name: &str, password: &str) -> Option<&'static str> {
        Users::new().verify(name, password.to_owned()).await.unwrap()
    }

    #[tokio::test]
    async fn a_user_is_known_by_name_and_password() {
        assert_eq!(verify("alice", "wonderland").await, Some("alice"));
        assert_eq!(verify("bob", "builder").await, Some("bob"));
    }

    #[tokio::test]
    async fn anybody_else_is_not() {
        for (name, password) in [
            ("alice", "builder"),
            ("alice", ""),
            ("Alice", "wonderland"),
            ("", ""),
            ("carol", "x"),
            ("bob", &"x".repeat(1 << 20)),
        ] {
            assert_eq!(verify(name, password).await, None, "{name}");
        }
    }

    #[test]
    fn every_hash_is_one_and_costs_the_same() {
        let cost = |hash| PasswordHash::new(hash).unwrap().params;
        for (_, hash) in USERS {
            assert_eq!(cost(hash), cost(DECOY));
        }
    }
}
