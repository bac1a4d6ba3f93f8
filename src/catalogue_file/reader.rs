use super::Text;
use std::io::{BufRead, BufReader, Read};
use std::marker::PhantomData;
use std::path::Path;

/// Longest line of an NDJSON file, in bytes: many times the longest row.
const LINE_MAX: u64 = 64 << 10;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, the first line names the columns.
    Csv,
    /// One JSON object a line.
    NdJson,
}

/// A row that can be read.
#[derive(Debug)]
pub struct GoodRow<T> {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Its contents.
    pub text: T,
}

/// A row that cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

impl<T: Text> GoodRow<T> {
    /// The row in the engine's terms.
    pub fn input(&self) -> Result<T::Input, BadRow> {
        self.text.input().map_err(|reason| BadRow { line: self.line, reason })
    }
}

type Source = Box<dyn Read>;

/// Reads a file row by row; a bad row does not end it.
pub struct RowReader<T> {
    rows: Rows,
    /// The file itself failed: there is no next row.
    over: bool,
    kind: PhantomData<T>,
}

enum Rows {
    Csv { reader: Box<csv::Reader<Source>>, headers: csv::StringRecord },
    NdJson { reader: BufReader<Source>, line: u64 },
}

impl<T: Text> RowReader<T> {
    /// Opens by the extension, else by the first character that is not a space.
    pub fn open(path: &Path, source: Source) -> Result<Self, String> {
        let mut reader = BufReader::new(source);
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Format::Csv,
            Some("ndjson" | "jsonl") => Format::NdJson,
            _ => format_of(reader.fill_buf().map_err(|error| error.to_string())?),
        };
        match format {
            Format::Csv => Self::csv(Box::new(reader)),
            Format::NdJson => Ok(Self::ndjson(Box::new(reader))),
        }
    }

    /// A CSV file. The error names a column that is missing or not known.
    pub fn csv(source: Source) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(source);
        let headers = reader.headers().map_err(|error| error.to_string())?.clone();
        check_columns::<T>(&headers)?;
        Ok(Self { rows: Rows::Csv { reader: Box::new(reader), headers }, over: false, kind: PhantomData })
    }

    /// An NDJSON file.
    pub fn ndjson(source: Source) -> Self {
        Self {
            rows: Rows::NdJson { reader: BufReader::new(source), line: 0 },
            over: false,
            kind: PhantomData,
        }
    }
}

impl<T: Text> Iterator for RowReader<T> {
    type Item = Result<GoodRow<T>, BadRow>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        match &mut self.rows {
            Rows::Csv { reader, headers } => next_csv(reader, headers, &mut self.over),
            Rows::NdJson { reader, line } => next_json(reader, line, &mut self.over),
        }
    }
}

fn format_of(beginning: &[u8]) -> Format {
    let first = beginning.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'{') { Format::NdJson } else { Format::Csv }
}

fn check_columns<T: Text>(headers: &csv::StringRecord) -> Result<(), String> {
    let all = T::COLUMNS.join(", ");
    if let Some(unknown) = headers.iter().find(|name| !T::COLUMNS.contains(name)) {
        return Err(format!("unknown column `{unknown}`; the columns of {} are {all}", T::NOUN));
    }
    let missing =
        T::COLUMNS.iter().take(T::NEEDED).find(|name| !headers.iter().any(|header| header == **name));
    match missing {
        Some(missing) => Err(format!("no column `{missing}`; the columns of {} are {all}", T::NOUN)),
        None => Ok(()),
    }
}

fn next_csv<T: Text>(
    reader: &mut csv::Reader<Source>,
    headers: &csv::StringRecord,
    over: &mut bool,
) -> Option<Result<GoodRow<T>, BadRow>> {
    let before = reader.position().line();
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(false) => None,
        Ok(true) => {
            let line = record.position().map_or(before, csv::Position::line);
            let bad = |error| BadRow { line, reason: column_and_cause(&error, headers) };
            Some(record.deserialize(Some(headers)).map(|text| GoodRow { line, text }).map_err(bad))
        }
        Err(error) => {
            let line = error.position().map_or(before, csv::Position::line);
            *over = error.is_io_error();
            Some(Err(BadRow { line, reason: column_and_cause(&error, headers) }))
        }
    }
}

/// The library counts columns from 0 and repeats the line: here the column has its name.
fn column_and_cause(error: &csv::Error, headers: &csv::StringRecord) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => {
            let index = err.field().and_then(|field| usize::try_from(field).ok());
            let column = index.and_then(|index| headers.get(index)).unwrap_or("row");
            format!("{column}: {}", err.kind())
        }
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields where the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

fn next_json<T: Text>(
    reader: &mut BufReader<Source>,
    line: &mut u64,
    over: &mut bool,
) -> Option<Result<GoodRow<T>, BadRow>> {
    loop {
        let mut bytes = Vec::new();
        let read = reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut bytes);
        *line += 1;
        match read {
            Ok(0) => return None,
            Ok(_) if bytes.trim_ascii().is_empty() => {}
            Ok(_) => return Some(row_of(&bytes, reader, *line)),
            Err(error) => {
                *over = true;
                return Some(Err(BadRow { line: *line, reason: error.to_string() }));
            }
        }
    }
}

fn row_of<T: Text>(bytes: &[u8], reader: &mut BufReader<Source>, line: u64) -> Result<GoodRow<T>, BadRow> {
    let bad = |reason: String| BadRow { line, reason };
    if !bytes.ends_with(b"\n") && bytes.len() as u64 == LINE_MAX {
        reader.skip_until(b'\n').map_err(|error| bad(error.to_string()))?;
        return Err(bad(format!("longer than {LINE_MAX} bytes")));
    }
    let text = serde_json::from_slice(bytes).map_err(|error| bad(without_position(&error)))?;
    Ok(GoodRow { line, text })
}

/// A row is one line, so the library's «line 1» would only mislead.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(cause, _)| cause.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{ProductText, SellerText};
    use super::*;

    fn outcome<T: Text>(reader: Result<RowReader<T>, String>) -> Vec<String> {
        let reader = match reader {
            Ok(reader) => reader,
            Err(reason) => return vec![reason],
        };
        let one = |row: Result<GoodRow<T>, BadRow>| match row.and_then(|row| row.input().map(|_| row.line)) {
            Ok(line) => format!("{line} ok"),
            Err(bad) => format!("{} {}", bad.line, bad.reason),
        };
        reader.map(one).collect()
    }

    #[test]
    fn csv_rows_keep_their_lines_and_name_the_column() {
        let file = "seller_id,name,city,commission_bps\n1,\"a\nb\",X,0\n2,b,Y,many\n3,c\n4,d,Z,10001\n0,e,Z,1\n6,f,Z,1\n";
        assert_eq!(
            outcome::<SellerText>(RowReader::csv(Box::new(file.as_bytes()))),
            [
                "2 ok",
                "4 commission_bps: invalid digit found in string",
                "5 2 fields where the header has 4",
                "6 commission_bps is not in 0 … 10000",
                "7 seller_id is not in 1 … 2^53−1",
                "8 ok"
            ]
        );
    }

    #[test]
    fn a_header_is_checked_once() {
        for (header, reason) in [
            ("seller_id,name,city,commission", "unknown column `commission`"),
            ("seller_id,name,city", "no column `commission_bps`"),
        ] {
            let outcome = outcome::<SellerText>(RowReader::csv(Box::new(header.as_bytes())));
            assert!(outcome.len() == 1 && outcome[0].starts_with(reason), "{outcome:?}");
        }
    }

    #[test]
    fn ndjson_rows_stand_each_on_their_own() {
        let good = r#"{"product_id":1,"seller_id":1,"name":"a","price":1,"currency":"USD","digital":0}"#;
        let long = format!("{{\"name\": \"{}\"}}", "x".repeat(100_000));
        let file = format!("{good}\n\n{{\"price\": 1e999}}\nnonsense\n{long}\n{good}").leak();
        let outcome = outcome::<ProductText>(RowReader::open(Path::new("rows"), Box::new(file.as_bytes())));
        assert_eq!(outcome[0], "1 ok");
        assert!(outcome[1].starts_with("3 ") && outcome[2].starts_with("4 "), "{outcome:?}");
        assert_eq!(outcome[3..], ["5 longer than 65536 bytes", "6 ok"]);
    }
}
