use super::Secrets;
use crate::config::Config;
use std::net::SocketAddr;

/// What to try next, with the real address and the place of the token (never the token).
pub fn what_to_try(config: &Config, address: SocketAddr, secrets: &Secrets) -> String {
    let base = format!("http://{address}");
    let token = match &secrets.admin_token_file {
        Some(file) => format!("$(cat {})", file.display()),
        None => "$TOKEN".to_owned(),
    };
    let currency = config.orders.currency;
    format!(
        "\
Floodgate listens on {base}. To try it:

  look at a product   curl {base}/v1/products/1
  buy two of it       curl {base}/v1/checkouts -H 'content-type: application/json' \\
                        -d '{{\"customer_id\": 42, \"currency\": \"{currency}\", \"items\": [{{\"product_id\": 1, \"quantity\": 2}}]}}'
  watch it live       {base}/dashboard  (orders and buttons: sign in with {token})
  list the orders     curl '{base}/v1/orders?customer_id=42'
  see the engine      curl {base}/admin/status -H \"authorization: Bearer {token}\"
  bring your own      floodgate import --products products.csv --sellers sellers.csv
  read the API        {base}/docs

Ctrl-C stops it: what was accepted is answered and written out first.
"
    )
}
