<?php
/**
 * Floodgate for PHP 8.1 and later, in one file: copy it into the shop and `require` it. Needs the extension curl.
 *
 *     $floodgate = new Floodgate\Client('http://127.0.0.1:8080', key: $_ENV['FLOODGATE_KEY'] ?? null);
 *     try {
 *         $order = $floodgate->checkout(
 *             ['customer_id' => 42, 'items' => [['product_id' => 7, 'quantity' => 2]]],
 *             idempotencyKey: "cart-$cartId",
 *         );
 *     } catch (Floodgate\InsufficientStock $short) {
 *         foreach ($short->errors as $line) { … $line['product_id'], $line['available'] … }
 *     } catch (Floodgate\OutcomeUnknown $unknown) {
 *         // Ask again later with the same key: $unknown->idempotencyKey. Nothing is bought twice.
 *     }
 *
 * Money is integers of minor units (cents). The connection stays open from call to call: make one client a process, not
 * one a call. What may be lost on the way (no connection, a time-out, 429, 503, 504) is tried again by itself, always under
 * the same idempotency key, so that a checkout happens once.
 */

declare(strict_types=1);

namespace Floodgate;

/** Anything that went wrong. */
class Exception extends \RuntimeException
{
    /**
     * @param int                             $status    HTTP status; 0: there was no answer
     * @param string                          $errorCode the stable name, like `insufficient_stock`
     * @param list<array<string, mixed>>      $errors    every problem, with `pointer` and `code`
     * @param array<string, mixed>            $problem   the whole problem document
     */
    public function __construct(
        string $message,
        public readonly int $status = 0,
        public readonly string $errorCode = '',
        public readonly array $errors = [],
        public readonly array $problem = [],
        public readonly ?string $idempotencyKey = null,
        ?\Throwable $previous = null,
    ) {
        parent::__construct($message, $status, $previous);
    }
}

/** The engine said no, in good order: nothing was taken. */
class Refused extends Exception {}
/** 409: some lines ask for more than there is; `errors` has `requested` and `available` of each. */
class InsufficientStock extends Refused {}
/** 409: a price or the total is another one by now; `errors` has `expected` and `current`. */
class PriceChanged extends Refused {}
/** 422: the cart cannot be sold; `errors` says why, line by line. */
class ValidationFailed extends Refused {}
/** 402: the gateway declined; `problem['order_id']` can be paid again. */
class PaymentFailed extends Refused {}
/** 422: the key was used for another body. */
class IdempotencyKeyReused extends Refused {}
/** 409: the order's state does not allow it. */
class InvalidTransition extends Refused {}
/** 404. */
class NotFound extends Refused {}
/** 400, 405, 413, 415: the request itself is wrong. */
class BadRequest extends Exception {}
/** 401 or 403. */
class NotAllowed extends Exception {}
/** 429 or 503, also after trying again: nothing was taken. */
class Overloaded extends Exception {}
/** Nobody knows: no answer, or 504 or another 5xx, also after trying again. Repeat it later under the same key. */
class OutcomeUnknown extends Exception {}

final class Client
{
    private const CODES = [
        'insufficient_stock' => InsufficientStock::class,
        'price_changed' => PriceChanged::class,
        'validation_failed' => ValidationFailed::class,
        'payment_failed' => PaymentFailed::class,
        'idempotency_key_reused' => IdempotencyKeyReused::class,
        'invalid_transition' => InvalidTransition::class,
    ];

    /** Statuses after which the same request may be sent again: nothing was taken, or the key tells what was. */
    private const AGAIN = [0, 429, 502, 503, 504];

    private readonly string $base;
    private ?\CurlHandle $curl = null;
    /** @var array<string, string> headers of the last answer, names in lower case */
    private array $headers = [];

    /**
     * @param string      $url            like `http://127.0.0.1:8080`
     * @param string|null $key            API key of scope `shop`, where the engine asks for one
     * @param int         $connectTimeout milliseconds for a connection
     * @param int         $timeout        milliseconds for one try; above the engine's server.request_timeout (10 s)
     * @param int         $tries          how often a request is sent at the most
     * @param int         $pause          milliseconds before the second try; doubled each time, and spread
     */
    public function __construct(
        string $url,
        #[\SensitiveParameter] private readonly ?string $key = null,
        private readonly int $connectTimeout = 1_000,
        private readonly int $timeout = 12_000,
        private readonly int $tries = 4,
        private readonly int $pause = 100,
    ) {
        $this->base = rtrim($url, '/');
    }

    /** A key that nobody else has: keep it with the cart before the checkout, and a crash of the shop does no harm. */
    public static function newKey(): string
    {
        return bin2hex(random_bytes(16));
    }

    /**
     * Buys a cart. The order as it was first answered, also when it is repeated.
     *
     * @param array<string, mixed> $cart `customer_id` and `items` at least
     * @return array<string, mixed>
     */
    public function checkout(array $cart, ?string $idempotencyKey = null): array
    {
        return $this->call('POST', '/v1/checkouts', $cart, $idempotencyKey ?? self::newKey());
    }

    /**
     * Buys many carts in one call, each on its own: the results stand in the order of the carts. Those without an
     * `idempotency_key` of their own go by the call's.
     *
     * @param list<array<string, mixed>> $carts 1 to 1,000
     * @return list<array<string, mixed>>
     */
    public function checkoutBatch(array $carts, ?string $idempotencyKey = null): array
    {
        $body = ['checkouts' => $carts];
        return $this->call('POST', '/v1/checkouts/batch', $body, $idempotencyKey ?? self::newKey())['results'];
    }

    /**
     * What a cart would cost; takes nothing.
     *
     * @param array<string, mixed> $cart
     * @return array<string, mixed>
     */
    public function quote(array $cart): array
    {
        return $this->call('POST', '/v1/quotes', $cart);
    }

    /** @return array<string, mixed> with `available` */
    public function product(int $id): array
    {
        return $this->call('GET', "/v1/products/$id");
    }

    /** @return array<string, mixed> */
    public function order(int $id): array
    {
        return $this->call('GET', "/v1/orders/$id");
    }

    /** @return list<array<string, mixed>> the history */
    public function events(int $orderId): array
    {
        return $this->call('GET', "/v1/orders/$orderId/events")['data'];
    }

    /**
     * Orders, newest first, page by page as they are read.
     *
     * @param array<string, int|string> $filter customer_id, seller_id, status, city, from, to, limit
     * @return \Generator<int, array<string, mixed>>
     */
    public function orders(array $filter = []): \Generator
    {
        $number = 0;
        do {
            $page = $this->call('GET', '/v1/orders' . ($filter ? '?' . http_build_query($filter) : ''));
            foreach ($page['data'] as $order) {
                yield $number++ => $order;
            }
            $filter['cursor'] = $page['next_cursor'];
        } while ($filter['cursor'] !== null);
    }

    /** Whether the last answer repeated an earlier one. */
    public function wasReplayed(): bool
    {
        return ($this->headers['idempotent-replayed'] ?? '') === 'true';
    }

    /** The id of the last request: what the engine's log knows it by. */
    public function requestId(): ?string
    {
        return $this->headers['x-request-id'] ?? null;
    }

    /**
     * Any call of the API. A POST that changes something wants a key: without one it is sent once only.
     *
     * @param array<string, mixed>|null $body
     * @return array<string, mixed>
     */
    public function call(string $method, string $path, ?array $body = null, ?string $idempotencyKey = null): array
    {
        $text = $body === null ? null : json_encode($body, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);
        $repeatable = in_array($method, ['GET', 'PUT'], true) || $idempotencyKey !== null || $path === '/v1/quotes';
        for ($try = 1; ; $try++) {
            [$status, $answer, $failure] = $this->send($method, $path, $text, $idempotencyKey);
            if ($status >= 200 && $status < 300) {
                return $answer;
            }
            $code = (string) ($answer['code'] ?? '');
            $again = in_array($status, self::AGAIN, true) || $code === 'idempotency_in_progress';
            if (!$again || !$repeatable || $try >= $this->tries) {
                throw self::exception($status, $code, $answer, $failure, $idempotencyKey);
            }
            $this->wait($try);
        }
    }

    /** @return array{int, array<string, mixed>, string} status (0: none), body, what went wrong on the way */
    private function send(string $method, string $path, ?string $body, ?string $idempotencyKey): array
    {
        $this->curl ??= curl_init();
        // Resets the options; the connection stays open.
        curl_reset($this->curl);
        $this->headers = [];
        $headers = ['accept: application/json', 'expect:'];
        if ($this->key !== null) {
            $headers[] = "authorization: Bearer $this->key";
        }
        if ($idempotencyKey !== null) {
            $headers[] = "idempotency-key: $idempotencyKey";
        }
        if ($body !== null) {
            $headers[] = 'content-type: application/json';
        }
        curl_setopt_array($this->curl, [
            CURLOPT_URL => $this->base . $path,
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_HTTPHEADER => $headers,
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_CONNECTTIMEOUT_MS => $this->connectTimeout,
            CURLOPT_TIMEOUT_MS => $this->timeout,
            CURLOPT_TCP_KEEPALIVE => 1,
            CURLOPT_NOSIGNAL => 1,
            CURLOPT_HEADERFUNCTION => function ($curl, string $line): int {
                [$name, $value] = array_pad(explode(':', $line, 2), 2, '');
                $this->headers[strtolower(trim($name))] = trim($value);
                return strlen($line);
            },
        ]);
        if ($body !== null) {
            curl_setopt($this->curl, CURLOPT_POSTFIELDS, $body);
        }
        $text = curl_exec($this->curl);
        if ($text === false) {
            return [0, [], curl_error($this->curl)];
        }
        $answer = json_decode((string) $text, true);
        return [curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE), is_array($answer) ? $answer : [], ''];
    }

    /** Longer each time, never all clients at once, and not before the engine wants it. */
    private function wait(int $try): void
    {
        $pause = $this->pause * 2 ** ($try - 1);
        $wanted = 1_000 * (int) ($this->headers['retry-after'] ?? 0);
        usleep(1_000 * max($wanted, random_int(intdiv($pause, 2), $pause)));
    }

    /** @param array<string, mixed> $problem */
    private static function exception(
        int $status,
        string $code,
        array $problem,
        string $failure,
        ?string $idempotencyKey,
    ): Exception {
        $class = self::CODES[$code] ?? match (true) {
            $status === 404 => NotFound::class,
            $status === 401, $status === 403 => NotAllowed::class,
            $status === 429, $status === 503 => Overloaded::class,
            $status === 402, $status === 409, $status === 422 => Refused::class,
            $status >= 400 && $status < 500 => BadRequest::class,
            default => OutcomeUnknown::class,
        };
        $detail = $problem['detail'] ?? ($failure !== '' ? $failure : 'no problem document');
        return new $class(
            trim("$status $code: $detail"),
            $status,
            $code,
            $problem['errors'] ?? [],
            $problem,
            $idempotencyKey,
        );
    }
}
