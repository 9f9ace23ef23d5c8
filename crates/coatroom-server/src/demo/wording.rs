//! Times and browsers in a visitor's words.

use std::time::Duration;

use jiff::Timestamp;

/// What is left of a limit. `shop.js` says the same in the same words.
pub(crate) fn left(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, 0) => "over".to_owned(),
        (0, 0, 0, s) => format!("{s} s left"),
        (0, 0, m, s) => format!("{m} min {s} s left"),
        (0, h, m, _) => format!("{h} h {m} min left"),
        (d, h, ..) => format!("{d} d {h} h left"),
    }
}

/// How long ago something was.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs();
    match seconds {
        ..60 => "just now".to_owned(),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        86_400..172_800 => "yesterday".to_owned(),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// A day and a time, as `22 Nov 2026, 23:29 UTC`.
pub(crate) fn date(time: Timestamp) -> String {
    time.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// The client label of a User-Agent: its first 80 characters. From one that is longer, the words
/// that every browser says are left out first, since they push its own name behind the cut.
pub(crate) fn label(agent: &str) -> String {
    const MOST: usize = 80;
    let said_by_all =
        ["Mozilla/5.0 ", "AppleWebKit/537.36 ", "AppleWebKit/605.1.15 ", "(KHTML, like Gecko) "];
    let short = match agent.chars().count() {
        ..=MOST => agent.to_owned(),
        _ => said_by_all.iter().fold(agent.to_owned(), |agent, words| agent.replacen(words, "", 1)),
    };
    short.chars().filter(|letter| !letter.is_control()).take(MOST).collect()
}

/// The browser and system that a client label tells of, in short; a browser's full label names a
/// dozen others for history's sake.
pub(crate) fn browser(label: &str) -> String {
    let first = |table: &[(&str, &'static str)]| {
        table.iter().find(|(token, _)| label.contains(token)).map(|(_, name)| *name)
    };
    match (first(BROWSERS), first(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ if label.is_empty() => "Unnamed browser".to_owned(),
        _ => label.to_owned(),
    }
}

/// In the order of asking: each of these calls itself by the names below it too.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_in_the_two_largest_units() {
        for (seconds, words) in [
            (0, "over"),
            (59, "59 s left"),
            (1_199, "19 min 59 s left"),
            (43_199, "11 h 59 min left"),
            (604_800, "7 d 0 h left"),
        ] {
            assert_eq!(left(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn the_past_is_told_roughly() {
        let now = Timestamp::from_second(1_900_000_000).unwrap();
        let told = |seconds: i64| ago(Timestamp::from_second(1_900_000_000 - seconds).unwrap(), now);
        assert_eq!(told(-5), "just now");
        assert_eq!(told(61), "1 min ago");
        assert_eq!(told(7_200), "2 h ago");
        assert_eq!(told(90_000), "yesterday");
        assert_eq!(told(300_000), "3 days ago");
    }

    const WEBKIT: &str = "AppleWebKit/537.36 (KHTML, like Gecko)";

    #[test]
    fn a_label_is_cut_to_80_characters() {
        assert_eq!(label("Mozilla/5.0 shop till"), "Mozilla/5.0 shop till");
        assert_eq!(label(&"é".repeat(500)), "é".repeat(80));
    }

    #[test]
    fn browsers_are_told_by_their_short_names() {
        let told = |agent: &str| browser(&label(agent));
        assert_eq!(
            told(&format!("Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/156.0.0.0 Safari/537.36")),
            "Chrome on Linux"
        );
        assert_eq!(
            told(&format!(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0"
            )),
            "Edge on Windows"
        );
        assert_eq!(
            told(&format!(
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) {WEBKIT} Version/19.0 Safari/604.1"
            )),
            "Safari on iPhone"
        );
        assert_eq!(
            told("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0"),
            "Firefox on macOS"
        );
        assert_eq!(told("curl/8.5.0"), "curl");
        assert_eq!(browser("till no. 4"), "till no. 4");
        assert_eq!(browser(""), "Unnamed browser");
    }
}
