//! What the store says to the database: a fixed handful of statements.

/// One of the statements. Each connection prepares it once, where it may.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Statement {
    Load,
    Create,
    Commit,
    Touch,
    Remove,
    Page,
    Count,
    Namespaces,
    OfPrincipal,
    Epoch,
    BumpEpoch,
    Claim,
    /// The same, and waits for what another transaction works on.
    ClaimWaiting,
    Settle,
    Check,
    Flush,
    Clock,
    Examine,
}

impl Statement {
    pub(super) const ALL: [Self; 18] = [
        Self::Load,
        Self::Create,
        Self::Commit,
        Self::Touch,
        Self::Remove,
        Self::Page,
        Self::Count,
        Self::Namespaces,
        Self::OfPrincipal,
        Self::Epoch,
        Self::BumpEpoch,
        Self::Claim,
        Self::ClaimWaiting,
        Self::Settle,
        Self::Check,
        Self::Flush,
        Self::Clock,
        Self::Examine,
    ];

    fn template(self) -> &'static str {
        match self {
            Self::Load => include_str!("sql/load.sql"),
            Self::Create => include_str!("sql/create.sql"),
            Self::Commit => include_str!("sql/commit.sql"),
            Self::Touch => include_str!("sql/touch.sql"),
            Self::Remove => include_str!("sql/remove.sql"),
            Self::Page => include_str!("sql/page.sql"),
            Self::Count => include_str!("sql/count.sql"),
            Self::Namespaces => include_str!("sql/namespaces.sql"),
            Self::OfPrincipal => include_str!("sql/of_principal.sql"),
            Self::Epoch => include_str!("sql/epoch.sql"),
            Self::BumpEpoch => include_str!("sql/bump_epoch.sql"),
            Self::Claim | Self::ClaimWaiting => include_str!("sql/claim.sql"),
            Self::Settle => include_str!("sql/settle.sql"),
            Self::Check => include_str!("sql/check.sql"),
            Self::Flush => include_str!("sql/flush.sql"),
            Self::Clock => include_str!("sql/clock.sql"),
            Self::Examine => include_str!("sql/examine.sql"),
        }
    }
}

/// The texts of all statements for one schema.
#[derive(Debug)]
pub(super) struct Texts([String; Statement::ALL.len()]);

impl Texts {
    pub(super) fn new(schema: &Schema) -> Self {
        Self(Statement::ALL.map(|statement| {
            let text = schema.fill(statement.template());
            if statement == Statement::ClaimWaiting { text.replace(" SKIP LOCKED", "") } else { text }
        }))
    }

    pub(super) fn of(&self, statement: Statement) -> &str {
        &self.0[statement as usize]
    }
}

/// The name of a schema: `[a-z_][a-z0-9_]{0,62}`, which no text of SQL can hide in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Schema(String);

impl Schema {
    pub(super) fn parse(name: &str) -> Option<Self> {
        let first = |c: u8| c.is_ascii_lowercase() || c == b'_';
        let (head, rest) = name.as_bytes().split_first()?;
        let is_name = first(*head) && rest.iter().all(|c| first(*c) || c.is_ascii_digit());
        (is_name && name.len() <= 63).then(|| Self(name.to_owned()))
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// The text of SQL with this schema in it. Quoted, so that a key word is a name too.
    pub(super) fn fill(&self, template: &str) -> String {
        template.replace("{schema}", &format!("\"{}\"", self.0))
    }
}

impl Default for Schema {
    fn default() -> Self {
        Self("coatroom".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_lies_where_its_number_says() {
        for (number, statement) in Statement::ALL.into_iter().enumerate() {
            assert_eq!(statement as usize, number);
        }
    }

    #[test]
    fn no_statement_relies_on_a_search_path() {
        let texts = Texts::new(&Schema::default());
        for statement in Statement::ALL {
            let lines = texts.of(statement).lines().filter(|line| !line.starts_with("--"));
            let text: String = lines.collect();
            assert!(!text.contains('{'), "{text}");
            for name in [" records", " epochs", " create_record", " commit_record", " touch_record"] {
                assert!(!text.contains(name), "{name} in {text}");
            }
        }
    }

    #[test]
    fn a_schema_is_a_plain_name() {
        for name in ["coatroom", "_", "a1_b", "select", &"x".repeat(63)] {
            assert_eq!(Schema::parse(name).unwrap().name(), name);
        }
        for name in ["", "1a", "A", "a-b", "a.b", "a\"b", "a b", "\u{e4}", "a;drop", &"x".repeat(64)] {
            assert!(Schema::parse(name).is_none(), "{name:?}");
        }
    }
}
