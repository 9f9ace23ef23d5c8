//! Notes: attributes with names made at run time.

use axum::http::StatusCode;
use axum::response::Response;
use coatroom::{Session, Slot};

use crate::demo::failure::Failure;
use crate::demo::input::{Segment, Text};
use crate::demo::lab::Lab;
use crate::demo::slots::NOTE_PREFIX;

/// PUT /notes/{name}, with the text as body
pub(super) async fn put(
    lab: Lab,
    Segment(name): Segment,
    session: Session,
    Text(text): Text,
) -> Result<Response, Failure> {
    let attribute = attribute(&name)?;
    session.set(Slot::new(&attribute), &text)?;
    lab.answer(StatusCode::NO_CONTENT).await
}

/// DELETE /notes/{name}
pub(super) async fn remove(lab: Lab, Segment(name): Segment, session: Session) -> Result<Response, Failure> {
    let attribute = attribute(&name)?;
    session.remove(Slot::<String>::new(&attribute))?;
    lab.answer(StatusCode::NO_CONTENT).await
}

fn attribute(name: &str) -> Result<String, Failure> {
    let letters = name.chars().count();
    if !(1..=MOST_LETTERS).contains(&letters) || name.chars().any(char::is_control) {
        return Err(Failure::unprocessable(format!(
            "a note's name has 1 to {MOST_LETTERS} letters, digits, blanks or signs of any script, and no control characters such as a line break"
        )));
    }
    Ok(format!("{NOTE_PREFIX}{name}"))
}

/// At four bytes a letter that is an attribute name for certain.
const MOST_LETTERS: usize = 60;
