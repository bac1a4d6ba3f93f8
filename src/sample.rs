//! A small catalogue of our own invention, so that there is something to buy at the very first start.

use crate::catalogue_file::{ProductText, RowReader, SellerText, Text};
use floodgate_actors::ProductInput;
use floodgate_persistence::model::Seller;

const SELLERS: &str = include_str!("sample/sellers.csv");
const PRODUCTS: &str = include_str!("sample/products.csv");

/// The sellers; the error says which row of the built-in file is bad.
pub fn sellers() -> Result<Vec<Seller>, String> {
    rows::<SellerText>(SELLERS)
}

/// The products; the error says which row of the built-in file is bad.
pub fn products() -> Result<Vec<ProductInput>, String> {
    rows::<ProductText>(PRODUCTS)
}

fn rows<T: Text>(file: &'static str) -> Result<Vec<T::Input>, String> {
    let reader = RowReader::<T>::csv(Box::new(file.as_bytes()))?;
    reader
        .map(|row| {
            row.and_then(|row| row.input()).map_err(|bad| format!("line {}: {}", bad.line, bad.reason))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_sample_is_whole() {
        let sellers = sellers().expect("good sellers");
        let products = products().expect("good products");
        let known: HashSet<_> = sellers.iter().map(|seller| seller.id).collect();
        let ids: HashSet<_> = products.iter().map(|row| row.product.id).collect();
        assert_eq!((sellers.len(), known.len()), (6, 6));
        assert_eq!((products.len(), ids.len()), (40, 40));
        assert!(
            products.iter().all(|row| known.contains(&row.product.seller_id)),
            "each product has its seller"
        );
        assert!(products.iter().all(|row| row.product.currency.as_str() == "USD"), "the default currency");
        assert!(products.iter().any(|row| row.product.digital && row.product.download_path.is_some()));
    }
}
