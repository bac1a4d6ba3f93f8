// The tiers of `floodgate load` for k6 (https://k6.io), for teams that have it at work already.
//
//     k6 run -e TIER=baseline -e URL=http://127.0.0.1:8080 k6.js
//
// TIER      baseline (100 users), stress (1,000), spike (10,000) or endurance (1,000 for an hour)
// USERS     other number of users; each stands for one request a second
// SECONDS   other length
// PRODUCTS  products that are bought, "1-40"
// KEY       API key of scope `shop`, where the engine asks for one
//
// Open loop: an arrival-rate executor starts requests at their time whether or not the engine keeps up (as far as there
// are virtual users left; `dropped_iterations` counts the others). Each iteration that buys looks its order up again at
// once: read-your-writes. The whole check of the books is `floodgate load`'s.

import http from 'k6/http';
import { check } from 'k6';
import { Counter } from 'k6/metrics';

const tier = __ENV.TIER || 'baseline';
const users = Number(__ENV.USERS || { baseline: 100, stress: 1000, spike: 10000, endurance: 1000 }[tier]);
const seconds = Number(__ENV.SECONDS || { baseline: 60, stress: 120, spike: 60, endurance: 3600 }[tier]);
const base = __ENV.URL || 'http://127.0.0.1:8080';
const [first, last] = (__ENV.PRODUCTS || '1-40').split('-').map(Number);
const headers = { 'content-type': 'application/json' };
if (__ENV.KEY) headers.authorization = `Bearer ${__ENV.KEY}`;

const refused = new Counter('floodgate_refused');
const shed = new Counter('floodgate_shed');
const differences = new Counter('floodgate_differences');

// Refusals are answers: sold out, or not sellable.
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 299 }, 409, 422));

const part = (share) => `${Math.max(1, Math.round(seconds * share))}s`;
const stages = {
  baseline: [{ target: users, duration: part(1) }],
  stress: [{ target: users, duration: part(0.25) }, { target: users, duration: part(0.75) }],
  spike: [
    { target: Math.ceil(users / 10), duration: part(0.25) },
    { target: users, duration: '1s' },
    { target: users, duration: part(0.5) },
    { target: Math.ceil(users / 10), duration: '1s' },
    { target: Math.ceil(users / 10), duration: part(0.25) },
  ],
  endurance: [{ target: users, duration: part(0.05) }, { target: users, duration: part(0.95) }],
}[tier];

export const options = {
  scenarios: {
    shop: {
      executor: 'ramping-arrival-rate',
      startRate: tier === 'baseline' ? users : tier === 'spike' ? Math.ceil(users / 10) : 1,
      timeUnit: '1s',
      preAllocatedVUs: users,
      stages,
    },
  },
  thresholds: {
    'http_req_duration{name:checkout}': ['p(99)<500', 'p(99.9)<500'],
    floodgate_differences: ['count==0'],
    checks: ['rate>0.999'],
  },
  summaryTrendStats: ['med', 'p(90)', 'p(99)', 'p(99.9)', 'max'],
};

const within = (from, to) => from + Math.floor(Math.random() * (to - from + 1));

function cart() {
  const lines = Math.random() < 0.1 ? 10 : within(1, 4);
  const chosen = new Set();
  while (chosen.size < Math.min(lines, last - first + 1)) chosen.add(within(first, last));
  return {
    customer_id: 2 ** 51 + __VU,
    items: [...chosen].map((product_id) => ({ product_id, quantity: within(1, 2) })),
    payment: { method: 'cod' },
  };
}

function buy() {
  // The same key for every try: an answer that was lost is asked for again, and nothing is bought twice.
  const key = `k6-${__VU}-${__ITER}-${Date.now()}`;
  const body = JSON.stringify(cart());
  let answer;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    answer = http.post(`${base}/v1/checkouts`, body, {
      headers: { ...headers, 'idempotency-key': key },
      tags: { name: 'checkout' },
    });
    if (answer.status !== 0 && answer.status !== 504) break;
  }
  if (answer.status === 409 || answer.status === 422) return refused.add(1);
  if (answer.status === 503 || answer.status === 429) return shed.add(1);
  if (!check(answer, { 'a cart becomes an order': ({ status }) => status === 201 })) return undefined;
  const { order_id, total } = answer.json();
  const again = http.get(`${base}/v1/orders/${order_id}`, { headers, tags: { name: 'order' } });
  if (again.status !== 200 || again.json('total') !== total) differences.add(1);
  return undefined;
}

export default function shop() {
  const chance = Math.random();
  if (chance < 0.6) {
    buy();
  } else if (chance < 0.7) {
    http.post(`${base}/v1/quotes`, JSON.stringify(cart()), { headers, tags: { name: 'quote' } });
  } else if (chance < 0.95) {
    http.get(`${base}/v1/products/${within(first, last)}`, { headers, tags: { name: 'product' } });
  } else {
    http.get(`${base}/v1/orders?customer_id=${2 ** 51 + __VU}&limit=10`, { headers, tags: { name: 'list' } });
  }
}
