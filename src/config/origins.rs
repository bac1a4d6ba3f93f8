use super::Setting;
use super::kinds::{items, toml_value};
use super::value::quoted;
use ::config::Value;

/// Origins of web pages, as browsers send them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(pub Vec<String>);

impl Origins {
    /// A scheme, a host and perhaps a port; or `*` for all.
    fn check(origin: String) -> Result<String, String> {
        let place = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let is_origin = place.is_some_and(|place| {
            !place.is_empty()
                && place.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
                && !place.contains(['/', '?', '#', '@', '*', ','])
        });
        if is_origin || origin == "*" {
            Ok(origin)
        } else {
            Err(format!(
                "`{origin}` is not an origin: write it like https://shop.example, in lower case, without a path"
            ))
        }
    }
}

impl Setting for Origins {
    fn parse(text: &str) -> Result<Self, String> {
        Self::read(&toml_value(text)?)
    }

    fn read(value: &Value) -> Result<Self, String> {
        items::<String>(value)?.into_iter().map(Self::check).collect::<Result<_, _>>().map(Self)
    }

    fn show(&self) -> String {
        let origins: Vec<_> = self.0.iter().map(|origin| quoted(origin)).collect();
        format!("[{}]", origins.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_what_browsers_send() {
        for (text, shown) in [
            ("[]", Some("[]")),
            (r#"["https://shop.example"]"#, Some(r#"["https://shop.example"]"#)),
            (r#"["http://localhost:3000", "*"]"#, Some(r#"["http://localhost:3000", "*"]"#)),
            (r#"["https://shop.example/"]"#, None),
            (r#"["https://*.example"]"#, None),
            (r#"["https://Shop.example"]"#, None),
            (r#"["shop.example"]"#, None),
            (r#"["null"]"#, None),
            ("https://shop.example", None),
        ] {
            let shown_as = Origins::parse(text).ok().map(|origins| origins.show());
            assert_eq!(shown_as.as_deref(), shown, "{text}");
        }
    }
}
