//! The rules of selling, as pure functions: command and facts in, results or problems out.

mod cart;
mod catalogue;
mod discount;
mod lifecycle;
mod part;
mod pricing;
mod problem;
mod refund;
mod share;
mod shipping;

pub use cart::{
    Cart, CartItem, CartLine, LINES_MAX, Offer, OfferedStock, QUANTITY_MAX, build_cart, judge_line, take_from,
};
pub use catalogue::{judge_product, judge_seller};
pub use discount::CouponTerms;
pub use lifecycle::{LifeCommand, LifeRefusal, Who, judge_command};
pub use part::part_of;
pub use pricing::{Priced, PricingTerms, ReferralTerms, price};
pub use problem::{Pointer, Problem, ProblemCode, Refusal, RefusalCode};
pub use refund::{RefundAsked, RefundRefusal, RefundWhat};
pub use shipping::{CityRates, ShippingTerms, city_key};
