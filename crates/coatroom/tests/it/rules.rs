//! The rules of writing against a model: requests of one session, interleaved at random.

use std::collections::BTreeMap;

use coatroom::{Session, SessionError, SessionId, Slot};
use fastrand::Rng;

use crate::support::{Fixture, Place, SECOND, embedded, memory};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const PRINCIPALS: [&str; 2] = ["alice", "bob"];

/// What the rules say of a session.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    ended: bool,
    renewals: u32,
    principal: Option<String>,
    attributes: BTreeMap<String, u64>,
}

/// A request, and what it did to its session.
struct Request {
    session: Session,
    saw: Model,
    cleared: bool,
    changes: BTreeMap<&'static str, Option<u64>>,
    login: Option<&'static str>,
    renews: bool,
}

impl Request {
    fn new(session: Session, saw: Model) -> Self {
        Self { session, saw, cleared: false, changes: BTreeMap::new(), login: None, renews: false }
    }

    fn act(&mut self, rng: &mut Rng) {
        let name = NAMES[rng.usize(..NAMES.len())];
        let (slot, value) = (Slot::<u64>::new(name), rng.u64(0..4));
        match rng.u8(0..9) {
            0..=3 => {
                self.session.set(slot, &value).unwrap();
                self.changes.insert(name, Some(value));
            }
            4 if self.session.contains(name) => {
                self.session.remove(slot).unwrap();
                self.changes.insert(name, None);
            }
            5 if self.session.take(slot).unwrap().is_some() => {
                self.changes.insert(name, None);
            }
            6 => self.log_in(PRINCIPALS[rng.usize(..PRINCIPALS.len())]),
            7 => {
                self.session.renew().unwrap();
                self.renews = true;
            }
            8 => {
                self.session.clear().unwrap();
                self.clear();
            }
            _ => {}
        }
    }

    fn log_in(&mut self, principal: &'static str) {
        self.session.login(principal).unwrap();
        let owner = self.login.or(self.saw.principal.as_deref());
        if owner.is_some_and(|owner| owner != principal) {
            self.clear();
        }
        self.login = Some(principal);
        self.renews = true;
    }

    fn clear(&mut self) {
        self.cleared = true;
        self.changes.clear();
    }

    /// What a commit makes of the session as it is; `None` where there is nothing to commit.
    fn outcome(&self, now: &Model) -> Option<Model> {
        let base = |name: &str| self.saw.attributes.get(name).copied();
        let changed = |(name, value): &(&&str, &Option<u64>)| self.cleared || base(name) != **value;
        let changes: Vec<_> = self.changes.iter().filter(changed).collect();
        if changes.is_empty() && !self.cleared && !self.renews {
            return None;
        }
        let mut after = now.clone();
        if self.cleared {
            after.attributes.clear();
        }
        for (name, value) in changes {
            match value {
                Some(value) => after.attributes.insert((*name).to_owned(), *value),
                None => after.attributes.remove(*name),
            };
        }
        after.principal = self.login.map(str::to_owned).or(after.principal);
        after.renewals += u32::from(self.renews);
        Some(after)
    }
}

/// One session, its model, and the requests that are under way.
struct Visit {
    fixture: Fixture,
    id: SessionId,
    former: Vec<SessionId>,
    model: Model,
    requests: Vec<Request>,
}

impl Visit {
    async fn begin(place: Place) -> Self {
        let fixture = Fixture::new(place);
        let (id, session) = fixture.sessions.create().unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        Self { fixture, id, former: Vec::new(), model: Model::default(), requests: Vec::new() }
    }

    async fn load(&mut self) {
        for former in &self.former {
            assert!(self.fixture.sessions.open(former).await.unwrap().is_none());
        }
        let Some(session) = self.fixture.sessions.open(&self.id).await.unwrap() else {
            assert!(self.model.ended);
            return;
        };
        let value = |name: String| (name.clone(), session.get(Slot::new(&name)).unwrap().unwrap());
        let attributes = session.names().into_iter().map(value).collect();
        let seen = Model { principal: session.principal(), attributes, ..self.model.clone() };
        assert_eq!(seen, Model { ended: false, ..self.model.clone() });
        self.requests.push(Request::new(session, seen));
    }

    async fn commit(&mut self, request: Request) {
        let committed = self.fixture.sessions.commit(&request.session).await;
        let Some(after) = request.outcome(&self.model) else { return assert_eq!(committed.unwrap(), None) };
        if self.model.ended {
            return assert!(matches!(committed, Err(SessionError::Gone)), "{committed:?}");
        }
        if request.renews && request.saw.renewals != self.model.renewals {
            return assert!(matches!(committed, Err(SessionError::Superseded)), "{committed:?}");
        }
        let new = committed.unwrap();
        assert_eq!(new.is_some(), request.renews);
        self.former.extend(new.map(|new| std::mem::replace(&mut self.id, new)));
        self.model = after;
    }

    async fn step(&mut self, rng: &mut Rng) {
        let chosen = (!self.requests.is_empty()).then(|| rng.usize(..self.requests.len()));
        match (rng.u8(0..40), chosen) {
            (0..=11, _) => self.load().await,
            (12..=27, Some(chosen)) => self.requests[chosen].act(rng),
            (28..=35, Some(chosen)) => {
                let request = self.requests.swap_remove(chosen);
                self.commit(request).await;
            }
            (36, Some(chosen)) => {
                self.requests.swap_remove(chosen).session.logout().await.unwrap();
                self.model.ended = true;
            }
            _ => self.fixture.clock.advance(SECOND * rng.u32(0..45)),
        }
    }
}

async fn visits(rounds: u64, place: impl Fn() -> Place) {
    for seed in 0..rounds {
        let mut rng = Rng::with_seed(seed);
        let mut visit = Visit::begin(place()).await;
        for _ in 0..60 {
            visit.step(&mut rng).await;
        }
    }
}

#[tokio::test]
async fn interleaved_requests_leave_what_the_rules_say_in_a_memory_store() {
    visits(2_000, memory).await;
}

#[tokio::test]
async fn interleaved_requests_leave_what_the_rules_say_in_an_embedded_store() {
    let place = embedded();
    visits(200, || place.clone()).await;
}
