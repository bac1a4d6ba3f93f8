"""The tiers of `floodgate load` for Locust (https://locust.io), for teams that have it at work already.

    pip install locust
    FLOODGATE_TIER=baseline locust -f locustfile.py --headless --host http://127.0.0.1:8080

FLOODGATE_TIER      baseline (100 users), stress (1,000), spike (10,000) or endurance (1,000 for an hour)
FLOODGATE_USERS     other number of users
FLOODGATE_SECONDS   other length
FLOODGATE_PRODUCTS  products that are bought, "1-40"
FLOODGATE_KEY       API key of scope `shop`, where the engine asks for one

Locust is a closed loop: a user waits for the answer before the next request, so a slow engine is asked less. Where
that matters use `floodgate load`, which counts latency from the moment a request was due. At the end each acknowledged
order is looked up; one that is missing or costs something else makes the run fail.
"""

import os
import random
import time
import uuid

from locust import FastHttpUser, LoadTestShape, between, events, task

TIER = os.environ.get("FLOODGATE_TIER", "baseline")
USERS = {"baseline": 100, "stress": 1_000, "spike": 10_000, "endurance": 1_000}
SECONDS = {"baseline": 60, "stress": 120, "spike": 60, "endurance": 3_600}
users_max = int(os.environ.get("FLOODGATE_USERS", USERS[TIER]))
seconds = int(os.environ.get("FLOODGATE_SECONDS", SECONDS[TIER]))
first, _, last = os.environ.get("FLOODGATE_PRODUCTS", "1-40").partition("-")
products = range(int(first), int(last or first) + 1)
key = os.environ.get("FLOODGATE_KEY")
headers = {"authorization": f"Bearer {key}"} if key else {}

# What the engine acknowledged: order id and total.
acknowledged = {}


def cart(customer):
    """One to four different products; one cart in ten has ten lines."""
    lines = 10 if random.random() < 0.1 else random.randint(1, 4)
    chosen = random.sample(products, min(lines, len(products)))
    return {
        "customer_id": customer,
        "items": [{"product_id": product, "quantity": random.randint(1, 2)} for product in chosen],
        "payment": {"method": "cod"},
    }


class Tier(LoadTestShape):
    """Who is there when, as `floodgate load --tier` has it."""

    def tick(self):
        now = self.get_run_time()
        if now >= seconds:
            return None
        share = now / seconds
        if TIER == "stress":
            there = min(1.0, share * 4)
        elif TIER == "spike":
            there = 1.0 if 0.25 <= share < 0.75 else 0.1
        elif TIER == "endurance":
            there = min(1.0, share * 20)
        else:
            there = 1.0
        there = max(1, round(users_max * there))
        return there, max(100, there)


class Shopper(FastHttpUser):
    wait_time = between(0.5, 1.5)

    def on_start(self):
        self.customer = (1 << 51) + random.getrandbits(48)
        self.order = None

    @task(50)
    def checkout(self):
        body = cart(self.customer)
        # The same key for every try: an answer that was lost is asked for again, and nothing is bought twice.
        idempotency = str(uuid.uuid4())
        for _ in range(3):
            with self.client.post(
                "/v1/checkouts",
                json=body,
                headers={**headers, "idempotency-key": idempotency},
                catch_response=True,
                name="POST /v1/checkouts",
            ) as answer:
                if answer.status_code == 201:
                    order = answer.json()
                    acknowledged[order["order_id"]] = order["total"]
                    self.order = order["order_id"]
                    return answer.success()
                if answer.status_code in (409, 422):
                    # Sold out or not sellable: the engine said no, in good order.
                    return answer.success()
                answer.failure(f"status {answer.status_code}")
            if answer.status_code not in (0, 504):
                return None

    @task(10)
    def quote(self):
        with self.client.post(
            "/v1/quotes", json=cart(self.customer), headers=headers, catch_response=True, name="POST /v1/quotes"
        ) as answer:
            if answer.status_code in (200, 409, 422):
                answer.success()

    @task(20)
    def product(self):
        self.client.get(f"/v1/products/{random.choice(products)}", headers=headers, name="GET /v1/products/{id}")

    @task(15)
    def order_again(self):
        if self.order:
            self.client.get(f"/v1/orders/{self.order}", headers=headers, name="GET /v1/orders/{id}")

    @task(5)
    def orders(self):
        self.client.get(f"/v1/orders?customer_id={self.customer}&limit=10", headers=headers, name="GET /v1/orders")


@events.test_stop.add_listener
def check_the_books(environment, **_):
    """Each acknowledged order is there and costs what it was said to cost."""
    import json
    import urllib.error
    import urllib.request

    wrong = 0
    for order, total in list(acknowledged.items()):
        request = urllib.request.Request(f"{environment.host}/v1/orders/{order}", headers=headers)
        for attempt in range(5):
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    wrong += json.load(answer)["total"] != total
                break
            except urllib.error.HTTPError as error:
                if error.code == 404 or attempt == 4:
                    wrong += 1
                    break
                time.sleep(1)
    print(f"books: {len(acknowledged)} acknowledged orders looked up, {wrong} missing or different")
    if wrong:
        environment.process_exit_code = 1
