//! A user with a password gets in without TLS, also when the server has forgotten that it knew the password (MySQL's
//! `caching_sha2_password` then wants the whole password, under the server's public key), and nobody else does.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
mod store_fixtures;

use floodgate_persistence::store::*;
use mysql_async::prelude::Queryable;
use store_fixtures::*;

#[tokio::test]
async fn a_password_is_enough() {
    let bed = Bed::mariadb().await;
    let mut root = bed.sql().await;
    root.query_drop("CREATE USER 'keyed'@'%' IDENTIFIED BY 'p4ss-w0rd'").await.unwrap();
    root.query_drop("GRANT ALL ON *.* TO 'keyed'@'%'").await.unwrap();
    let with = |password: &str| {
        let url = bed.config.url.replace("root@", &format!("keyed:{password}@"));
        StoreConfig { url, ..bed.config.clone() }
    };
    for _ in 0..2 {
        root.query_drop("FLUSH PRIVILEGES").await.unwrap();
        let store = open(&with("p4ss-w0rd")).await.unwrap();
        // Known now: the short way.
        assert_eq!(outcome(&open(&with("p4ss-w0rd")).await.map(|_| ())), "ok");
        store.state().await.unwrap();
        store.close().await;
    }
    assert_eq!(outcome(&open(&with("wrong")).await.map(|_| ())), "configuration");
    root.query_drop("DROP USER 'keyed'@'%'").await.unwrap();
}
