use ::config::{Value, ValueKind};
use floodgate_persistence::model::Currency;
use std::net::SocketAddr;

/// A type that a key can have.
pub trait Setting: Sized {
    /// From the text of a default, an environment variable or a flag. The error is the reason, without the key.
    fn parse(text: &str) -> Result<Self, String>;

    /// From a value of the file. A number or a truth value counts as its text.
    fn read(value: &Value) -> Result<Self, String> {
        Self::parse(&scalar(value)?)
    }

    /// As TOML text, secrets masked; empty: no value.
    fn show(&self) -> String;
}

fn scalar(value: &Value) -> Result<String, String> {
    match &value.kind {
        ValueKind::String(text) => Ok(text.clone()),
        ValueKind::Boolean(truth) => Ok(truth.to_string()),
        ValueKind::I64(number) => Ok(number.to_string()),
        ValueKind::U64(number) => Ok(number.to_string()),
        ValueKind::I128(number) => Ok(number.to_string()),
        ValueKind::U128(number) => Ok(number.to_string()),
        ValueKind::Float(_) => Err("a number with a point: whole numbers only".to_owned()),
        ValueKind::Nil | ValueKind::Table(_) | ValueKind::Array(_) => {
            Err("one value is expected here".to_owned())
        }
    }
}

/// `text` as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_default())
}

macro_rules! whole_numbers {
    ($($kind:ty),*) => { $(
        impl Setting for $kind {
            fn parse(text: &str) -> Result<Self, String> {
                let digits = text.trim().replace('_', "");
                digits.parse().map_err(|_| format!("`{text}` is not a whole number from 0"))
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )* };
}

whole_numbers!(u64, usize);

impl Setting for bool {
    fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(format!("`{other}` is neither true nor false")),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    fn parse(text: &str) -> Result<Self, String> {
        if text.chars().any(char::is_control) {
            return Err("contains a control character".to_owned());
        }
        Ok(text.to_owned())
    }

    fn show(&self) -> String {
        quoted(self)
    }
}

impl Setting for SocketAddr {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| {
            format!("`{text}` is not an IP address and a port: write it like 127.0.0.1:8080 or [::1]:8080")
        })
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Setting for Currency {
    fn parse(text: &str) -> Result<Self, String> {
        Self::new(text)
            .ok_or_else(|| format!("`{text}` is not an ISO 4217 code: three capital letters, like USD"))
    }

    fn show(&self) -> String {
        quoted(self.as_str())
    }
}
