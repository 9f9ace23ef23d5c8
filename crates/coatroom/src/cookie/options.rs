//! How an application wants its session cookie, and what is wrong with that.

use super::SessionCookie;
use crate::id::SessionId;

/// How the session cookie is named and sent.
///
/// The default is the strictest cookie there is, and right for most sites: `__Host-session`, sent
/// over HTTPS only, to this host only, hidden from scripts, `SameSite=Lax`, forgotten when the
/// browser closes. [`build`](Self::build) checks everything once.
///
/// # Example
///
/// ```
/// use coatroom::{CookieOptions, SameSite};
///
/// let cookie = CookieOptions::new().name("shop").same_site(SameSite::Strict).build()?;
/// assert_eq!(cookie.name(), "__Host-shop");
/// # Ok::<(), coatroom::CookieOptionsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CookieOptions {
    name: String,
    domain: Option<String>,
    path: String,
    same_site: SameSite,
    readable_by_scripts: bool,
    partitioned: bool,
    persistent: bool,
    insecure: bool,
}

impl CookieOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            name: "session".into(),
            domain: None,
            path: "/".into(),
            same_site: SameSite::Lax,
            readable_by_scripts: false,
            partitioned: false,
            persistent: false,
            insecure: false,
        }
    }

    /// The name without its prefix; `session` by default.
    ///
    /// ASCII letters, digits and ``!#$%&'*+-.^_`|~``. Applications on one host need different names.
    /// The prefix follows from the other options: `__Host-`, or `__Secure-` with a domain or path.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sends the cookie to this domain and all its subdomains, as `__Secure-`; by default it goes
    /// to the host that set it alone.
    ///
    /// Every subdomain then sees the cookie and can set its own in its place. International names
    /// are written in their ASCII form (`xn--…`). Where it changes, change the [name](Self::name) too:
    /// browsers keep the old cookie beside the new one, and two different values mean no session.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Sends the cookie below this path only, as `__Secure-`; by default it goes to the whole host
    /// (`/`). A path keeps applications of one host apart by courtesy, not by security. Where it changes,
    /// change the [name](Self::name) too, as with [`domain`](Self::domain).
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Which requests from other sites carry the cookie; [`SameSite::Lax`] by default.
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Leaves out `HttpOnly`, so that any script on the page, an injected one too, can read the
    /// session id and take the session away with it.
    #[must_use]
    pub fn readable_by_scripts(mut self) -> Self {
        self.readable_by_scripts = true;
        self
    }

    /// Adds `Partitioned`: a page embedded in another site then has a cookie for that site alone
    /// (CHIPS). Wants [`SameSite::None`] to be sent there at all.
    #[must_use]
    pub fn partitioned(mut self) -> Self {
        self.partitioned = true;
        self
    }

    /// Lets the cookie outlive the browser's run, for as long as the session's lifetime; by default
    /// the browser forgets it when it closes. Browsers keep no cookie for more than 400 days, so a session
    /// that lives longer needs a new one in between: a [`renew`](crate::Session::renew) sets it.
    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.persistent = true;
        self
    }

    /// Leaves out the prefix and `Secure`, so that the cookie works over plain HTTP on a
    /// developer's machine. Anywhere else it hands the session to whoever reads or alters the
    /// traffic.
    #[must_use]
    pub fn insecure_plain_http_for_localhost(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// Checks the options and lays the cookie out.
    ///
    /// # Errors
    ///
    /// A [`CookieOptionsError`] names the option that browsers would refuse and what to do.
    pub fn build(self) -> Result<SessionCookie, CookieOptionsError> {
        self.check_name()?;
        self.check_domain()?;
        self.check_path()?;
        self.check_security()?;
        Ok(SessionCookie::new(self.full_name(), self.attributes(), self.persistent))
    }

    fn full_name(&self) -> String {
        format!("{}{}", self.prefix(), self.name)
    }

    /// `__Host-` promises Secure, no Domain and Path=/; `__Secure-` the first of them.
    fn prefix(&self) -> &'static str {
        match (self.insecure, self.domain.is_none() && self.path == "/") {
            (true, _) => "",
            (false, true) => "__Host-",
            (false, false) => "__Secure-",
        }
    }

    fn attributes(&self) -> String {
        let mut text = format!("; Path={}", self.path);
        if let Some(domain) = &self.domain {
            text.push_str("; Domain=");
            text.push_str(domain);
        }
        if !self.insecure {
            text.push_str("; Secure");
        }
        if !self.readable_by_scripts {
            text.push_str("; HttpOnly");
        }
        text.push_str(self.same_site.attribute());
        if self.partitioned {
            text.push_str("; Partitioned");
        }
        text
    }

    fn check_name(&self) -> Result<(), CookieOptionsError> {
        if self.name.is_empty() || !self.name.bytes().all(is_token) {
            return Err(CookieOptionsError::Name { name: self.name.clone() });
        }
        if RESERVED_PREFIXES.iter().any(|prefix| starts_with_in_any_case(&self.name, prefix)) {
            return Err(CookieOptionsError::PrefixedName { name: self.name.clone() });
        }
        let size = self.full_name().len() + SessionId::TEXT_LEN;
        check_size("name and session id", size, MAX_PAIR_BYTES)
    }

    fn check_domain(&self) -> Result<(), CookieOptionsError> {
        let Some(domain) = &self.domain else { return Ok(()) };
        if !domain.split('.').all(is_host_label) {
            return Err(CookieOptionsError::Domain { domain: domain.clone() });
        }
        check_size("domain", domain.len(), MAX_DOMAIN_BYTES)
    }

    fn check_path(&self) -> Result<(), CookieOptionsError> {
        let visible = |byte: u8| byte.is_ascii_graphic() && byte != b';';
        if !self.path.starts_with('/') || !self.path.bytes().all(visible) {
            return Err(CookieOptionsError::Path { path: self.path.clone() });
        }
        check_size("path", self.path.len(), MAX_PATH_BYTES)
    }

    fn check_security(&self) -> Result<(), CookieOptionsError> {
        if self.insecure && self.same_site == SameSite::None {
            return Err(CookieOptionsError::NeedsSecure { what: "SameSite=None" });
        }
        if self.insecure && self.partitioned {
            return Err(CookieOptionsError::NeedsSecure { what: "Partitioned" });
        }
        Ok(())
    }
}

impl Default for CookieOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Which requests that start at another site carry the cookie (RFC 6265bis, section 5.6.7).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum SameSite {
    /// Links that the visitor follows here; no forms sent here, no embedding.
    #[default]
    Lax,
    /// All of them: for pages that live inside other sites. Forged requests are then yours to stop.
    None,
    /// None of them: a visitor who follows a link here arrives without a session.
    Strict,
}

impl SameSite {
    fn attribute(self) -> &'static str {
        match self {
            Self::Lax => "; SameSite=Lax",
            Self::None => "; SameSite=None",
            Self::Strict => "; SameSite=Strict",
        }
    }
}

/// Cookie options that browsers would refuse.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CookieOptionsError {
    /// The domain is no host name.
    #[error(
        "the cookie domain {domain:?} is no host name; write it like example.org, without a dot in front, international names in their xn-- form"
    )]
    Domain {
        /// The domain.
        domain: String,
    },
    /// The name is empty or has characters that a cookie name cannot have.
    #[error(
        "{name:?} cannot be a cookie name; use one or more ASCII letters, digits, hyphens and underscores"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// An option that browsers accept over HTTPS only, together with the plain-HTTP mode.
    #[error(
        "browsers refuse a {what} cookie that is not Secure; drop insecure_plain_http_for_localhost(), or that option"
    )]
    NeedsSecure {
        /// The option.
        what: &'static str,
    },
    /// The path does not begin with a slash or has characters that a path attribute cannot have.
    #[error(
        "the cookie path {path:?} is not usable; begin it with a slash and percent-encode blanks, semicolons and everything but visible ASCII"
    )]
    Path {
        /// The path.
        path: String,
    },
    /// The name begins with a prefix that browsers give a meaning.
    #[error(
        "the cookie name {name:?} begins with a reserved prefix; give the name without it, the prefix that fits is added"
    )]
    PrefixedName {
        /// The name.
        name: String,
    },
    /// Something is longer than browsers accept.
    #[error(
        "the cookie's {what} would have {size} bytes, more than the {limit} that browsers accept; choose a shorter one"
    )]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

/// Browsers ignore a cookie whose name and value together are longer (RFC 6265bis, section 5.6).
const MAX_PAIR_BYTES: usize = 4096;
/// Browsers ignore an attribute that is longer (RFC 6265bis, section 5.6).
const MAX_PATH_BYTES: usize = 1024;
/// A host name has at most so many characters (RFC 1035, section 2.3.4).
const MAX_DOMAIN_BYTES: usize = 253;
/// Browsers compare them in any case (RFC 6265bis, section 5.4; `__Http-` comes with its successor).
const RESERVED_PREFIXES: [&str; 3] = ["__Host-", "__Http-", "__Secure-"];

fn check_size(what: &'static str, size: usize, limit: usize) -> Result<(), CookieOptionsError> {
    if size > limit {
        return Err(CookieOptionsError::TooLong { what, size, limit });
    }
    Ok(())
}

/// A token character of RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_host_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn starts_with_in_any_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
