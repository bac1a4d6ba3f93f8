use floodgate_persistence::model::{Currency, Money, ShippingRate, TaxRate};
use floodgate_persistence::store;
use std::borrow::Cow;
use std::collections::HashMap;

/// What sending an order costs; [`Default`]: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShippingTerms {
    /// Once an order.
    pub price: Money,
    /// Nothing from this subtotal − discount on.
    pub free_over: Option<Money>,
}

impl ShippingTerms {
    /// What an order costs to send: nothing when all of it is digital or it is large enough.
    pub(super) fn cost(&self, net: Money, all_digital: bool) -> Money {
        let free = all_digital || self.free_over.is_some_and(|least| net >= least);
        if free { Money::ZERO } else { self.price }
    }
}

/// Stands for every city without a row of its own.
const ELSEWHERE: &str = "*";

/// A city's form for comparing, as the store has it; without an allocation where it is in that form already.
pub fn city_key(city: &str) -> Cow<'_, str> {
    let trimmed = city.trim();
    let folded = trimmed.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if folded { Cow::Borrowed(trimmed) } else { Cow::Owned(store::city_key(city)) }
}

/// Shipping and tax by city: what the rows put so far say about an order. Empty, it costs one comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CityRates {
    shipping: HashMap<Currency, HashMap<Box<str>, ShippingTerms>>,
    tax_bps: HashMap<Box<str>, u32>,
}

impl CityRates {
    /// Takes a price of shipping, in place of an earlier one of the same city and currency.
    pub fn put_shipping(&mut self, rate: &ShippingRate) {
        let terms = ShippingTerms { price: rate.price, free_over: rate.free_over };
        self.shipping.entry(rate.currency).or_default().insert(city_key(&rate.city).into(), terms);
    }

    /// Takes a tax, in place of an earlier one of the same city.
    pub fn put_tax(&mut self, rate: &TaxRate) {
        self.tax_bps.insert(city_key(&rate.city).into(), rate.rate_bps);
    }

    /// The shipping of orders to a city; without a row for it or for elsewhere there is none.
    pub fn shipping(&self, city: Option<&str>, currency: Currency) -> ShippingTerms {
        self.shipping.get(&currency).and_then(|rates| rate_of(rates, city)).unwrap_or_default()
    }

    /// The tax of orders to a city, in 1/10,000 of subtotal − discount; without a row there is none.
    pub fn tax_bps(&self, city: Option<&str>) -> u32 {
        rate_of(&self.tax_bps, city).unwrap_or_default()
    }
}

fn rate_of<T: Copy>(rates: &HashMap<Box<str>, T>, city: Option<&str>) -> Option<T> {
    if rates.is_empty() {
        return None;
    }
    let own = city.and_then(|city| rates.get(city_key(city).as_ref()));
    own.or_else(|| rates.get(ELSEWHERE)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::new(code).unwrap()
    }

    fn rates() -> CityRates {
        let mut rates = CityRates::default();
        for (city, price, code, free_over) in [
            (" Campinas ", 1, "BRL", None),
            ("São Paulo", 900, "BRL", Some(Money(5000))),
            ("*", 5, "USD", None),
        ] {
            let (city, currency) = (city.into(), currency(code));
            rates.put_shipping(&ShippingRate { city, price: Money(price), currency, free_over });
        }
        let later = ShippingRate {
            city: "CAMPINAS".into(),
            price: Money(700),
            currency: currency("BRL"),
            free_over: None,
        };
        rates.put_shipping(&later);
        for (city, rate_bps) in [("campinas", 1000), ("*", 250)] {
            rates.put_tax(&TaxRate { city: city.into(), rate_bps });
        }
        rates
    }

    #[test]
    fn a_city_has_its_own_row_or_that_of_elsewhere() {
        let rates = rates();
        for (city, code, price, tax_bps) in [
            (Some("Campinas"), "BRL", 700, 1000),
            (Some("\tcAMPINAS "), "BRL", 700, 1000),
            (Some("SÃO PAULO"), "BRL", 900, 250),
            (Some("Sao Paulo"), "BRL", 0, 250),
            (Some("Campinas"), "USD", 5, 1000),
            (Some("Campinas"), "EUR", 0, 1000),
            (None, "USD", 5, 250),
            (None, "BRL", 0, 250),
        ] {
            assert_eq!(rates.shipping(city, currency(code)).price, Money(price), "{city:?} {code}");
            assert_eq!(rates.tax_bps(city), tax_bps, "{city:?}");
        }
        let none = CityRates::default();
        assert_eq!(none.shipping(Some("Campinas"), currency("BRL")), ShippingTerms::default());
        assert_eq!(none.tax_bps(None), 0);
    }

    #[test]
    fn shipping_falls_away_for_downloads_and_from_a_threshold_on() {
        let terms = ShippingTerms { price: Money(700), free_over: Some(Money(5000)) };
        for (net, all_digital, cost) in
            [(4999, false, 700), (5000, false, 0), (9999, false, 0), (0, false, 700), (0, true, 0)]
        {
            assert_eq!(terms.cost(Money(net), all_digital), Money(cost), "{net} {all_digital}");
        }
    }
}
