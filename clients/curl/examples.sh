#!/usr/bin/env bash
# Floodgate's API by curl, call by call, from an empty shop to a list of orders. Runs as it is:
#
#     clients/curl/examples.sh http://127.0.0.1:8080 "$(cat data/admin.token)"
#
# The first argument is the engine's address, the second its admin token. Ends with 1 at the first call that does not
# answer as it says here.
set -euo pipefail
url="${1:-http://127.0.0.1:8080}"
token="${2:-}"
json='content-type: application/json'
admin="authorization: Bearer $token"
run="$(date +%s%N)"

# call STATUS CURL-ARGUMENTS…: shows the call and its answer, and stops where the status is another one.
call() {
    local expected="$1" answer
    shift
    printf '\n$ curl %s\n' "${*//$token/\$TOKEN}"
    answer="$(curl -sS -w '\n%{http_code}' "$@")"
    printf '%s\n' "$answer"
    if [ "${answer##*$'\n'}" != "$expected" ]; then
        echo "expected status $expected" >&2
        exit 1
    fi
}

# Sellers and products, as an operator. `stock` counts pieces; without it a product is never sold out.
call 200 "$url/admin/sellers" -X PUT -H "$admin" -H "$json" \
    -d '{"sellers": [{"seller_id": 901, "name": "Kettles & Co", "city": "Campinas", "commission_bps": 1000}]}'
call 200 "$url/admin/products" -X PUT -H "$admin" -H "$json" \
    -d '{"products": [{"product_id": 9001, "seller_id": 901, "name": "Kettle", "price": 1999, "currency": "BRL",
          "digital": false, "stock": 10, "active": true}]}'

# A product with what is available.
call 200 "$url/v1/products/9001"

# What a cart would cost; nothing is taken.
cart='{"customer_id": 42, "currency": "BRL", "items": [{"product_id": 9001, "quantity": 2}]}'
call 200 "$url/v1/quotes" -H "$json" -d "$cart"

# Buy it: 201 means that the order is on the disk. The key makes it safe to send again.
call 201 "$url/v1/checkouts" -H "$json" -H "idempotency-key: cart-$run" -d "$cart"

# The same again: the same order (Idempotent-Replayed: true), nothing is bought twice.
call 201 "$url/v1/checkouts" -H "$json" -H "idempotency-key: cart-$run" -d "$cart"

# The same key for another cart is a mistake: 422.
call 422 "$url/v1/checkouts" -H "$json" -H "idempotency-key: cart-$run" -d "${cart/42/43}"

# More than there is: 409, with `requested` and `available` of each short line.
call 409 "$url/v1/checkouts" -H "$json" -d "${cart/\"quantity\": 2/\"quantity\": 999}"

# The price that the customer saw is another one by now: 409.
call 409 "$url/v1/checkouts" -H "$json" -d "${cart%\}}, \"expected_total\": 1}"

# A typing error is not passed over: 400, naming the field.
call 400 "$url/v1/checkouts" -H "$json" -d "${cart/items/itmes}"

# Many carts in one call, each on its own.
call 200 "$url/v1/checkouts/batch" -H "$json" -d "{\"checkouts\": [$cart, $cart]}"

# Orders of a customer, newest first; `next_cursor` leads to the next page.
call 200 "$url/v1/orders?customer_id=42&limit=2"

# Correct counted stock, as an operator.
call 200 "$url/admin/products/9001/stock" -H "$admin" -H "$json" -d '{"delta": 5, "reason": "delivery"}'

# The engine: is traffic welcome, and one page of everything.
call 200 "$url/readyz"
call 200 "$url/admin/status" -H "$admin"
echo
echo "all as described"
