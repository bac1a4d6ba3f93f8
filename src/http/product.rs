use super::error::Failure;
use super::order_query::path_id;
use super::shop::{Shop, ok};
use axum::extract::{Path, State};
use axum::response::Response;
use floodgate_actors::ProductView;
use floodgate_persistence::model::ProductId;
use serde::Serialize;
use utoipa::ToSchema;

/// A product as it can be bought now.
#[derive(Serialize, ToSchema)]
#[schema(as = Product)]
pub(super) struct ProductJson<'a> {
    product_id: u64,
    seller_id: u64,
    name: &'a str,
    /// Of a piece, in minor units.
    price: i64,
    currency: &'a str,
    digital: bool,
    active: bool,
    /// `null`: the general limit.
    max_per_order: Option<u32>,
    /// Pieces that can be bought now; `null`: not counted.
    available: Option<i64>,
}

impl<'a> ProductJson<'a> {
    fn new(product: &'a ProductView) -> Self {
        Self {
            product_id: product.product_id.get(),
            seller_id: product.seller_id.get(),
            name: &product.name,
            price: product.price.0,
            currency: product.currency.as_str(),
            digital: product.digital,
            active: product.active,
            max_per_order: product.max_per_order,
            available: product.available,
        }
    }
}

/// A hot product.
#[utoipa::path(
    get, path = "/v1/products/{id}", tag = "shop",
    params(("id" = u64, Path, description = "The product", minimum = 1, maximum = 9007199254740991_i64)),
    responses((status = 200, description = "The product", body = ProductJson))
)]
pub(super) async fn get_product(
    State(shop): State<Shop>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let unknown = || Failure::not_found("there is no such product");
    let id = path_id(&id).and_then(ProductId::new).ok_or_else(unknown)?;
    let product = shop.answer(shop.engine.product(id)).await??.ok_or_else(unknown)?;
    Ok(ok(&ProductJson::new(&product)))
}
