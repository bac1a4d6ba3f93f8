//! The schema of both stores is the same, and one from a newer version is not touched.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
mod store_fixtures;

use mysql_async::prelude::Queryable;
use store_fixtures::*;

fn sqlite_columns(bed: &Bed) -> Vec<String> {
    let path = bed.config.url.strip_prefix("sqlite://").unwrap();
    let file = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT m.name || '.' || c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
               WHERE m.type = 'table' AND m.name <> 'refinery_schema_history' ORDER BY m.name, c.cid";
    let mut statement = file.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn both_stores_have_the_same_tables_and_columns() {
    let (sqlite, mariadb) = (Bed::sqlite().await, Bed::mariadb().await);
    let columns: Vec<String> = mariadb
        .sql()
        .await
        .query(
            "SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME) FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME <> 'refinery_schema_history' \
             ORDER BY BINARY TABLE_NAME, ORDINAL_POSITION",
        )
        .await
        .unwrap();
    assert!(columns.len() > 80);
    assert_eq!(sqlite_columns(&sqlite), columns);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
                 VALUES (99, 'later', '2030-01-01T00:00:00Z', '1')";
    let (sqlite, mariadb) = (Bed::sqlite().await, Bed::mariadb().await);
    let path = sqlite.config.url.strip_prefix("sqlite://").unwrap();
    rusqlite::Connection::open(path).unwrap().execute(newer, []).unwrap();
    mariadb.sql().await.query_drop(newer).await.unwrap();
    for bed in [sqlite, mariadb] {
        let result = bed.store.migrate().await;
        assert_eq!(outcome(&result), "configuration", "{result:?}");
        assert!(result.unwrap_err().to_string().contains("newer"));
    }
}
