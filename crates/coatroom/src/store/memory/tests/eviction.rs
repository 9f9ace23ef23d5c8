//! What goes to make room, and how much at a time.

use super::*;

fn went(departed: &[Departed]) -> Vec<(u8, Departure)> {
    departed.iter().map(|gone| (gone.record.key().locator.as_bytes()[0], gone.reason)).collect()
}

#[test]
fn bots_make_room_before_visitors_and_the_oldest_first() {
    let one = budget_of(ONE);
    let store = MemoryStore::builder().max_bytes(3 * one).build();
    let made = |number: u8, confirmed| Made {
        locator: [number, 0],
        confirmed,
        at: START + u32::from(number) * SECOND,
        ..ONE
    };
    assert!(create(&store, made(1, true)).is_empty());
    assert!(create(&store, made(2, true)).is_empty());
    assert!(create(&store, made(3, false)).is_empty());
    assert_eq!(went(&create(&store, made(4, true))), [(3, Departure::Evicted)]);
    assert_eq!(went(&create(&store, made(5, false))), [(1, Departure::Evicted)]);
    assert_eq!(now(store.count(namespace(), START + 5 * SECOND)), 3);
    let large = Made { revision: 2, bytes: one, ..made(5, false) };
    assert_eq!(went(&commit(&store, large)), [(2, Departure::Evicted)]);
}

#[test]
fn the_dead_make_room_before_the_living() {
    let one = budget_of(ONE);
    let store = MemoryStore::builder().max_bytes(2 * one).build();
    create(&store, Made { locator: [1, 0], idle: 10 * IDLE, ..ONE });
    // Also where they were accessed later.
    let dead = Made { at: START + IDLE, idle: IDLE / 2, ..ONE };
    create(&store, dead);
    let departed = create(&store, Made { locator: [2, 0], at: START + 2 * IDLE, ..ONE });
    assert_eq!((departed.len(), departed[0].reason), (1, Departure::Expired));
    assert_eq!(departed[0].record.key(), &ONE.key());
}

#[test]
fn a_bot_is_found_among_the_visitors_of_its_shard() {
    let store = MemoryStore::builder().max_bytes(60 * budget_of(ONE)).build();
    for number in 0..60 {
        assert!(create(&store, Made { locator: [1, number], confirmed: number != 33, ..ONE }).is_empty());
    }
    let departed = create(&store, Made { locator: [1, 60], ..ONE });
    assert_eq!(departed[0].record.key().locator.as_bytes()[..2], [1, 33]);
}

#[test]
fn nobody_is_taken_for_a_bot_where_nobody_has_to_present_an_id_back() {
    let store = MemoryStore::builder().max_bytes(2 * budget_of(ONE)).build();
    let later = |number: u8| Made { locator: [number, 0], at: START + u32::from(number) * SECOND, ..ONE };
    create(&store, later(1));
    create(&store, Made { confirmed: false, unconfirmed: None, ..later(2) });
    assert_eq!(went(&create(&store, later(3))), [(1, Departure::Evicted)]);
}

/// So that a search serves several writes.
#[test]
fn once_the_store_is_over_a_thousandth_of_it_goes_in_advance() {
    let one = budget_of(ONE);
    let store = MemoryStore::builder().max_bytes(2_048 * one).build();
    let made = |number: u16| Made { locator: number.to_le_bytes(), ..ONE };
    for number in 0..2_048 {
        assert!(create(&store, made(number)).is_empty(), "there is room up to the last byte");
    }
    assert_eq!(create(&store, made(2_048)).len(), 1 + 2);
    assert!(create(&store, made(2_049)).is_empty());
}

#[test]
fn what_changed_since_it_was_chosen_stays() {
    let store = MemoryStore::new();
    create(&store, ONE);
    let chosen = now(store.load(&ONE.key(), START)).unwrap();
    commit(&store, Made { revision: 2, ..ONE });
    assert!(store.0.evict(&chosen, START).is_none());
    assert_eq!(now(store.load(&ONE.key(), START)).unwrap().revision(), 2);
}
