//! `clients/typescript/floodgate.d.ts` says what `docs/openapi.json` says. After a change of the document:
//! `FLOODGATE_BLESS=1 cargo test --test typescript_types` writes it again.

use serde_json::Value;
use std::path::{Path, PathBuf};

const HEAD: &str = "\
// What Floodgate's API takes and gives, made from docs/openapi.json: do not edit it, change the document's source.
//
// Money is an integer of minor units. Times are RFC 3339 in UTC.
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn entries<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(name).and_then(Value::as_object).into_iter().flatten()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A comment above what it describes.
fn comment(out: &mut String, indent: &str, schema: &Value) {
    let lines: Vec<&str> = text(schema, "description").lines().map(str::trim).collect();
    match lines.as_slice() {
        [] => {}
        [line] => out.push_str(&format!("{indent}/** {line} */\n")),
        lines => {
            out.push_str(&format!("{indent}/**\n"));
            lines
                .iter()
                .for_each(|line| out.push_str(&(format!("{indent} * {line}").trim_end().to_owned() + "\n")));
            out.push_str(&format!("{indent} */\n"));
        }
    }
}

/// The type of a schema.
fn type_of(schema: &Value, indent: &str) -> String {
    if let Some(name) = text(schema, "$ref").rsplit('/').next().filter(|name| !name.is_empty()) {
        return name.to_owned();
    }
    let values: Vec<String> = list(schema, "enum").chain(schema.get("const")).map(Value::to_string).collect();
    if !values.is_empty() {
        return values.join(" | ");
    }
    for several in ["oneOf", "anyOf"] {
        let types: Vec<String> = list(schema, several).map(|one| type_of(one, indent)).collect();
        if !types.is_empty() {
            return types.join(" | ");
        }
    }
    let all: Vec<String> = list(schema, "allOf").map(|one| type_of(one, indent)).collect();
    if !all.is_empty() {
        return all.join(" & ");
    }
    match schema.get("type") {
        Some(Value::String(name)) => named(name, schema, indent),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            names.map(|name| named(name, schema, indent)).collect::<Vec<_>>().join(" | ")
        }
        _ => "unknown".to_owned(),
    }
}

fn named(name: &str, schema: &Value, indent: &str) -> String {
    match name {
        "integer" | "number" => "number".to_owned(),
        "array" => {
            let item = schema.get("items").map_or("unknown".to_owned(), |item| type_of(item, indent));
            if item.contains(' ') { format!("Array<{item}>") } else { format!("{item}[]") }
        }
        "object" if schema.get("properties").is_some() => object(schema, indent),
        "object" => match schema.get("additionalProperties").filter(|rest| rest.is_object()) {
            Some(rest) => format!("Record<string, {}>", type_of(rest, indent)),
            None => "Record<string, unknown>".to_owned(),
        },
        other => other.to_owned(),
    }
}

fn object(schema: &Value, indent: &str) -> String {
    let inner = format!("{indent}  ");
    let required: Vec<&str> = list(schema, "required").filter_map(Value::as_str).collect();
    let mut out = "{\n".to_owned();
    for (name, property) in entries(schema, "properties") {
        comment(&mut out, &inner, property);
        let mark = if required.contains(&name.as_str()) { "" } else { "?" };
        out.push_str(&format!("{inner}{name}{mark}: {};\n", type_of(property, &inner)));
    }
    if schema.get("additionalProperties").is_some_and(|more| *more == Value::Bool(true)) {
        out.push_str(&format!("{inner}[more: string]: unknown;\n"));
    }
    out + indent + "}"
}

/// Parameters of a call that stand in this place, as the members of an object.
fn parameters(operation: &Value, place: &str) -> Option<String> {
    let mut out = String::new();
    for parameter in list(operation, "parameters").filter(|parameter| text(parameter, "in") == place) {
        comment(&mut out, "      ", parameter);
        let mark = if parameter.get("required") == Some(&Value::Bool(true)) { "" } else { "?" };
        let kind = parameter.get("schema").map_or("unknown".to_owned(), |schema| type_of(schema, "      "));
        let name = text(parameter, "name");
        let name = if name.contains('-') { format!("\"{name}\"") } else { name.to_owned() };
        out.push_str(&format!("      {name}{mark}: {kind};\n"));
    }
    (!out.is_empty()).then(|| format!("{{\n{out}    }}"))
}

/// The types of all contents that a body or an answer can have.
fn content(of: &Value) -> String {
    let types = entries(of, "content").map(|(kind, media)| match kind.as_str() {
        "application/json" | "application/problem+json" => {
            media.get("schema").map_or("unknown".to_owned(), |schema| type_of(schema, "    "))
        }
        _ => "string".to_owned(),
    });
    let mut types: Vec<String> = types.collect();
    types.dedup();
    if types.is_empty() { "undefined".to_owned() } else { types.join(" | ") }
}

fn call(out: &mut String, method: &str, path: &str, operation: &Value) {
    out.push_str(&format!("  /** {} */\n", text(operation, "summary").trim()));
    out.push_str(&format!("  \"{} {path}\": {{\n", method.to_uppercase()));
    for place in ["path", "query", "header"] {
        if let Some(members) = parameters(operation, place) {
            out.push_str(&format!("    {place}: {members};\n"));
        }
    }
    if let Some(body) = operation.get("requestBody") {
        out.push_str(&format!("    body: {};\n", content(body)));
    }
    out.push_str("    answers: {\n");
    for (status, answer) in entries(operation, "responses") {
        out.push_str(&format!("      {status}: {};\n", content(answer)));
    }
    out.push_str("    };\n  };\n");
}

fn declarations(document: &Value) -> String {
    let mut out = HEAD.to_owned();
    for (name, schema) in document.get("components").into_iter().flat_map(|parts| entries(parts, "schemas")) {
        out.push('\n');
        comment(&mut out, "", schema);
        let body = type_of(schema, "");
        match body.starts_with('{') {
            true => out.push_str(&format!("export interface {name} {body}\n")),
            false => out.push_str(&format!("export type {name} = {body};\n")),
        }
    }
    out.push_str(
        "\n/** Every call: what goes in, and by status what comes out. */\nexport interface Calls {\n",
    );
    for (path, item) in entries(document, "paths") {
        for (method, operation) in item.as_object().into_iter().flatten() {
            call(&mut out, method, path, operation);
        }
    }
    out + "}\n"
}

#[test]
fn the_types_are_those_of_the_document() {
    let document = std::fs::read_to_string(root().join("docs/openapi.json")).expect("the document");
    let expected = declarations(&serde_json::from_str(&document).expect("JSON"));
    let file = root().join("clients/typescript/floodgate.d.ts");
    if std::env::var_os("FLOODGATE_BLESS").is_some() {
        std::fs::write(&file, &expected).expect("written");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == expected, "run FLOODGATE_BLESS=1 cargo test --test typescript_types");
}
