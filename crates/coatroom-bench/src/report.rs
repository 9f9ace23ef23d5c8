//! The tables that a run prints: markdown, one table of goals and some that show how figures grow.

use std::fmt::Write as _;

use crate::measure::Spread;

/// What a run found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    goals: Vec<Line>,
    tables: Vec<Table>,
}

/// One line of the table of goals.
#[derive(Debug)]
pub(crate) struct Line {
    /// What was done.
    pub(crate) work: String,
    /// Coatroom's figure, with its unit.
    pub(crate) ours: String,
    /// The figure beside it, with its unit and whose it is.
    pub(crate) beside: String,
    /// What the goal is about.
    pub(crate) figure: Figure,
    pub(crate) goal: Goal,
}

/// What is held against a goal.
#[derive(Debug)]
pub(crate) enum Figure {
    Ratio(Spread),
    Value(f64, &'static str),
}

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

/// A table that has no goals.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Report {
    pub(crate) fn goal(&mut self, line: Line) {
        eprintln!("  {}", line.cells().join(" | "));
        self.goals.push(line);
    }

    pub(crate) fn table(&mut self, table: Table) {
        eprint!("{}", table.markdown());
        self.tables.push(table);
    }

    /// Everything as markdown, under a line that says where and when it was measured.
    pub(crate) fn markdown(&self, machine: &str) -> String {
        let mut text = format!("Measured on {machine}.\n\n");
        if !self.goals.is_empty() {
            let header = ["work", "Coatroom", "beside", "figure (quartiles)", "goal", ""];
            let rows = self.goals.iter().map(Line::cells).collect();
            let title = "Goals".to_owned();
            let header = header.map(str::to_owned).to_vec();
            text += &Table { title, header, rows }.markdown();
        }
        for table in &self.tables {
            text += &table.markdown();
        }
        text
    }
}

impl Line {
    fn cells(&self) -> Vec<String> {
        let verdict = if self.is_reached() { "pass" } else { "miss" };
        vec![
            self.work.clone(),
            self.ours.clone(),
            self.beside.clone(),
            self.figure.text(),
            self.goal.text(&self.figure),
            verdict.to_owned(),
        ]
    }

    fn is_reached(&self) -> bool {
        let figure = match self.figure {
            Figure::Ratio(spread) => spread.median,
            Figure::Value(value, _) => value,
        };
        match self.goal {
            Goal::AtMost(limit) => figure <= limit,
            Goal::AtLeast(limit) => figure >= limit,
        }
    }
}

impl Figure {
    fn text(&self) -> String {
        match self {
            Self::Ratio(Spread { median, lower, upper }) => format!("{median:.2}x ({lower:.2}–{upper:.2})"),
            Self::Value(value, unit) => format!("{} {unit}", number(*value)).trim_end().to_owned(),
        }
    }
}

impl Goal {
    fn text(self, figure: &Figure) -> String {
        let (sign, limit) = match self {
            Self::AtMost(limit) => ('≤', limit),
            Self::AtLeast(limit) => ('≥', limit),
        };
        match figure {
            Figure::Ratio(_) => format!("{sign} {limit:.2}x"),
            Figure::Value(_, unit) => format!("{sign} {} {unit}", number(limit)).trim_end().to_owned(),
        }
    }
}

impl Table {
    pub(crate) fn new(title: impl Into<String>, header: &[&str]) -> Self {
        let header = header.iter().map(|&cell| cell.to_owned()).collect();
        Self { title: title.into(), header, rows: Vec::new() }
    }

    fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n| {} |\n|", self.title, self.header.join(" | "));
        text += &"---|".repeat(self.header.len());
        text.push('\n');
        for row in &self.rows {
            // Writing to a string does not fail.
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text.push('\n');
        text
    }
}

/// A figure with three digits that say something, and its thousands set apart.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    let digits = match () {
        () if size >= 100.0 || size == 0.0 => 0,
        () if size >= 10.0 => 1,
        () if size >= 0.1 => 2,
        () => 3,
    };
    let plain = format!("{value:.digits$}");
    let whole = plain.split('.').next().unwrap_or_default();
    if whole.trim_start_matches('-').len() <= 3 { plain } else { thousands(whole) }
}

fn thousands(whole: &str) -> String {
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_their_thousands_set_apart() {
        let shown = [0.0, 0.05, 0.5, 12.34, 123.4, 1234.0, 1_234_567.0].map(number);
        assert_eq!(shown, ["0", "0.050", "0.50", "12.3", "123", "1,234", "1,234,567"]);
    }

    #[test]
    fn a_goal_is_reached_at_its_limit_and_missed_behind_it() {
        let line = |value, goal| Line {
            work: String::new(),
            ours: String::new(),
            beside: String::new(),
            figure: Figure::Value(value, "ms"),
            goal,
        };
        assert!(line(5.0, Goal::AtMost(5.0)).is_reached());
        assert!(!line(5.1, Goal::AtMost(5.0)).is_reached());
        assert!(!line(f64::NAN, Goal::AtMost(5.0)).is_reached());
        assert!(line(0.9, Goal::AtLeast(0.9)).is_reached());
    }
}
