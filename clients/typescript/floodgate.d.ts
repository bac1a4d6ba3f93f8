// What Floodgate's API takes and gives, made from docs/openapi.json: do not edit it, change the document's source.
//
// Money is an integer of minor units. Times are RFC 3339 in UTC.

/** What happened lately. */
export interface Activity {
  /** Checkouts by outcome: `placed`, or the code of the refusal. Without those that did not happen. */
  checkouts: Record<string, number>;
  /** How far it reaches back. */
  elapsed_ms: number;
  /** Where checkouts spent their time. */
  phases: Phase[];
  /**
   * Refused checkouts by what was wrong with them; one with several problems counts for each. Without those that did
   * not happen.
   */
  problems: Record<string, number>;
  requests: number;
  /** Requests that ended with a server error. */
  requests_failed: number;
}

/** A correction that is in force. */
export interface Adjusted {
  at: string;
  /** Pieces that can be bought now. */
  available?: number | null;
  delta: number;
  journal_seq: number;
  product_id: number;
  reason: string;
}

/** A correction of counted stock. */
export interface Adjustment {
  /** More or less pieces; not 0. */
  delta: number;
  reason: string;
}

/** An alert as it stands. */
export interface Alert {
  name: string;
  /** Since when it is as it is. */
  since: string;
  /** `ok` or `firing`. */
  state: string;
  /** When it fires, in words. */
  summary: string;
  /** What it is held against. */
  threshold: number;
  /** `ratio`, `seconds` or `count`. */
  unit: string;
  /** What was measured; `null`: too little happened to say anything. */
  value?: number | null;
}

/** All alerts. */
export interface Alerts {
  data: Alert[];
}

/** Many checkouts at once. */
export interface Batch {
  /** 1–1,000, each with an optional `idempotency_key`. */
  checkouts: Checkout[];
}

/** What became of a batch. */
export interface BatchAnswer {
  /** In the order of the request. */
  results: BatchResult[];
}

/** What became of one checkout of a batch. */
export interface BatchResult {
  error?: Problem | null;
  order?: Order | null;
  /** With an order: an earlier request with the same key placed it. */
  replayed?: boolean | null;
  /** What the checkout alone would have been answered with. */
  status: number;
}

/** Lookups of products and sellers. */
export interface CacheStatus {
  /** Hits in 1/10,000 of all lookups; `null` before the first. */
  hit_rate_bps?: number | null;
  hits: number;
  /** Known products and sellers that the store had to answer. */
  misses: number;
  /** When all products were last read from the store. */
  products_read_at: string;
  /** When all sellers were last read from the store. */
  sellers_read_at: string;
  /** Look-ups of ids that do not exist. */
  unknown: number;
}

/** What a customer wants to buy. Only `customer_id` and `items` are required; `null` counts as absent. */
export interface Checkout {
  /** Where it goes; compared trimmed and case-folded. */
  city?: string | null;
  /** Coupon code. */
  coupon?: string | null;
  /** ISO 4217; absent: the configured currency. */
  currency?: string | null;
  /** Who buys. */
  customer_id: number;
  delivery?: Delivery | null;
  /** Where the confirmation goes. */
  email?: string | null;
  /** The total that the customer saw, in minor units; another one is refused. */
  expected_total?: number | null;
  /** In a batch: the item's own idempotency key. In a call of its own the key is a header. */
  idempotency_key?: string | null;
  /** 1–100 items; items of the same product become one line. */
  items: CheckoutItem[];
  payment?: Payment | null;
  /** Who recommended the shop. */
  referral_code?: string | null;
}

/** An item of a cart. */
export interface CheckoutItem {
  /** What. */
  product_id: number;
  /** Pieces, 1–10,000 in all items of the product. */
  quantity: number;
  /** The price that the customer saw, in minor units; another one is refused. */
  unit_price?: number | null;
}

/** Checkouts and orders under way. */
export interface CheckoutStatus {
  in_flight: number;
  in_flight_max: number;
  open_orders: number;
  /** Requests turned away at admission since the start. */
  shed: number;
}

/** Where the goods go. Personal data: never logged. */
export interface Delivery {
  /** May have several lines. */
  address?: string | null;
  /** Who receives. */
  name?: string | null;
  /** For the courier. */
  note?: string | null;
  /** For questions on the way. */
  phone?: string | null;
}

/** A product that many want. */
export interface HotProduct {
  /** Pieces that can be bought; `null`: not counted. */
  available?: number | null;
  name: string;
  product_id: number;
  /** Of `recent_takes`, at least so many. */
  takes: number;
}

/** Idempotency keys. */
export interface IdempotencyStatus {
  keys: number;
  keys_max: number;
  /** Time of the oldest key: how far the window reaches. */
  oldest?: string | null;
  /** How long a repeated request is recognised as things are: `idempotency.window`, or less where the table is full. */
  window_ms: number;
}

/** The job in the way. */
export type Job = Warmup | Reconciliation;

/** The journal. */
export interface JournalStatus {
  bytes: number;
  /** Most bytes: `journal.max_bytes`. */
  bytes_max: number;
  /** Bytes free on the fullest of its and the store's disks. */
  disk_free?: number | null;
  /** Events journalled since the start. */
  events: number;
  /** Oldest sequence still in the segments. */
  first_seq: number;
  /** Groups synced since the start. */
  groups: number;
  /** Last synced sequence. */
  last_seq: number;
  /** Duration of the last write and sync. */
  last_sync_us: number;
  poisoned: boolean;
  sync: string;
  /** Sum of all writes and syncs since the start. */
  sync_total_us: number;
  /** Bytes of frames written since the start. */
  written_bytes: number;
}

/** The process runs. */
export interface Live {
  /** `ok`. */
  status: string;
}

/** What is logged. */
export interface Log {
  /** In the syntax of `RUST_LOG`. */
  filter: string;
}

/** Nothing: `{}`, or no body at all. */
export type Nothing = Record<string, unknown>;

/** An order. */
export interface Order {
  city?: string | null;
  created_at: string;
  currency: string;
  customer_id: number;
  discount: number;
  /** When it is cancelled unless it is paid; `null`: never. */
  expires_at?: string | null;
  /** `<prefix>-<year>-<number>`, without a gap and without a repeat. */
  invoice_number: string;
  items: OrderLine[];
  /** Sequence of its placing in the journal. */
  journal_seq: number;
  order_id: number;
  /** The database has all of it. */
  persisted: boolean;
  sellers: SellerShare[];
  shipping: number;
  status: OrderStatus;
  /** Σ quantity × unit price. */
  subtotal: number;
  tax: number;
  /** subtotal − discount + shipping + tax. */
  total: number;
}

/** Something that happened to an order. */
export interface OrderEvent {
  at: string;
  /** Sequence in the journal. */
  seq: number;
  /** What happened: `placed`, `paid`, `cancelled` …. */
  type: string;
}

/** The history of an order. */
export interface OrderHistory {
  data: OrderEvent[];
}

/** A line of an order: what was true when it was sold. */
export interface OrderLine {
  digital: boolean;
  discount: number;
  line: number;
  /** quantity × unit price − discount. */
  line_total: number;
  name: string;
  product_id: number;
  quantity: number;
  seller_id: number;
  unit_price: number;
}

/** A page of orders, newest first. */
export interface OrderPage {
  as_of_seq?: number | null;
  /** `false`: orders journalled after `as_of_seq` may be missing. Absent where the list is complete. */
  complete?: boolean | null;
  data: Order[];
  /** What to ask the next page with; `null`: there is none. */
  next_cursor?: string | null;
}

/** Where an order stands. */
export type OrderStatus = "pending_payment" | "confirmed" | "paid" | "fulfilled" | "cancelled" | "partially_refunded" | "refunded";

/** An event that the database refused. */
export interface ParkedEvent {
  /** The order it belongs to; `null`: it is of the catalogue. */
  order_id?: number | null;
  parked_at: string;
  /** What the database said, or that an earlier event of the same is parked. */
  reason: string;
  /** Sequence in the journal, and the id of a retry. */
  seq: number;
  /** What happened: `placed`, `product_put` …. */
  type: string;
}

/** A page of parked events, newest first. */
export interface ParkedPage {
  data: ParkedEvent[];
  /** What to ask the next page with; `null`: there is none. */
  next_cursor?: string | null;
}

/** Parked events that are in the tables now. */
export interface ParkedRetry {
  order_id?: number | null;
  seq: number;
  /** All events that were written, by rising sequence: a retry takes everything that is parked of the same order. */
  written: number[];
}

/** How the customer wants to pay. */
export interface Payment {
  /** `card`, or `cod` (cash on delivery). */
  method: string;
  /** The gateway's token; required for `card`. */
  token?: string | null;
}

/** A phase of checkouts. */
export interface Phase {
  /** Checkouts measured: all that came by themselves, one in 16 of a batch. */
  count: number;
  /** Half of them took less; `null`: none was measured. */
  p50_us?: number | null;
  p999_us?: number | null;
  p99_us?: number | null;
  /** `parse`, `take`, `price`, `journal` or `answer`. */
  phase: string;
}

/** Connections of the store. */
export interface PoolStatus {
  in_use: number;
  max: number;
  waiting: number;
}

/** Why a request was not done. */
export interface Problem {
  /** The kind's stable name. */
  code: string;
  /** This occurrence in words. */
  detail: string;
  /** Every single problem of the request. */
  errors?: ProblemEntry[];
  job?: Job | null;
  /** The request's `X-Request-Id`. */
  request_id?: string | null;
  /** The HTTP status. */
  status: number;
  /** The kind in words. */
  title: string;
  /** The kind of problem as a URI: `https://floodgate.dev/errors/<code>`. */
  type: string;
}

/** One problem of a request: where it lies, what it is, and the facts that belong to it. */
export interface ProblemEntry {
  /** `insufficient_stock`: pieces left. */
  available?: number | null;
  /** Stable name of the problem. */
  code: string;
  /** `price_changed`: the amount that is true now. */
  current?: number | null;
  /** In words. */
  detail: string;
  /** `price_changed`: the amount that the request gave. */
  expected?: number | null;
  /** Name of the header. */
  header?: string | null;
  /** `quantity_out_of_range`: the largest quantity. */
  max?: number | null;
  /** Name of the query parameter. */
  parameter?: string | null;
  /** JSON pointer (RFC 6901) into the request body. */
  pointer?: string | null;
  /** The product it is about. */
  product_id?: number | null;
  /** `insufficient_stock`: pieces asked for. */
  requested?: number | null;
}

/** A product as it can be bought now. */
export interface Product {
  active: boolean;
  /** Pieces that can be bought now; `null`: not counted. */
  available?: number | null;
  currency: string;
  digital: boolean;
  /** `null`: the general limit. */
  max_per_order?: number | null;
  name: string;
  /** Of a piece, in minor units. */
  price: number;
  product_id: number;
  seller_id: number;
}

/** A product row. */
export interface ProductRow {
  /** Absent: for sale. */
  active?: boolean | null;
  /** ISO 4217. */
  currency: string;
  /** Absent: no download. */
  digital?: boolean | null;
  /** Where a download lies below `digital.base_url`. */
  download_path?: string | null;
  /** Absent: the general limit. */
  max_per_order?: number | null;
  name: string;
  /** Of a piece, in minor units. */
  price: number;
  product_id: number;
  seller_id: number;
  /**
   * Absent: not counted when new, unchanged when known. Of a known product it is the counted quantity including
   * what checkouts under way hold.
   */
  stock?: number | null;
}

/** Product rows. */
export interface Products {
  products: ProductRow[];
}

/** What became of a bulk upsert. */
export interface PutAnswer {
  /** Rows taken: durable and hot everywhere. */
  accepted: number;
  /** Rows not taken, by rising number. */
  rejected: RejectedRow[];
}

/** What a checkout would become. */
export interface Quote {
  city?: string | null;
  currency: string;
  customer_id: number;
  discount: number;
  items: OrderLine[];
  sellers: SellerShare[];
  shipping: number;
  subtotal: number;
  tax: number;
  total: number;
}

/** Traffic may come. */
export interface Ready {
  /** What an operator should know all the same. */
  notes: string[];
  /** `ready`. */
  status: string;
}

/** A reconciliation. */
export interface Reconciliation {
  /** The checkpoint at which all was compared. */
  as_of_seq: number;
  /** The first 1,000. */
  differences: ReconciliationDifference[];
  /** Number of differences; 0 when all is right. */
  differences_total: number;
  elapsed_ms: number;
  /** Why it failed: nothing can be said then. */
  error?: string | null;
  /** The first record that the journal still has: orders from here on are compared. */
  journal_from_seq: number;
  /** Orders compared. */
  orders: number;
  /** Of these, parked: what the database refused counts as if it were there. */
  orders_parked: number;
  /** Products whose stock in memory was compared with the database. */
  products: number;
  /** Products whose stock in the database was compared with the journal alone, which still has the beginning of it. */
  products_by_journal: number;
  /** `running`, `done` or `failed`. */
  state: string;
}

/** Something that is not as it must be: counted stock of a product, or a sum of orders. */
export interface ReconciliationDifference {
  /** Sums: which. */
  amount?: string | null;
  /** Sums: in this currency. */
  currency?: string | null;
  /** What the database has, parked orders added; `null`: not counted, or no such product. */
  database?: number | null;
  /** Sums: of orders of this day in UTC. */
  day?: string | null;
  /** What the journal says; `null`: it does not go back far enough. */
  journal?: number | null;
  /** `stock`, or the table whose sums differ: `orders`, `seller_orders`, `order_items`. */
  kind: string;
  /** What memory has; not for sums. */
  memory?: number | null;
  /** `stock`: whose. */
  product_id?: number | null;
  /** Sums: of this seller, where they are by seller. */
  seller_id?: number | null;
}

/** Nothing is to be said. */
export type ReconciliationRequest = Record<string, unknown>;

/** A row that was not taken. */
export interface RejectedRow {
  /** Stable name of the reason. */
  code: string;
  /** Everything that is wrong with it, in words. */
  detail: string;
  /** JSON: its place in the list, from 1. NDJSON: its line, from 1. */
  row: number;
}

/** A seller row. */
export interface SellerRow {
  /** Absent: sells. */
  active?: boolean | null;
  city: string;
  /** The marketplace's share in 1/10,000. */
  commission_bps: number;
  name: string;
  seller_id: number;
}

/** A seller's part of an order. */
export interface SellerShare {
  commission: number;
  /** subtotal − commission. */
  payout: number;
  seller_id: number;
  /** Σ line total of the seller's lines. */
  subtotal: number;
}

/** Seller rows. */
export interface Sellers {
  sellers: SellerRow[];
}

/** A shard. */
export interface ShardStatus {
  /** Units sold and not yet durable. */
  held: number;
  products: number;
  /** Messages waiting. */
  queued: number;
  sellers: number;
}

/** A catalogue cache file that was written. */
export interface Snapshot {
  /** The checkpoint that it goes with. */
  as_of_seq: number;
  bytes: number;
  /** Where. */
  file: string;
  products: number;
  sellers: number;
}

/** One page of everything. */
export interface Status {
  activity?: Activity | null;
  /** As `/admin/alerts` has them. */
  alerts: Alert[];
  cache: CacheStatus;
  checkouts: CheckoutStatus;
  /** Fencing number of this run. */
  epoch: number;
  /** The products that were taken most lately, most first; none where all are alike. */
  hot_products: HotProduct[];
  idempotency: IdempotencyStatus;
  journal: JournalStatus;
  /** Identity of the data. */
  node: string;
  pool: PoolStatus;
  /** Lines that took a product lately, about: what is a minute old weighs half, and so on. */
  recent_takes: number;
  shards: ShardStatus[];
  /** 16 hexadecimal digits. */
  state_hash?: string | null;
  uptime_ms: number;
  /** Version of the program. */
  version: string;
  warmup?: Warmup | null;
  writer: WriterStatus;
}

/** A warm-up. */
export interface Warmup {
  elapsed_ms: number;
  /** Why it failed. */
  error?: string | null;
  /** Rows loaded so far. */
  loaded: number;
  /** `running`, `done` or `failed`. */
  state: string;
  /** Rows to load. */
  total: number;
}

/** What to load; `{}`: everything. */
export interface WarmupRequest {
  /** These products only. */
  product_ids?: number[] | null;
  /** These sellers only. */
  seller_ids?: number[] | null;
}

/** The write-behind. */
export interface WriterStatus {
  /** Records not yet in the store. */
  backlog: number;
  backlog_age_ms: number;
  /** Orders among them. */
  backlog_orders: number;
  /** Batches written since the start. */
  batches: number;
  checkpoint_seq: number;
  last_error?: string | null;
  /** Orders written since the start. */
  orders: number;
  /** Events that the store refused: see `/admin/parked`. */
  parked: number;
  /** Tries that failed since the start. */
  retries: number;
  state: string;
  store: string;
}

/** Every call: what goes in, and by status what comes out. */
export interface Calls {
  /** What an operator should look at. */
  "GET /admin/alerts": {
    answers: {
      200: Alerts;
      401: Problem;
      403: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** What is logged. */
  "GET /admin/log": {
    answers: {
      200: Log;
      401: Problem;
      403: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** Changes what is logged. */
  "PUT /admin/log": {
    body: Log;
    answers: {
      200: Log;
      400: Problem;
      401: Problem;
      403: Problem;
      408: Problem;
      413: Problem;
      415: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** Events that the database refused, newest first. */
  "GET /admin/parked": {
    query: {
      /** Events a page, 50 where not given. */
      limit?: number;
      /** Where the last page ended: its `next_cursor`. */
      cursor?: string;
    };
    answers: {
      200: ParkedPage;
      400: Problem;
      401: Problem;
      403: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** Writes what is parked of an order, in order. */
  "POST /admin/parked/{id}/retry": {
    path: {
      /** The `seq` of a parked event */
      id: number;
    };
    body: Nothing | null;
    answers: {
      200: ParkedRetry;
      400: Problem;
      401: Problem;
      403: Problem;
      404: Problem;
      408: Problem;
      409: Problem;
      413: Problem;
      415: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** Creates or replaces products. */
  "PUT /admin/products": {
    body: Products | string;
    answers: {
      200: PutAnswer;
      400: Problem;
      401: Problem;
      403: Problem;
      408: Problem;
      413: Problem;
      415: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** Corrects counted stock by hand. */
  "POST /admin/products/{id}/stock": {
    path: {
      /** The product */
      id: number;
    };
    header: {
      /** 1–255 visible ASCII characters */
      "Idempotency-Key"?: string;
    };
    body: Adjustment;
    answers: {
      200: Adjusted;
      400: Problem;
      401: Problem;
      403: Problem;
      404: Problem;
      408: Problem;
      409: Problem;
      413: Problem;
      415: Problem;
      422: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** The last reconciliation. */
  "GET /admin/reconciliation": {
    answers: {
      200: Reconciliation;
      401: Problem;
      403: Problem;
      404: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** Holds memory, journal and database against each other. */
  "POST /admin/reconciliation": {
    body: ReconciliationRequest;
    answers: {
      202: Reconciliation;
      400: Problem;
      401: Problem;
      403: Problem;
      408: Problem;
      409: Problem;
      413: Problem;
      415: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** Creates or replaces sellers. */
  "PUT /admin/sellers": {
    body: Sellers | string;
    answers: {
      200: PutAnswer;
      400: Problem;
      401: Problem;
      403: Problem;
      408: Problem;
      413: Problem;
      415: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** Writes the catalogue cache file now. */
  "POST /admin/snapshot": {
    body: Nothing | null;
    answers: {
      200: Snapshot;
      400: Problem;
      401: Problem;
      403: Problem;
      408: Problem;
      413: Problem;
      415: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** One page of everything. */
  "GET /admin/status": {
    query: {
      /** `true`: also a hash over the whole durable state, which takes a moment. */
      state_hash?: boolean;
    };
    answers: {
      200: Status;
      400: Problem;
      401: Problem;
      403: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** The last warm-up. */
  "GET /admin/warmup": {
    answers: {
      200: Warmup;
      401: Problem;
      403: Problem;
      404: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** Loads the hot catalogue from the store. */
  "POST /admin/warmup": {
    body: WarmupRequest;
    answers: {
      202: Warmup;
      400: Problem;
      401: Problem;
      403: Problem;
      408: Problem;
      409: Problem;
      413: Problem;
      415: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** The dashboard, for a browser. */
  "GET /dashboard": {
    answers: {
      200: string;
      304: undefined;
      401: Problem | string;
      403: Problem;
      500: Problem;
    };
  };
  /** Whether the process runs. */
  "GET /livez": {
    answers: {
      200: Live;
      500: Problem;
    };
  };
  /** Measurements as Prometheus text. */
  "GET /metrics": {
    answers: {
      200: string;
      500: Problem;
    };
  };
  /** This document. */
  "GET /openapi.json": {
    answers: {
      200: Record<string, unknown>;
      500: Problem;
    };
  };
  /** Whether traffic may come: recovered, warm and accepting. */
  "GET /readyz": {
    answers: {
      200: Ready;
      500: Problem;
      503: Problem;
    };
  };
  /** Places an order. */
  "POST /v1/checkouts": {
    header: {
      /** 1–255 visible ASCII characters */
      "Idempotency-Key"?: string;
    };
    body: Checkout;
    answers: {
      201: Order;
      400: Problem;
      401: Problem;
      403: Problem;
      408: Problem;
      409: Problem;
      413: Problem;
      415: Problem;
      422: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** Places many orders. */
  "POST /v1/checkouts/batch": {
    header: {
      /** At most 250 visible ASCII characters */
      "Idempotency-Key"?: string;
    };
    body: Batch;
    answers: {
      200: BatchAnswer;
      400: Problem;
      401: Problem;
      403: Problem;
      408: Problem;
      409: Problem;
      413: Problem;
      415: Problem;
      422: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** Orders that match all conditions given, newest first. */
  "GET /v1/orders": {
    query: {
      /** Of this customer. */
      customer_id?: number;
      /** With a line of this seller. */
      seller_id?: number;
      /** In this status. */
      status?: OrderStatus;
      /** To this city, compared trimmed and case-folded. */
      city?: string;
      /** Placed at or after this time (RFC 3339). */
      from?: string;
      /** Placed before this time (RFC 3339). */
      to?: string;
      /** Orders a page, 50 where not given. */
      limit?: number;
      /** Where the last page ended: its `next_cursor`. */
      cursor?: string;
    };
    answers: {
      200: OrderPage;
      400: Problem;
      401: Problem;
      403: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** An order as it is now. */
  "GET /v1/orders/{id}": {
    path: {
      /** The order */
      id: number;
    };
    answers: {
      200: Order;
      401: Problem;
      403: Problem;
      404: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** What happened to an order, oldest first. */
  "GET /v1/orders/{id}/events": {
    path: {
      /** The order */
      id: number;
    };
    answers: {
      200: OrderHistory;
      401: Problem;
      403: Problem;
      404: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** The shopper's preferences. */
  "GET /v1/preferences": {
    answers: {
      200: Record<string, unknown>;
      401: Problem;
      403: Problem;
      429: Problem;
      500: Problem;
    };
  };
  /** Replaces the shopper's preferences. */
  "PUT /v1/preferences": {
    body: Record<string, unknown>;
    answers: {
      200: Record<string, unknown>;
      400: Problem;
      401: Problem;
      403: Problem;
      408: Problem;
      413: Problem;
      415: Problem;
      429: Problem;
      500: Problem;
    };
  };
  /** A hot product. */
  "GET /v1/products/{id}": {
    path: {
      /** The product */
      id: number;
    };
    answers: {
      200: Product;
      401: Problem;
      403: Problem;
      404: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
  /** Prices a cart. */
  "POST /v1/quotes": {
    body: Checkout;
    answers: {
      200: Quote;
      400: Problem;
      401: Problem;
      403: Problem;
      408: Problem;
      409: Problem;
      413: Problem;
      415: Problem;
      422: Problem;
      429: Problem;
      500: Problem;
      503: Problem;
      504: Problem;
    };
  };
}
