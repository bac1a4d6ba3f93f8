use super::Setting;
use super::value::quoted;
use ::config::{File, FileFormat, Source as _, Value, ValueKind};
use floodgate_persistence::journal::SyncMode;
use floodgate_persistence::model::SellerId;
use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// What stands in the place of a secret wherever it is shown.
const MASK: &str = "********";

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(MASK)
    }
}

impl Setting for Secret {
    fn parse(text: &str) -> Result<Self, String> {
        if text.len() > 255 || text.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err("a secret is at most 255 visible ASCII characters, without spaces".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    fn show(&self) -> String {
        quoted(MASK)
    }
}

/// A value that may be absent; absent is the empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Optional<T>(pub Option<T>);

impl<T: Setting> Setting for Optional<T> {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(Self(None)) } else { T::parse(text).map(|value| Self(Some(value))) }
    }

    fn show(&self) -> String {
        self.0.as_ref().map(Setting::show).unwrap_or_default()
    }
}

/// A value, or `auto`: chosen from the machine or from other keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Automatic<T>(pub Option<T>);

impl<T: Copy> Automatic<T> {
    /// The value given, else the chosen one.
    pub fn or_else(&self, choose: impl FnOnce() -> T) -> T {
        self.0.unwrap_or_else(choose)
    }
}

impl<T: Setting> Setting for Automatic<T> {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self(None));
        }
        T::parse(text).map(|value| Self(Some(value))).map_err(|reason| format!("{reason} (or `auto`)"))
    }

    fn show(&self) -> String {
        self.0.as_ref().map_or_else(|| quoted("auto"), Setting::show)
    }
}

/// Where the store is. Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// The whole URL, password included, for opening the store.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The directory of a database that is a file.
    pub fn directory(&self) -> Option<PathBuf> {
        let parent = Path::new(self.0.strip_prefix("sqlite://")?).parent()?;
        Some(if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() })
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else { return out.write_str(MASK) };
        match rest.rsplit_once('@').map(|(who, place)| (who.split_once(':'), place)) {
            Some((Some((user, _)), place)) => write!(out, "{scheme}://{user}:{MASK}@{place}"),
            _ => out.write_str(&self.0),
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Setting for StoreUrl {
    fn parse(text: &str) -> Result<Self, String> {
        let place = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("mysql://"));
        match place {
            Some(place) if !place.is_empty() && !text.chars().any(char::is_control) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err("write sqlite://path/to/file.db or mysql://user:password@host:port/database".to_owned()),
        }
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

/// `always`, `interval:<duration>` or `never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncText(pub SyncMode);

impl Setting for SyncText {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "always" => Ok(Self(SyncMode::Always)),
            "never" => Ok(Self(SyncMode::Never)),
            _ => match text.strip_prefix("interval:").map(super::Span::parse) {
                Some(Ok(span)) if !span.0.is_zero() => Ok(Self(SyncMode::Interval(span.0))),
                _ => Err(format!(
                    "`{text}` is none of always, interval:<duration> (like interval:100ms), never"
                )),
            },
        }
    }

    fn show(&self) -> String {
        match self.0 {
            SyncMode::Always => quoted("always"),
            SyncMode::Never => quoted("never"),
            SyncMode::Interval(every) => {
                quoted(&format!("interval:{}", super::Span(every).show().trim_matches('"')))
            }
        }
    }
}

/// Where the catalogue cache file lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheFile {
    /// `catalogue.cache` in the data directory.
    Auto,
    /// None is read or written.
    Off,
    /// There.
    At(String),
}

impl Setting for CacheFile {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            "" => Err("write a path, `auto` or `off`".to_owned()),
            path => String::parse(path).map(Self::At),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Auto => quoted("auto"),
            Self::Off => quoted("off"),
            Self::At(path) => quoted(path),
        }
    }
}

macro_rules! choices {
    ($( $(#[$doc:meta])* $Kind:ident { $( $(#[$variant_doc:meta])* $Variant:ident = $text:literal, )* } )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $Kind { $( $(#[$variant_doc])* $Variant, )* }

        impl Setting for $Kind {
            fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $( $text => Ok(Self::$Variant), )*
                    _ => Err(format!("`{text}` is none of {}", [$($text),*].join(", "))),
                }
            }

            fn show(&self) -> String {
                match self { $( Self::$Variant => quoted($text), )* }
            }
        }
    )* };
}

choices! {
    /// Which payment gateway decides.
    Gateway {
        /// The built-in one for trying out: decides by the token's name.
        Sandbox = "sandbox",
        /// A real one behind `payments.url`.
        Http = "http",
    }
    /// Form of the log.
    LogFormat {
        /// Text on a terminal, else JSON.
        Auto = "auto",
        /// A line for people.
        Text = "text",
        /// An object a line.
        Json = "json",
    }
}

/// What an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The shop API.
    Shop,
    /// The part of this seller.
    Seller(SellerId),
    /// Everything.
    Admin,
}

/// An API key: its id, the hash of its secret, what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Name in logs and scope of idempotency keys.
    pub id: String,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// What it may do.
    pub scope: Scope,
}

/// A receiver of webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where to.
    pub url: String,
    /// Signs what is sent.
    pub secret: Secret,
    /// Types of events it wants; empty: all.
    pub events: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiKeyText {
    id: String,
    sha256: String,
    scope: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointText {
    url: String,
    secret: String,
    #[serde(default)]
    events: Vec<String>,
}

impl ApiKey {
    fn check(text: ApiKeyText) -> Result<Self, String> {
        let scope = match (text.scope.as_str(), text.scope.strip_prefix("seller:")) {
            ("shop", _) => Scope::Shop,
            ("admin", _) => Scope::Admin,
            (_, Some(id)) => {
                let seller = id.parse().ok().and_then(SellerId::new);
                Scope::Seller(seller.ok_or_else(|| format!("`seller:{id}` names no seller id"))?)
            }
            (other, None) => return Err(format!("scope `{other}` is none of shop, seller:<id>, admin")),
        };
        if !(1..=64).contains(&text.id.len()) || text.id.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(format!("id `{}` is not 1 to 64 visible ASCII characters", text.id));
        }
        if RESERVED_IDS.contains(&text.id.as_str()) {
            return Err(format!(
                "id `{}` is taken: whoever has no key or the admin token goes by it",
                text.id
            ));
        }
        let hash = hash_of_hex(&text.sha256)
            .ok_or_else(|| format!("sha256 of `{}` is not 64 hexadecimal digits", text.id))?;
        Ok(Self { id: text.id, hash, scope })
    }
}

/// Ids that idempotency keys are scoped to already.
const RESERVED_IDS: [&str; 2] = ["open", "admin"];

fn hash_of_hex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let digits = text.as_bytes().chunks_exact(2);
    if text.len() != 2 * hash.len() || text.bytes().any(|byte| !byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(digits) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

/// Two keys of one id would share what one of them may see again.
fn ids_differ(keys: Vec<ApiKey>) -> Result<Vec<ApiKey>, String> {
    for (place, key) in keys.iter().enumerate() {
        if keys.iter().take(place).any(|earlier| earlier.id == key.id) {
            return Err(format!("id `{}` is given twice", key.id));
        }
    }
    Ok(keys)
}

impl Endpoint {
    fn check(text: EndpointText) -> Result<Self, String> {
        if !is_web_address(&text.url) {
            return Err(format!("`{}` is not an http:// or https:// address", text.url));
        }
        Ok(Self { url: text.url, secret: Secret::parse(&text.secret)?, events: text.events })
    }
}

/// An address that a request can be sent to.
pub(super) fn is_web_address(text: &str) -> bool {
    let place = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    place.is_some_and(|place| !place.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
}

impl Setting for Vec<ApiKey> {
    fn parse(text: &str) -> Result<Self, String> {
        Self::read(&toml_value(text)?)
    }

    fn read(value: &Value) -> Result<Self, String> {
        let keys = items::<ApiKeyText>(value)?.into_iter().map(ApiKey::check).collect::<Result<_, _>>()?;
        ids_differ(keys)
    }

    fn show(&self) -> String {
        let ids: Vec<_> =
            self.iter().map(|key| format!("{{ id = {}, sha256 = \"…\" }}", quoted(&key.id))).collect();
        format!("[{}]", ids.join(", "))
    }
}

impl Setting for Vec<Endpoint> {
    fn parse(text: &str) -> Result<Self, String> {
        Self::read(&toml_value(text)?)
    }

    fn read(value: &Value) -> Result<Self, String> {
        items::<EndpointText>(value)?.into_iter().map(Endpoint::check).collect()
    }

    fn show(&self) -> String {
        let urls: Vec<_> =
            self.iter().map(|to| format!("{{ url = {}, secret = \"{MASK}\" }}", quoted(&to.url))).collect();
        format!("[{}]", urls.join(", "))
    }
}

fn items<T: serde::de::DeserializeOwned>(value: &Value) -> Result<Vec<T>, String> {
    match &value.kind {
        ValueKind::String(text) => items(&toml_value(text)?),
        ValueKind::Array(_) => value.clone().try_deserialize().map_err(|error| error.to_string()),
        _ => Err("a list is expected here".to_owned()),
    }
}

/// The value of a TOML text such as `[{ id = "a" }]`.
fn toml_value(text: &str) -> Result<Value, String> {
    let mut table = File::from_str(&format!("value = {text}"), FileFormat::Toml)
        .collect()
        .map_err(|_| "not a list in TOML's form, like [{ id = \"shop\", … }]".to_owned())?;
    match table.remove("value") {
        Some(value) if table.is_empty() && !matches!(value.kind, ValueKind::String(_)) => Ok(value),
        _ => Err("a list is expected here".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown() {
        let secret = Secret::parse("hunter2").expect("visible text");
        let url = StoreUrl::parse("mysql://shop:p@ss:w0rd@db:3306/shop").expect("a mysql url");
        let hooks = Vec::<Endpoint>::parse(r#"[{ url = "https://a.example/", secret = "hunter2" }]"#)
            .expect("a list");
        for shown in [format!("{secret:?} {url:?} {url} {hooks:?}"), secret.show(), url.show(), hooks.show()]
        {
            assert!(!shown.contains("hunter2") && !shown.contains("w0rd"), "{shown}");
        }
        assert_eq!(url.to_string(), "mysql://shop:********@db:3306/shop");
    }

    #[test]
    fn sync_is_one_of_three() {
        for (text, shown) in [("always", "always"), ("never", "never"), ("interval:60s", "interval:1m")] {
            assert_eq!(SyncText::parse(text).map(|sync| sync.show()), Ok(quoted(shown)));
        }
        for bad in ["", "Always", "interval", "interval:", "interval:0s", "interval:5"] {
            assert!(SyncText::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn api_keys_read_from_a_text() {
        let hash = "0".repeat(64);
        for (scope, ok) in [
            ("shop", true),
            ("admin", true),
            ("seller:3", true),
            ("seller:x", false),
            ("seller:0", false),
            ("", false),
        ] {
            let text = format!(r#"[{{ id = "a", sha256 = "{hash}", scope = "{scope}" }}]"#);
            assert_eq!(Vec::<ApiKey>::parse(&text).is_ok(), ok, "{scope}");
        }
        let row = |id: &str, hash: &str| format!(r#"{{ id = "{id}", sha256 = "{hash}", scope = "shop" }}"#);
        let read = |rows: &[String]| Vec::<ApiKey>::parse(&format!("[{}]", rows.join(",")));
        let key = read(&[row("a", &"aF".repeat(32))]).expect("a key");
        assert_eq!(key.first().map(|key| key.hash), Some([0xaf; 32]));
        for (first, second) in [("a", "a"), ("a", "open"), ("admin", "a"), ("a", ""), ("a", "b c")] {
            assert!(read(&[row(first, &hash), row(second, &hash)]).is_err(), "{first} {second}");
        }
        for bad in ["0".repeat(63), "g".repeat(64), "é".repeat(32)] {
            assert!(read(&[row("a", &bad)]).is_err(), "{bad}");
        }
        for bad in ["", "1", "\"[]\"", "[]\nother = 1", r#"[{ id = "a" }]"#] {
            assert!(Vec::<ApiKey>::parse(bad).is_err(), "{bad}");
        }
    }
}
