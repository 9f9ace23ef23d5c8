//! The files that pages refer to, served from the binary.
//!
//! Each has the hash of its content in its address, so that browsers may keep it for good and still
//! get a new one after an upgrade.

use std::sync::LazyLock;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::input::Segment;

/// A file with its address.
#[derive(Debug)]
pub(crate) struct Asset {
    /// `/assets/NAME.HASH.EXTENSION`.
    pub(crate) url: String,
    media_type: &'static str,
    content: &'static str,
}

pub(crate) static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("shop", "css", "text/css; charset=utf-8", include_str!("../../assets/shop.css"))
});

pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("shop", "js", "text/javascript; charset=utf-8", include_str!("../../assets/shop.js"))
});

pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("favicon", "svg", "image/svg+xml", include_str!("../../assets/favicon.svg")));

impl Asset {
    fn new(name: &str, extension: &str, media_type: &'static str, content: &'static str) -> Self {
        let hash = Sha256::digest(content);
        let hash: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Self { url: format!("/assets/{name}.{hash}.{extension}"), media_type, content }
    }
}

/// GET /assets/{file}
pub(crate) async fn serve(Segment(file): Segment) -> Response {
    let found = [&STYLESHEET, &SCRIPT, &ICON]
        .into_iter()
        .find(|asset| asset.url.strip_prefix("/assets/") == Some(&file));
    match found {
        Some(asset) => {
            let headers = [
                (header::CONTENT_TYPE, asset.media_type),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (headers, asset.content).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
