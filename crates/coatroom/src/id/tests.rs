use sha2::{Digest, Sha256};

use super::*;

#[test]
fn an_id_has_one_text_form_of_64_characters() {
    let id = SessionId::generate().unwrap();
    let text = id.expose();
    assert_eq!(text.len(), SessionId::TEXT_LEN);
    assert!(SessionId::parse(text.as_bytes()) == Some(id));
    for wrong in
        [&text[..63], &format!("{text}A"), &text.replacen(&text[..1], "+", 1), &format!("{}=", &text[..63])]
    {
        assert!(SessionId::parse(wrong.as_bytes()).is_none());
    }
}

#[test]
fn the_hash_of_a_secret_is_its_sha_256() {
    for _ in 0..100 {
        let secret = SessionId::generate().unwrap().secret;
        let hash: [u8; 32] = Sha256::digest(*secret.to_bytes()).into();
        assert_eq!(secret.hash().0, hash);
        assert!(secret.hash().matches(&hash));
        for bit in 0..256 {
            let mut other = hash;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!secret.hash().matches(&other));
        }
    }
}

#[test]
fn debug_withholds_the_secret() {
    let id = SessionId::generate().unwrap();
    let shown = format!("{id:?}");
    assert!(shown.contains(&id.locator().to_string()));
    assert!(!shown.contains(&id.expose()[24..40]));
}

#[test]
fn a_locator_reads_what_it_shows_and_nothing_else() {
    let locator = SessionId::generate().unwrap().locator();
    assert_eq!(locator.to_string().parse::<Locator>().unwrap(), locator);
    for wrong in
        ["", "abc", &locator.to_string().to_uppercase().replace(char::is_numeric, "A"), &"+".repeat(32)]
    {
        assert!(wrong.parse::<Locator>().is_err());
    }
}

#[test]
fn keyed_locators_differ_by_namespace_and_key() {
    let (a, b) = (Namespace::new("a"), Namespace::new("b"));
    assert_eq!(Locator::keyed(a, b"k"), Locator::keyed(a, b"k"));
    assert_ne!(Locator::keyed(a, b"k"), Locator::keyed(b, b"k"));
    assert_ne!(Locator::keyed(a, b"k"), Locator::keyed(a, b"K"));
}
