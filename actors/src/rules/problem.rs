use floodgate_persistence::model::{Money, ProductId};

/// Where in the request a problem lies; the API writes it as a JSON pointer (RFC 6901).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pointer {
    /// The list of items as a whole: `/items`.
    Items,
    /// A field of an item, by its place in the request: `/items/<index>/<field>`.
    Item {
        /// Place in the request, from 0.
        index: u16,
        /// Name of the field.
        field: &'static str,
    },
    /// A field of the request itself: `/<field>`.
    Field(&'static str),
}

/// What is wrong, with the facts that the answer carries. In order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemCode {
    /// No items.
    EmptyCart,
    /// More than [`LINES_MAX`](super::LINES_MAX) items.
    TooManyLines,
    /// Nobody knows this product.
    UnknownProduct(ProductId),
    /// Known, but not for sale.
    InactiveProduct(ProductId),
    /// Its seller does not sell at the moment, or is not known.
    InactiveSeller(ProductId),
    /// The product has another currency than the order.
    CurrencyMismatch(ProductId),
    /// The quantity (summed over the lines of a product) is not in 1 … `max`.
    QuantityOutOfRange {
        /// Largest quantity allowed.
        max: u32,
    },
    /// An amount is negative or does not fit.
    AmountOutOfRange,
    /// No such coupon.
    UnknownCoupon,
    /// Its window, currency, seller or minimum does not fit this order.
    CouponNotValid,
    /// All its uses are taken, or all of this customer's.
    CouponUsedUp,
    /// No such referral code.
    UnknownReferral,
    /// A way to pay that this engine does not take.
    PaymentNotAvailable,
    /// Fewer pieces than asked for.
    InsufficientStock {
        /// The product.
        product_id: ProductId,
        /// Pieces asked for.
        requested: u32,
        /// Pieces left.
        available: i64,
    },
    /// A given unit price is no longer true.
    UnitPriceChanged {
        /// The product.
        product_id: ProductId,
        /// As the request said.
        expected: Money,
        /// As it is.
        current: Money,
    },
    /// The given total is no longer true.
    TotalChanged {
        /// As the request said.
        expected: Money,
        /// As it is.
        current: Money,
    },
}

/// The three ways to refuse a checkout, by precedence (contract §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalCode {
    /// Well-formed, but not sellable.
    ValidationFailed,
    /// Not enough pieces.
    InsufficientStock,
    /// A given price is no longer true.
    PriceChanged,
}

/// One problem of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    /// Where.
    pub pointer: Pointer,
    /// What.
    pub code: ProblemCode,
}

impl RefusalCode {
    /// The name in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ValidationFailed => "validation_failed",
            Self::InsufficientStock => "insufficient_stock",
            Self::PriceChanged => "price_changed",
        }
    }
}

impl Problem {
    /// A problem of one field of the item at place `index` of the request.
    pub const fn at_item(index: u16, field: &'static str, code: ProblemCode) -> Self {
        Self { pointer: Pointer::Item { index, field }, code }
    }

    /// Asked of sorted problems, where the tighter limit of the same place comes first.
    fn is_looser_limit_than(&self, tighter: &Self) -> bool {
        use ProblemCode::QuantityOutOfRange;
        let limits = matches!(
            (&tighter.code, &self.code),
            (QuantityOutOfRange { max: low }, QuantityOutOfRange { max: high }) if low <= high
        );
        limits && tighter.pointer == self.pointer
    }
}

impl ProblemCode {
    /// The refusal that this problem leads to.
    pub const fn refusal(&self) -> RefusalCode {
        match self {
            Self::InsufficientStock { .. } => RefusalCode::InsufficientStock,
            Self::UnitPriceChanged { .. } | Self::TotalChanged { .. } => RefusalCode::PriceChanged,
            _ => RefusalCode::ValidationFailed,
        }
    }

    /// The name in answers.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::EmptyCart => "empty_cart",
            Self::TooManyLines => "too_many_lines",
            Self::UnknownProduct(_) => "unknown_product",
            Self::InactiveProduct(_) => "inactive_product",
            Self::InactiveSeller(_) => "inactive_seller",
            Self::CurrencyMismatch(_) => "currency_mismatch",
            Self::QuantityOutOfRange { .. } => "quantity_out_of_range",
            Self::AmountOutOfRange => "amount_out_of_range",
            Self::UnknownCoupon => "unknown_coupon",
            Self::CouponNotValid => "coupon_not_valid",
            Self::CouponUsedUp => "coupon_used_up",
            Self::UnknownReferral => "unknown_referral",
            Self::PaymentNotAvailable => "payment_not_available",
            Self::InsufficientStock { .. } => "insufficient_stock",
            Self::UnitPriceChanged { .. } | Self::TotalChanged { .. } => "price_changed",
        }
    }
}

/// Every problem of a refused checkout, in the order of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl Refusal {
    /// Puts the problems in the order of the request (the items as a whole, each item's fields, fields of the
    /// request), those of one place by precedence, and drops repetitions; `None` where there is no problem.
    ///
    /// A quantity can break the general limit and the product's own: the lower limit says both.
    pub fn new(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_unstable();
        problems.dedup_by(|later, first| later == first || later.is_looser_limit_than(first));
        (!problems.is_empty()).then_some(Self { problems })
    }

    /// What the answer is called: the problem of highest precedence decides.
    pub fn code(&self) -> RefusalCode {
        self.problems
            .iter()
            .map(|problem| problem.code.refusal())
            .min()
            .unwrap_or(RefusalCode::ValidationFailed)
    }
}
