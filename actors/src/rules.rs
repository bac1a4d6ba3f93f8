//! The rules of selling, as pure functions: command and facts in, results or problems out.

mod cart;
mod catalogue;
mod part;
mod pricing;
mod problem;

pub use cart::{
    Cart, CartItem, CartLine, LINES_MAX, Offer, OfferedStock, QUANTITY_MAX, build_cart, judge_line, take_from,
};
pub use catalogue::{judge_product, judge_seller};
pub use part::part_of;
pub use pricing::{Priced, PricingTerms, price};
pub use problem::{Pointer, Problem, ProblemCode, Refusal, RefusalCode};
