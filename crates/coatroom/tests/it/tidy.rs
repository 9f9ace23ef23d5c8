//! The arrows of ARCHITECTURE.md run down only, and some words stand nowhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may use besides itself. A module that is not listed may use nothing.
const MAY_USE: &[(&str, &[&str])] = &[
    ("changes", &["codec", "error", "record", "slot"]),
    ("clock", &[]),
    ("codec", &["error", "id", "record", "slot"]),
    ("config", &["cookie", "id", "slot"]),
    ("cookie", &["id"]),
    (
        "engine",
        &[
            "changes", "clock", "codec", "config", "error", "event", "expiry", "id", "metrics", "record",
            "slot", "snapshot", "store", "web",
        ],
    ),
    ("error", &["id"]),
    ("event", &["id", "metrics", "snapshot"]),
    ("expiry", &["clock", "record"]),
    ("id", &[]),
    ("layer", &["cookie", "engine", "error", "event", "id", "manager", "session", "web"]),
    (
        "manager",
        &[
            "clock", "codec", "config", "engine", "error", "event", "id", "session", "slot", "snapshot",
            "store", "sweeper", "web",
        ],
    ),
    ("metrics", &[]),
    ("record", &["clock", "expiry", "id"]),
    ("session", &["changes", "clock", "codec", "engine", "error", "id", "record", "slot", "snapshot"]),
    ("slot", &[]),
    ("snapshot", &["clock", "codec", "error", "id", "record", "slot"]),
    ("store", &["clock", "error", "expiry", "id", "record"]),
    ("sweeper", &["config", "engine", "wait"]),
    ("testing", &["error", "id", "manager"]),
    ("wait", &[]),
    ("web", &["config", "cookie", "error"]),
];

fn sources() -> Vec<(String, PathBuf, String)> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                walk(&entry, found);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                found.push(entry);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let module = |path: &Path| {
        let first = path.strip_prefix(&root).unwrap().iter().next().unwrap().to_str().unwrap();
        first.trim_end_matches(".rs").to_owned()
    };
    paths.into_iter().map(|path| (module(&path), path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

/// The modules that a file uses: `crate::name`, and each name of `crate::{…}`, wherever it stands outside
/// of tests and comments.
fn used(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: String =
        code.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|l| [l, "\n"]).collect();
    let paths = code.match_indices("crate::").map(|(at, found)| &code[at + found.len()..]);
    paths.flat_map(|path| path.strip_prefix('{').map_or_else(|| vec![first(path)], firsts)).collect()
}

fn first(path: &str) -> String {
    path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first names of the paths of a group, behind whose brace `group` begins.
fn firsts(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut begin) = (0, Vec::new(), 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(first(&group[begin..at]));
                begin = at + 1;
            }
            _ => {}
        }
        if character == '}' && begin == at + 1 {
            break;
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn an_arrow_is_seen_however_it_is_written() {
    let code = "use crate::one;\nuse crate::two::{A, B};\npub(crate) use crate::{\n    three,\n    four::{C, five::D},\n    \
                six as seven,\n};\n// use crate::eight;\nfn nine() { crate::ten::F(crate::Eleven) }\nuse other::{twelve};\n";
    assert_eq!(used(code), ["one", "two", "three", "four", "six", "ten", "Eleven"]);
}

/// Arrows that run up, and why: ARCHITECTURE.md names them.
const RUN_UP: &[(&str, &str)] = &[("expiry", "record")];

#[test]
fn what_the_modules_may_use_has_no_cycle_but_the_ones_that_are_named() {
    let mut left: BTreeMap<&str, Vec<&str>> =
        MAY_USE.iter().map(|(module, may)| (*module, may.to_vec())).collect();
    for (module, up) in RUN_UP {
        let may = left.get_mut(module).unwrap();
        assert!(may.contains(up), "{module} no longer uses {up}");
        may.retain(|other| other != up);
    }
    // Who uses nobody that is left goes, until nobody can.
    while let Some(leaf) = left.iter().find(|(_, may)| may.is_empty()).map(|(module, _)| *module) {
        left.remove(leaf);
        left.values_mut().for_each(|may| may.retain(|other| *other != leaf));
    }
    assert!(left.is_empty(), "modules that use one another: {left:?}");
    let told =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ARCHITECTURE.md")).unwrap();
    for (module, up) in RUN_UP {
        assert!(
            told.contains(&format!("`{module}` ─► `{up}`")),
            "ARCHITECTURE.md does not tell of {module} ─► {up}"
        );
    }
}

#[test]
fn no_module_uses_one_above_it() {
    let allowed: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        if matches!(module.as_str(), "lib" | "manual")
            || path.ends_with("tests.rs")
            || path.iter().any(|part| part == "tests")
        {
            continue;
        }
        let may_use =
            allowed.get(module.as_str()).unwrap_or_else(|| panic!("{module} has no line in MAY_USE"));
        for other in used(&text) {
            let is_module = allowed.contains_key(other.as_str());
            if is_module && other != module && !may_use.contains(&other.as_str()) {
                wrong.push(format!("{}: {module} uses {other}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that run up:\n{}", wrong.join("\n"));
}

#[test]
fn no_store_reads_the_clock_or_sees_a_secret() {
    for (module, path, text) in sources() {
        if module != "store" {
            continue;
        }
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for word in ["SystemTime", "SystemClock", ".now()", "SessionId", "SecretHash"] {
            assert!(!code.contains(word), "{} says {word}", path.display());
        }
    }
}

#[test]
fn only_web_layer_and_cookie_name_http() {
    for (module, path, text) in sources() {
        let may = ["cookie", "layer", "testing", "web", "lib", "manual"].contains(&module.as_str());
        assert!(may || !text.contains("use http"), "{} names HTTP", path.display());
    }
}
