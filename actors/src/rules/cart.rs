use super::problem::{Pointer, Problem, ProblemCode};
use floodgate_persistence::model::{Currency, Money, ProductId, SellerId};

/// Most items of one request, and so most lines of one order.
pub const LINES_MAX: usize = 100;

/// Largest quantity of one product in one order.
pub const QUANTITY_MAX: u32 = 10_000;

// The place of an item fits `u16`, and so many of the largest legal quantities still add up in `u32`.
const _: () = assert!(LINES_MAX <= u16::MAX as usize);
const _: () = assert!((LINES_MAX as u64) * (QUANTITY_MAX as u64) <= u32::MAX as u64);

/// An item as the request has it: any integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CartItem {
    /// What.
    pub product_id: ProductId,
    /// How many; out of range until [`build_cart`] said otherwise.
    pub quantity: i64,
    /// The price that the customer saw.
    pub unit_price: Option<Money>,
}

/// Lines of one product each, in the order of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cart {
    /// At most [`LINES_MAX`].
    pub lines: Vec<CartLine>,
}

/// All items of one product, at the first's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartLine {
    /// Place of the first item in the request, from 0.
    pub item: u16,
    /// What.
    pub product_id: ProductId,
    /// Sum of the quantities, 1 … [`QUANTITY_MAX`].
    pub quantity: u32,
    /// Unit prices that the customer saw, each with the place of its item.
    pub seen_prices: Vec<(u16, Money)>,
    /// What the owner of the product offers; `None` until its shard was asked, and for unknown products.
    pub offer: Option<Offer>,
}

/// What a shard says about a product: all that pricing needs, copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Who sells it.
    pub seller_id: SellerId,
    /// Its name.
    pub name: Box<str>,
    /// Price of a piece.
    pub unit_price: Money,
    /// Currency of the price.
    pub currency: Currency,
    /// A download.
    pub digital: bool,
    /// For sale.
    pub active: bool,
    /// The seller is known and sells.
    pub seller_active: bool,
    /// Commission on the seller's subtotal, in 1/10,000.
    pub commission_bps: u32,
    /// Largest quantity of this product in one order.
    pub quantity_max: u32,
    /// What is left.
    pub stock: OfferedStock,
}

/// What is left of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferedStock {
    /// Not counted: always enough.
    Uncounted,
    /// This many pieces.
    Counted(i64),
}

/// Merges items of the same product and checks what needs no catalogue: an empty cart, too many items, quantities
/// and seen prices out of range. Problems are appended; the lines are those that can be looked up all the same, so
/// that the other problems of the request are found too.
///
/// A quantity out of range is put to the nearest legal one, an impossible seen price is left out: such a cart may
/// be judged further, never sold. Of too many items none is looked up.
pub fn build_cart(items: &[CartItem], problems: &mut Vec<Problem>) -> Cart {
    if let Some(code) = refuse_count(items.len()) {
        problems.push(Problem { pointer: Pointer::Items, code });
        return Cart::default();
    }
    let mut lines = Vec::with_capacity(items.len());
    for (index, item) in (0..).zip(items) {
        judge_item(index, item, problems);
        line_of(&mut lines, index, item.product_id).add(index, item);
    }
    for line in &mut lines {
        cap_sum(line, items, problems);
    }
    Cart { lines }
}

/// Appends every problem of one line: unknown or inactive product or seller, currency, quantity, stock, seen prices.
///
/// A quantity above the general limit is reported by [`build_cart`] and above the product's own limit here;
/// [`Refusal::new`](super::Refusal::new) keeps the tighter of the two.
pub fn judge_line(line: &CartLine, currency: Currency, problems: &mut Vec<Problem>) {
    match &line.offer {
        Some(offer) => {
            judge_product(line, offer, currency, problems);
            judge_quantity(line, offer, problems);
            judge_seen_prices(line, offer, problems);
        }
        None => problems.push(line.unknown()),
    }
}

/// What taking `quantity` leaves of `available`; `None` where it is not enough.
pub const fn take_from(available: i64, quantity: u32) -> Option<i64> {
    match available.checked_sub(quantity as i64) {
        Some(left) if left >= 0 => Some(left),
        _ => None,
    }
}

impl CartLine {
    const fn empty(item: u16, product_id: ProductId) -> Self {
        Self { item, product_id, quantity: 0, seen_prices: Vec::new(), offer: None }
    }

    fn add(&mut self, index: u16, item: &CartItem) {
        self.quantity += nearest_legal(item.quantity);
        let seen = item.unit_price.filter(|price| *price >= Money::ZERO);
        self.seen_prices.extend(seen.map(|price| (index, price)));
    }

    /// A problem of the line as a whole lies at its first item.
    pub(super) const fn problem(&self, field: &'static str, code: ProblemCode) -> Problem {
        Problem::at_item(self.item, field, code)
    }

    pub(super) const fn unknown(&self) -> Problem {
        self.problem("product_id", ProblemCode::UnknownProduct(self.product_id))
    }
}

const fn refuse_count(items: usize) -> Option<ProblemCode> {
    match items {
        0 => Some(ProblemCode::EmptyCart),
        1..=LINES_MAX => None,
        _ => Some(ProblemCode::TooManyLines),
    }
}

fn judge_item(index: u16, item: &CartItem, problems: &mut Vec<Problem>) {
    if !is_legal(item.quantity) {
        let code = ProblemCode::QuantityOutOfRange { max: QUANTITY_MAX };
        problems.push(Problem::at_item(index, "quantity", code));
    }
    if item.unit_price.is_some_and(|price| price < Money::ZERO) {
        problems.push(Problem::at_item(index, "unit_price", ProblemCode::AmountOutOfRange));
    }
}

/// The line of a product, begun at this item if it is the product's first. A scan beats hashing: most carts have
/// less than ten lines, the largest [`LINES_MAX`].
#[expect(clippy::indexing_slicing, reason = "the place was just found or just pushed")]
fn line_of(lines: &mut Vec<CartLine>, index: u16, product_id: ProductId) -> &mut CartLine {
    let place = lines.iter().position(|line| line.product_id == product_id).unwrap_or_else(|| {
        lines.push(CartLine::empty(index, product_id));
        lines.len() - 1
    });
    &mut lines[place]
}

/// Holds the sum of a product to the general limit. Where one of its items is out of range by itself, that item is
/// already named and the sum says nothing new.
fn cap_sum(line: &mut CartLine, items: &[CartItem], problems: &mut Vec<Problem>) {
    if line.quantity <= QUANTITY_MAX {
        return;
    }
    line.quantity = QUANTITY_MAX;
    let mut of_product = items.iter().filter(|item| item.product_id == line.product_id);
    if of_product.all(|item| is_legal(item.quantity)) {
        problems.push(line.problem("quantity", ProblemCode::QuantityOutOfRange { max: QUANTITY_MAX }));
    }
}

fn is_legal(quantity: i64) -> bool {
    i64::from(nearest_legal(quantity)) == quantity
}

fn nearest_legal(quantity: i64) -> u32 {
    match u32::try_from(quantity) {
        Ok(pieces) => pieces.clamp(1, QUANTITY_MAX),
        Err(_) if quantity < 0 => 1,
        Err(_) => QUANTITY_MAX,
    }
}

fn judge_product(line: &CartLine, offer: &Offer, currency: Currency, problems: &mut Vec<Problem>) {
    let product_id = line.product_id;
    let found = [
        (!offer.active, ProblemCode::InactiveProduct(product_id)),
        (!offer.seller_active, ProblemCode::InactiveSeller(product_id)),
        (offer.currency != currency, ProblemCode::CurrencyMismatch(product_id)),
    ];
    let found = found.into_iter().filter(|(applies, _)| *applies);
    problems.extend(found.map(|(_, code)| line.problem("product_id", code)));
}

fn judge_quantity(line: &CartLine, offer: &Offer, problems: &mut Vec<Problem>) {
    if line.quantity > offer.quantity_max {
        problems.push(line.problem("quantity", ProblemCode::QuantityOutOfRange { max: offer.quantity_max }));
    }
    if let OfferedStock::Counted(available) = offer.stock
        && take_from(available, line.quantity).is_none()
    {
        let requested = line.quantity;
        let code = ProblemCode::InsufficientStock { product_id: line.product_id, requested, available };
        problems.push(line.problem("quantity", code));
    }
}

fn judge_seen_prices(line: &CartLine, offer: &Offer, problems: &mut Vec<Problem>) {
    let (product_id, current) = (line.product_id, offer.unit_price);
    let changed = line.seen_prices.iter().filter(|(_, expected)| *expected != current);
    problems.extend(changed.map(|&(index, expected)| {
        let code = ProblemCode::UnitPriceChanged { product_id, expected, current };
        Problem::at_item(index, "unit_price", code)
    }));
}
