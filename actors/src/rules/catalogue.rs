use super::cart::QUANTITY_MAX;
use floodgate_persistence::model::{Money, Product, Seller};

/// Longest name of a product or seller and longest download path, in characters.
pub const NAME_MAX: usize = 255;

/// Longest city, in characters.
pub const CITY_MAX: usize = 100;

/// The whole, in 1/10,000.
pub const BASIS_POINTS: u32 = 10_000;

/// Everything that keeps a product row out of the catalogue, each as `field: reason`. What passes fits every table.
pub fn judge_product(product: &Product) -> Vec<String> {
    let mut wrong = Vec::new();
    judge_text("name", &product.name, NAME_MAX, &mut wrong);
    if let Some(path) = &product.download_path {
        judge_text("download_path", path, NAME_MAX, &mut wrong);
    }
    if product.price < Money::ZERO {
        wrong.push(format!("price: {} is negative", product.price));
    }
    if let Some(max) = product.max_per_order.filter(|max| !(1..=QUANTITY_MAX).contains(max)) {
        wrong.push(format!("max_per_order: {max} is not in 1 … {QUANTITY_MAX}"));
    }
    wrong
}

/// Everything that keeps a seller row out of the catalogue, each as `field: reason`.
pub fn judge_seller(seller: &Seller) -> Vec<String> {
    let mut wrong = Vec::new();
    judge_text("name", &seller.name, NAME_MAX, &mut wrong);
    judge_text("city", &seller.city, CITY_MAX, &mut wrong);
    if seller.commission_bps > BASIS_POINTS {
        wrong.push(format!("commission_bps: {} is not in 0 … {BASIS_POINTS}", seller.commission_bps));
    }
    wrong
}

fn judge_text(field: &str, text: &str, characters_max: usize, wrong: &mut Vec<String>) {
    let characters = text.chars().count();
    if characters == 0 {
        wrong.push(format!("{field}: is empty"));
    }
    if characters > characters_max {
        wrong.push(format!("{field}: has {characters} characters, at most {characters_max} are allowed"));
    }
    if text.chars().any(char::is_control) {
        wrong.push(format!("{field}: has control characters"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_persistence::model::{Currency, ProductId, SellerId};

    fn product() -> Product {
        Product {
            id: ProductId(1),
            seller_id: SellerId(1),
            name: "Kettle".into(),
            price: Money(0),
            currency: Currency::new("USD").unwrap(),
            digital: false,
            active: true,
            max_per_order: Some(10_000),
            download_path: None,
        }
    }

    #[test]
    fn each_field_of_a_product_has_its_bounds() {
        let long = "é".repeat(255);
        let rows: [(Product, &[&str]); 7] = [
            (product(), &[]),
            (Product { name: long.as_str().into(), ..product() }, &[]),
            (Product { name: format!("{long}x").into(), ..product() }, &["name"]),
            (Product { name: "".into(), price: Money(-1), ..product() }, &["name", "price"]),
            (Product { name: "a\nb".into(), ..product() }, &["name"]),
            (Product { max_per_order: Some(0), ..product() }, &["max_per_order"]),
            (Product { download_path: Some("".into()), ..product() }, &["download_path"]),
        ];
        for (row, fields) in rows {
            let wrong = judge_product(&row);
            let named: Vec<&str> = wrong.iter().filter_map(|text| text.split(':').next()).collect();
            assert_eq!(named, fields, "{row:?}");
        }
    }

    #[test]
    fn each_field_of_a_seller_has_its_bounds() {
        let seller = |name: &str, city: &str, commission_bps| Seller {
            id: SellerId(1),
            name: name.into(),
            city: city.into(),
            commission_bps,
            active: true,
        };
        let rows: [(Seller, usize); 4] = [
            (seller("Ada", "Campinas", 10_000), 0),
            (seller("Ada", &"x".repeat(101), 10_000), 1),
            (seller("", "", 10_001), 3),
            (seller("\u{7}", "Campinas", 0), 1),
        ];
        for (row, count) in rows {
            assert_eq!(judge_seller(&row).len(), count, "{row:?}");
        }
    }
}
