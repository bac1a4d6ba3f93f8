<?php
// Tries Floodgate.php against a running engine: php test.php URL LOSING_URL. Products 1 (counted, 5 pieces, 1.00 BRL) and 2
// (not counted) are there. At LOSING_URL the first answer of each connection's first request gets lost on its way. Says
// `ok` at the end, or what went wrong.

declare(strict_types=1);

require __DIR__ . '/Floodgate.php';

use Floodgate\Client;

[, $url, $losing] = $argv;

function same(mixed $expected, mixed $found, string $what): void
{
    if ($expected !== $found) {
        fwrite(STDERR, "$what: expected " . json_encode($expected) . ', found ' . json_encode($found) . "\n");
        exit(1);
    }
}

/** @param class-string $class */
function refused(string $class, callable $call): Floodgate\Exception
{
    try {
        $call();
    } catch (Floodgate\Exception $exception) {
        same($class, $exception::class, 'the class of ' . $exception->getMessage());
        return $exception;
    }
    same($class, 'nothing', 'what was thrown');
    exit(1);
}

$cart = fn (int $product, int $quantity): array =>
    ['customer_id' => 42, 'city' => 'São Paulo', 'items' => [['product_id' => $product, 'quantity' => $quantity]]];
$client = new Client($url);

// A product, a quote, an order, the same order again.
same(5, $client->product(1)['available'], 'available');
same(200, $client->quote($cart(1, 2))['total'], 'the quote');
$order = $client->checkout($cart(1, 2), 'php-1');
same([200, 'São Paulo', false], [$order['total'], $order['city'], $client->wasReplayed()], 'the order');
same($order['order_id'], $client->checkout($cart(1, 2), 'php-1')['order_id'], 'the same order');
same(true, $client->wasReplayed(), 'replayed');
same(3, $client->product(1)['available'], 'taken once');
same($order['invoice_number'], $client->order($order['order_id'])['invoice_number'], 'the order read again');
same('placed', $client->events($order['order_id'])[0]['type'], 'its history');
same(true, is_string($client->requestId()), 'a request id');

// Many at once, each on its own; lists page by page.
$results = $client->checkoutBatch([$cart(2, 1), $cart(1, 99), $cart(2, 1)]);
same([201, 409, 201], array_column($results, 'status'), 'the batch');
$listed = array_column(iterator_to_array($client->orders(['customer_id' => 42, 'limit' => 2])), 'order_id');
same(3, count($listed), 'the list');
same($order['order_id'], end($listed), 'oldest last');

// Every refusal has its class.
$short = refused(Floodgate\InsufficientStock::class, fn () => $client->checkout($cart(1, 4)));
same([409, 'insufficient_stock', 3], [$short->status, $short->errorCode, $short->errors[0]['available']], 'how short');
$changed = refused(Floodgate\PriceChanged::class, fn () => $client->checkout($cart(1, 1) + ['expected_total' => 99]));
same(100, $changed->errors[0]['current'], 'the price now');
$unknown = refused(Floodgate\ValidationFailed::class, fn () => $client->checkout($cart(404, 1)));
same('unknown_product', $unknown->errors[0]['code'], 'which product');
refused(Floodgate\IdempotencyKeyReused::class, fn () => $client->checkout($cart(1, 1), 'php-1'));
refused(Floodgate\NotFound::class, fn () => $client->order(999_999));
refused(Floodgate\BadRequest::class, fn () => $client->checkout(['customer_id' => 1, 'itmes' => []]));
refused(Floodgate\NotAllowed::class, fn () => (new Client($url, 'not a key'))->product(1));

// An answer that is lost is asked for again under the same key: bought once.
$order = (new Client($losing, pause: 1))->checkout($cart(1, 1));
same(2, $client->product(1)['available'], 'bought once although the answer was lost');
same($order['order_id'], $client->order($order['order_id'])['order_id'], 'and it is known');
$lost = refused(
    Floodgate\OutcomeUnknown::class,
    fn () => (new Client($losing, tries: 1))->checkout($cart(1, 1), 'php-lost'),
);
same('php-lost', $lost->idempotencyKey, 'the key to ask again with');
$client->checkout($cart(1, 1), 'php-lost');
same([true, 1], [$client->wasReplayed(), $client->product(1)['available']], 'asked again, bought once');
refused(Floodgate\OutcomeUnknown::class, fn () => (new Client('http://127.0.0.1:1', tries: 2, pause: 1))->product(1));
echo "ok\n";
