//! Durations as people type them.

use std::time::Duration;

/// Reads a whole number and a unit: `90s`, `20m`, `12h`, `7d`. From one second to ten years.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let unit = text.chars().next_back().and_then(seconds_of);
    let digits = text.get(..text.len().saturating_sub(1)).unwrap_or_default();
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>());
    match (number, unit) {
        (Some(Ok(number)), Some(unit)) => within_limits(number.saturating_mul(unit)),
        _ => Err(format!("a duration is a whole number with a unit, such as {FORMS}")),
    }
}

fn within_limits(seconds: u64) -> Result<Duration, String> {
    match seconds {
        1..=TEN_YEARS => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("a duration is from 1s to 3650d, such as {FORMS}")),
    }
}

fn seconds_of(unit: char) -> Option<u64> {
    match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        _ => None,
    }
}

const FORMS: &str = "90s, 20m, 12h or 7d";
const TEN_YEARS: u64 = 3_650 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_a_unit_is_a_duration() {
        for (text, seconds) in
            [("90s", 90), ("20m", 1_200), ("12h", 43_200), ("7d", 604_800), ("3650d", TEN_YEARS)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_told_the_forms() {
        for text in [
            "",
            "s",
            "20",
            "20 m",
            "-5m",
            "1.5h",
            "1h30m",
            "20M",
            "0s",
            "3651d",
            "99999999999999999999d",
            "5µ",
            "é",
        ] {
            assert!(parse(text).unwrap_err().contains("90s, 20m, 12h or 7d"), "{text}");
        }
    }
}
