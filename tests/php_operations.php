<?php
// What only this library's own tests ask a PHP: random values of its classes, the gateway's client, XML, eval.

declare(strict_types=1);

require __DIR__ . '/calls/strict_signature.php';

enum Suit: string { case Hearts = 'h'; case Spades = 's'; }
enum Level: int { case Low = 1; case High = 2; }
enum Unit { case Only; }
class Base { private $x; protected $y; public $z; public static $s = 1;
    function __construct($x = null, $y = null, $z = null) { $this->x = $x; $this->y = $y; $this->z = $z; } }
class Child extends Base { private $x; public $w;
    function fill($x, $w) { $this->x = $x; $this->w = $w; return $this; } }
class Mixed_ { public array $state = [];
    function __serialize(): array { return $this->state; }
    function __unserialize(array $state): void { $this->state = $state; } }

function random_php(int $depth, array &$pool, bool $plain) {
    $kind = mt_rand(0, $depth > 0 ? ($plain ? 14 : 17) : 8);
    switch ($kind) {
        case 0: return null;
        case 1: return (bool) mt_rand(0, 1);
        case 2: return mt_rand(-5, 5);
        case 3: return [PHP_INT_MIN, PHP_INT_MAX, 0, -1, 4000][mt_rand(0, 4)];
        case 4: return $plain ? mt_rand(1, 1000) / 7 : [NAN, INF, -INF, -0.0, 1e25, 1e16, 1e17, 1e-5, 0.1, 1.0][mt_rand(0, 9)];
        case 5: return ['', '0', '05', '-0', "a\0b", "it's", 'back\\slash', "Привет", "中文", "😀", "\n\t\r"][mt_rand(0, 10)];
        case 6: return $plain ? 'text' : ["\xff", "\xc3", "a\0\xfe", random_bytes_mt(4)][mt_rand(0, 3)];
        case 7: return $plain ? 7 : [Suit::Hearts, Suit::Spades, Level::Low, Unit::Only][mt_rand(0, 3)];
        case 8: return $pool && mt_rand(0, 1) ? $pool[mt_rand(0, count($pool) - 1)] : 'x' . mt_rand(0, 99);
        case 9: case 10: $list = []; for ($n = mt_rand(0, 4); $n; $n--) $list[] = random_php($depth - 1, $pool, $plain); return $list;
        case 11: case 12:
            $map = [];
            for ($n = mt_rand(0, 4); $n; $n--) {
                $keys = ['a', 'b', 'k' . mt_rand(0, 9), mt_rand(-3, 9), '05', '', "n\0l", "it's", PHP_INT_MIN];
                if (!$plain) $keys[] = "\xfe";
                $map[$keys[mt_rand(0, count($keys) - 1)]] = random_php($depth - 1, $pool, $plain);
            }
            return $map;
        case 13:
            $o = new stdClass; $pool[] = $o;
            for ($n = mt_rand(0, 3); $n; $n--) $o->{['a', 'b', '5', 'Ж'][mt_rand(0, 3)]} = random_php($depth - 1, $pool, $plain);
            return $o;
        case 14:
            $o = mt_rand(0, 1) ? new Base(1, 'p', random_php($depth - 1, $pool, $plain))
                : (new Child(1, [2], 'z'))->fill(random_php($depth - 1, $pool, $plain), 'w');
            $pool[] = $o;
            return $o;
        case 15: $o = new Mixed_; $pool[] = $o; $o->state = ['k' => 1, random_php($depth - 1, $pool, $plain), 'z']; return $o;
        case 16: $a = [random_php($depth - 1, $pool, $plain), 1]; $a[] = &$a[0]; $a['r'] = &$a[1]; return $a;
        default: $o = new stdClass; $pool[] = $o; $o->v = random_php($depth - 1, $pool, $plain); $o->r = &$o->v; return $o;
    }
}
// WordPress's rule, written from its description: what a cell begins and ends with says whether it is serialized.
function is_serialized_cell(string $cell): bool {
    $cell = trim($cell);
    if ($cell === 'N;') return true;
    if (strlen($cell) < 4 || $cell[1] !== ':' || !in_array($cell[-1], [';', '}'], true)) return false;
    if ($cell[0] === 's' && $cell[-2] !== '"') return false;
    if (str_contains('asOE', $cell[0])) return strspn($cell, '0123456789', 2) > 0 && $cell[2 + strspn($cell, '0123456789', 2)] === ':';
    $size = strspn($cell, '0123456789.E+-', 2);
    return str_contains('bid', $cell[0]) && $size > 0 && $size === strlen($cell) - 3 && $cell[-1] === ';';
}
// A value whose arrays and objects share references: each place may become a reference to any place before it.
function random_referring(string $seed): string {
    mt_srand((int) $seed);
    $pool = [];
    $root = mt_rand(0, 3) ? random_php(3, $pool, false) : (object) ['v' => random_php(2, $pool, false)];
    if (!is_array($root) && !is_object($root)) $root = [$root, $root];
    $places = [];
    foreach ([$pool, is_object($root) ? [] : [&$root]] as $group)
        foreach ($group as &$one) if (is_array($one)) collect($one, $places, 0);
    unset($one);
    foreach ($pool as $object) if ($object instanceof stdClass || $object instanceof Base) collect_object($object, $places);
    if ($root instanceof stdClass) collect_object($root, $places);
    for ($n = mt_rand(1, 6); $n && $places; $n--) {
        [$to, $from] = [mt_rand(0, count($places) - 1), mt_rand(0, count($places) - 1)];
        $holder = &$places[$to]['in']; $name = $places[$to]['at'];
        $target = &$places[$from]['in']; $other = $places[$from]['at'];
        if (!is_array($target) && !is_object($target)) continue;  // overwritten meanwhile
        if (is_object($target)) { if (!property_exists($target, (string) $other)) continue; $value = &$target->$other; }
        else { if (!array_key_exists($other, $target)) continue; $value = &$target[$other]; }
        if (mt_rand(0, 9) == 0) $value = mt_rand(0, 1) ? $root : ($pool[0] ?? 1);
        if (is_object($holder)) $holder->$name = &$value;
        elseif (is_array($holder)) $holder[mt_rand(0, 1) ? $name : 'ref' . $n] = &$value;
        unset($holder, $target, $value);
    }
    return serialize($root);
}
function collect(array &$array, array &$places, int $depth): void {
    foreach (array_keys($array) as $key) {
        $places[] = ['in' => &$array, 'at' => $key];
        if (is_array($array[$key]) && $depth < 4) collect($array[$key], $places, $depth + 1);
    }
}
function collect_object(object $object, array &$places): void {
    foreach (array_keys(get_object_vars($object)) as $name) {
        $places[] = ['in' => $object, 'at' => $name];
        if (is_array($object->$name)) collect($object->$name, $places, 1);
    }
}
// What tagged JSON has to hold: properties of every visibility, also of one name, uninitialised ones, references and
// cycles anywhere, payloads, and names that look like tags.
class Parent_ { private $x; protected $y; public $z; public int $unset; private $_p;
    function fill(array $values) { [$this->x, $this->y, $this->z, $this->_p] = $values; return $this; }
    function refer(&$value) { if (mt_rand(0, 1)) $this->x = &$value; else $this->y = &$value; } }
class Heir extends Parent_ { private $x = 1; protected ?array $none; public readonly int $fixed;
    function fill(array $values) { $this->x = $values[1]; if (mt_rand(0, 1)) $this->fixed = 5; return parent::fill($values); } }
class OpenHeir extends Parent_ { public $x = 'public'; protected $z_ = 2; }
class LastHeir extends Heir { protected $x = 'protected'; private $_p = 'own'; }
class Payload implements Serializable { public string $data = '';
    function serialize() { return $this->data; } function unserialize($data) { $this->data = $data; } }

function tagged_key(): string {
    return ['@', '@@', '@class', '@id', '@object', '@int', '@float', '@base64', '@enum', '@reference', '@value', '@payload',
        '@visibility', '@base64:YQ==', '@int:5', '@public:a', '@protected:a', '@private:A:a', 'a', 'x', '5', '05', 'Ж', "it's", ''][mt_rand(0, 24)];
}
function tagged_scalar() {
    switch (mt_rand(0, 9)) {
        case 0: return [null, true, false][mt_rand(0, 2)];
        case 1: return mt_rand(-9, 9);
        case 2: return [PHP_INT_MIN, PHP_INT_MAX, 2 ** 53, 2 ** 53 - 1, -2 ** 53, 1 - 2 ** 53, 2 ** 53 + 1][mt_rand(0, 6)];
        case 3: return [NAN, INF, -INF, -0.0, 0.0, 1.0, -5.0, 1e25, 1e15, 1e16, 1e-7, 5e-324, 1.7976931348623157e308][mt_rand(0, 12)];
        case 4: return mt_rand() / 7 * 10 ** mt_rand(-30, 30);
        case 5: return random_bytes_mt(mt_rand(0, 4));
        case 6: return [Suit::Hearts, Suit::Spades, Level::Low, Unit::Only][mt_rand(0, 3)];
        case 7: return tagged_key();
        default: return ["a\0b", "\r\n\t", "\u{2028}\u{ffff}", 'Привет', '😀', '@class', 'back\\slash"', ''][mt_rand(0, 7)];
    }
}
function tagged_value(int $depth, array &$pool, array &$boxes) {
    $kind = $depth ? mt_rand(0, 9) : 0;
    if ($pool && mt_rand(0, 7) == 0) return $pool[mt_rand(0, count($pool) - 1)];
    if ($kind < 3) return tagged_scalar();
    $names = [];
    for ($n = mt_rand(0, 4); $n; $n--) $names[] = mt_rand(0, 3) ? tagged_key() : (mt_rand(0, 1) ? 'p' . mt_rand(0, 9) : "\xfe");
    if ($kind < 7) {
        $array = [];
        if (mt_rand(0, 9) == 0) $boxes[] = &$array;
        foreach ($names as $at => $name) {
            $key = $kind < 5 ? $at : (mt_rand(0, 2) ? $name : mt_rand(-3, 9));
            $value = tagged_value($depth - 1, $pool, $boxes);
            if (!is_array($array)) break;  // set meanwhile, by what refers to it
            if ($boxes && mt_rand(0, 4) == 0) $array[$key] = &$boxes[mt_rand(0, count($boxes) - 1)];
            else $array[$key] = $value;
            if (is_array($array) && mt_rand(0, 9) == 0) $boxes[] = &$array[$key];
        }
        return $array;
    }
    if ($kind < 8) {
        $object = new Mixed_; $pool[] = $object;
        foreach ($names as $at => $name) $object->state[mt_rand(0, 1) ? $at : $name] = tagged_value($depth - 1, $pool, $boxes);
        return $object;
    }
    $class = ['stdClass', 'Parent_', 'Heir', 'OpenHeir', 'LastHeir'][mt_rand(0, 4)];
    $object = new $class; $pool[] = $object;
    if ($object instanceof Parent_) {
        $object->fill(array_map(fn() => tagged_value($depth - 1, $pool, $boxes), range(0, 3)));
        if ($boxes && mt_rand(0, 3) == 0) $object->refer($boxes[mt_rand(0, count($boxes) - 1)]);
    }
    foreach ($object instanceof Parent_ && mt_rand(0, 3) ? [] : $names as $name) {
        if (!$object instanceof stdClass && property_exists($object, $name)) continue;
        $object->$name = tagged_value($depth - 1, $pool, $boxes);
        if (mt_rand(0, 9) == 0) $boxes[] = &$object->$name;
    }
    return $object;
}
function random_tagged(string $seed): string {
    mt_srand((int) $seed);
    $pool = $boxes = [];
    $root = tagged_value(3, $pool, $boxes);
    if (mt_rand(0, 19)) return serialize($root);
    // Nothing is shared after a payload.
    $payload = new Payload; $payload->data = mt_rand(0, 1) ? tagged_key() : random_bytes_mt(5);
    return serialize(mt_rand(0, 3) ? [$root, $payload] : $payload);
}
function random_bytes_mt(int $n): string { $s = ''; while ($n--) $s .= chr(mt_rand(0, 255)); return $s; }

function xml_tree(SimpleXMLElement $e) {
    if (!count($e->children())) return (string) $e;
    $out = [];
    foreach ($e->children() as $name => $child) $out[] = [$name, (string) $child['key'], (string) $child['type'], xml_tree($child)];
    return $out;
}

function parsed(string $query): ?string {
    // Parameters that PHP drops with a warning: no answer then.
    $dropped = false;
    set_error_handler(function () use (&$dropped) { $dropped = true; return true; });
    parse_str($query, $result);
    restore_error_handler();
    return $dropped ? null : serialize($result);
}

function signature(string $data): string {
    // The secret, a newline, and the query string of a call: what the gateway's own client makes of them.
    [$secret, $query] = explode("\n", $data, 2);
    parse_str($query, $params);
    foreach (['sign', 'secret', 'cache', 'lang', 'result_type'] as $name) unset($params[$name]);
    ksort($params);
    $text = '';
    foreach ($params as $name => $value) if (substr($value, 0, 1) !== '@') $text .= $name . $value;
    return strtoupper(md5($secret . $text . $secret));
}

function strict(string $data): string {
    // The secret, the nonce, the API's type and the query string of a call, a line each.
    [$secret, $nonce, $api_type, $query] = explode("\n", $data, 4);
    parse_str($query, $params);
    return strict_signature($api_type, $params, $secret, $nonce);
}

function client_key(string $data): string {
    [$api_name, $query] = explode("\n", $data, 2);
    parse_str($query, $params);
    return md5($api_name . '_' . implode(',', $params));
}

function simplexml(string $data): ?string {
    libxml_clear_errors();
    libxml_use_internal_errors(true);
    $root = simplexml_load_string($data);
    return $root === false ? null : json_encode(xml_tree($root), JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES, 4096);
}

function simplexml_json(string $data): ?string {
    // Without comments and processing instructions, which SimpleXML shows as members.
    libxml_clear_errors();
    libxml_use_internal_errors(true);
    $document = new DOMDocument;
    if (!$document->loadXML($data)) return null;
    $passed = (new DOMXPath($document))->query('//comment() | //processing-instruction()');
    foreach ($passed as $node) $node->parentNode->removeChild($node);
    $root = simplexml_load_string(count($passed) ? $document->saveXML() : $data, SimpleXMLElement::class, LIBXML_NOCDATA);
    return $root === false ? null : json_encode($root, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES, 4096);
}

function elements(string $data): ?string {
    libxml_clear_errors();
    libxml_use_internal_errors(true);
    $reader = XMLReader::XML($data);
    $count = 0;
    while ($reader->read()) $count += $reader->nodeType === XMLReader::ELEMENT;
    return libxml_get_last_error() ? null : (string) $count;
}

class Restored { static function __set_state(array $state) { $o = new self; foreach ($state as $k => $v) $o->$k = $v; return $o; } }
// As in formats/var_export/php_operators.py.
const ENVIRONMENT = ['TEN' => 10, 'TEXT' => 'a,b', 'NUMBER' => ' 12', 'HALF' => 0.5, 'NO' => false, 'NONE' => null,
    'LIST' => [1, 'x'], 'MAP' => ['k' => 'v', 7 => [1]], 'EMPTY' => '', '名' => 'é'];
function env($name, $default = null) { return is_string($name) ? ENVIRONMENT[$name] ?? $default : $default; }

function included(string $data): string {
    // What a PHP file returns; without a return, its variables, then its constants.
    $GLOBALS['included'] = tempnam(sys_get_temp_dir(), 'php');
    file_put_contents($GLOBALS['included'], $data);
    $before = get_defined_constants(true)['user'] ?? [];
    ob_start();  // for text around the code
    try {
        [$value, $variables] = (function () { return [(include $GLOBALS['included']), get_defined_vars()]; })();
    } finally {
        ob_end_clean();
        unlink($GLOBALS['included']);
    }
    $all = $variables + array_diff_key(get_defined_constants(true)['user'] ?? [], $before);
    return serialize($value === 1 && $all ? $all : $value);
}

$_ENV['MODE'] = 'prod';
function storage_path(string $path): string { return "/srv/storage/$path"; }
class Texts { static function slug(string $text, string $separator): string { return str_replace(' ', $separator, strtolower($text)); } }
class_alias(Texts::class, 'Illuminate\\Support\\Str');

function random(string $seed, bool $plain): string {
    mt_srand((int) $seed);
    $pool = [];
    return serialize(random_php(4, $pool, $plain));
}

class NoStore implements SessionHandlerInterface {
    function open($path, $name): bool { return true; }
    function close(): bool { return true; }
    function read($id): string { return ''; }
    function write($id, $data): bool { return true; }
    function destroy($id): bool { return true; }
    function gc($lifetime): int { return 0; } }

function in_session(string $handler, array $variables): void {
    if (session_status() === PHP_SESSION_ACTIVE) session_abort();
    foreach (['serialize_handler' => $handler, 'use_cookies' => '0', 'cache_limiter' => ''] as $name => $value) ini_set("session.$name", $value);
    session_set_save_handler(new NoStore, false);
    session_start();
    $_SESSION = $variables;
}
// PHP writes no session without variables, and says false; so it does for names that it refuses.
function session_encoded(string $handler, array $variables): ?string {
    in_session($handler, $variables);
    $text = session_encode();
    return $text === false ? ($variables ? null : '') : $text;
}
function session_decoded(string $handler, string $data): ?string {
    in_session($handler, []);
    return session_decode($data) ? serialize($_SESSION) : null;
}
function random_session(string $handler, string $seed): ?string {
    mt_srand((int) $seed);
    $pool = $variables = [];
    for ($n = mt_rand(0, 4); $n; $n--)
        $variables[['a', 'b', '!c', '05', '', "n\0l", 'ключ', "\xfe", str_repeat('x', 127)][mt_rand(0, 8)]] = random_php(3, $pool, false);
    if (mt_rand(0, 1)) $variables['all'] = $pool;
    return session_encoded($handler, $variables);
}

function after_flags(string $data): string { return explode("\n", $data, 2)[1]; }
function flags(string $data): int { return array_sum(array_map(constant(...), array_filter(explode('|', explode("\n", $data, 2)[0])))); }
// A charset's name, a line feed, and text in it: in UTF-8; none if it does not fit.
function mb_decoded(string $data): string {
    [$charset, $text] = explode("\n", $data, 2);
    mb_substitute_character(0xfffd);
    return mb_convert_encoding($text, 'UTF-8', $charset);
}
function iconv_decoded(string $data): ?string {
    [$charset, $text] = explode("\n", $data, 2);
    $decoded = @iconv($charset, 'UTF-8', $text);
    return $decoded === false ? null : $decoded;
}

return [
    'mb decode' => mb_decoded(...),
    'iconv decode' => iconv_decoded(...),
    'php random' => fn($seed) => random_session('php', $seed),
    'php_binary random' => fn($seed) => random_session('php_binary', $seed),
    'php encode' => fn($data) => session_encoded('php', unserialize($data)),
    'php_binary encode' => fn($data) => session_encoded('php_binary', unserialize($data)),
    'php decode' => fn($data) => session_decoded('php', $data),
    'php_binary decode' => fn($data) => session_decoded('php_binary', $data),
    'is serialized' => fn($data) => is_serialized_cell($data) ? '1' : '0',
    'eval' => fn($data) => serialize(eval('return ' . $data . ';')),
    'include' => included(...),
    'parse_str' => parsed(...),
    'sign' => signature(...),
    // Serialized names, in order.
    'ksort' => function ($data) { $array = array_flip(unserialize($data)); ksort($array); return serialize(array_map(strval(...), array_keys($array))); },
    'sign strictly' => strict(...),
    'client cache key' => client_key(...),
    'http_build_query' => fn($data) => http_build_query(unserialize($data)),
    'http_build_query rfc3986' => fn($data) => http_build_query(unserialize($data), '', null, PHP_QUERY_RFC3986),
    // Names of flags with | between them, a line feed, then a tagged value or a document.
    'array json_encode' => fn($data) => json_encode(build(tree(after_flags($data)), false), flags($data), 4096),
    'object json_encode' => fn($data) => json_encode(build(tree(after_flags($data)), true), flags($data), 4096),
    'json_decode flags' => fn($data) => serialize(json_decode(after_flags($data), true, 4096, flags($data) | JSON_THROW_ON_ERROR)),
    'random' => fn($data) => random($data, false),
    'random references' => random_referring(...),
    'random tagged' => random_tagged(...),
    'random plain' => fn($data) => random($data, true),
    'simplexml' => simplexml(...),
    'simplexml json' => simplexml_json(...),
    'xmlreader' => elements(...),
];
