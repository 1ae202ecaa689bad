<?php
// Answers what PHP makes of values. One frame in, one frame out, over standard input and output:
// a frame is a uint32 count (little-endian), then for each string a uint32 length and its bytes;
// length 0xFFFFFFFF in an answer means that PHP refused. The first string of a question is the operation.
// The optional argument is a file that returns more operations.

declare(strict_types=1);
error_reporting(0);
ini_set('serialize_precision', '-1');
ini_set('precision', '14');
ini_set('memory_limit', '-1');

// A tagged tree of lists: ["m", [[key, value], ...]] a map, ["l", [value, ...]] a list, anything else itself.
function build($tagged, bool $objects) {
    if (!is_array($tagged)) return $tagged;
    if ($tagged[0] === 'l') { $list = []; foreach ($tagged[1] as $v) $list[] = build($v, $objects); return $list; }
    $map = [];
    foreach ($tagged[1] as [$k, $v]) $map[$k] = build($v, $objects);
    return $objects && array_is_list($map) ? (object) $map : $map;
}

function export($value): ?string {
    // A cycle, or an object shared inside an array reference, prints NULL with a warning: refuse it.
    $failed = false;
    set_error_handler(function () use (&$failed) { $failed = true; return true; });
    $text = var_export($value, true);
    restore_error_handler();
    return $failed ? null : $text;
}

function unserialized(string $data, array $options = []) {
    $value = unserialize($data, $options);
    if ($value === false && $data !== 'b:0;') throw new Exception('refused');
    return $value;
}

function tree(string $data): mixed { return json_decode($data, true, 4096); }

$operations = [
    'array serialize' => fn($data) => serialize(build(tree($data), false)),
    'object serialize' => fn($data) => serialize(build(tree($data), true)),
    'array var_export' => fn($data) => var_export(build(tree($data), false), true),
    'object var_export' => fn($data) => var_export(build(tree($data), true), true),
    'array json' => fn($data) => json_encode(build(tree($data), false), 0, 4096),
    'object json' => fn($data) => json_encode(build(tree($data), true), 0, 4096),
    'array jsonu' => fn($data) => json_encode(build(tree($data), false), JSON_UNESCAPED_UNICODE, 4096),
    'object jsonu' => fn($data) => json_encode(build(tree($data), true), JSON_UNESCAPED_UNICODE, 4096),
    'json_decode' => fn($data) => serialize(json_decode($data, true, 4096, JSON_THROW_ON_ERROR)),
    'unserialize' => fn($data) => serialize(unserialized($data)),
    'unserialize inert' => fn($data) => serialize(unserialized($data, ['allowed_classes' => ['stdClass']])),
    'unserialize var_export' => fn($data) => export(unserialized($data)),
    'unserialize json' => fn($data) => json_encode(unserialized($data), 0, 4096),
];
if (isset($argv[1])) $operations = array_merge($operations, require $argv[1]);

function read_exactly(int $n): string {
    $s = '';
    while (strlen($s) < $n) { $part = fread(STDIN, $n - strlen($s)); if ($part === '' || $part === false) exit(0); $s .= $part; }
    return $s;
}

while (true) {
    $count = unpack('V', read_exactly(4))[1];
    $strings = [];
    while ($count--) $strings[] = ($n = unpack('V', read_exactly(4))[1]) ? read_exactly($n) : '';
    $operation = $operations[array_shift($strings)] ?? exit(1);
    $out = pack('V', count($strings));
    foreach ($strings as $data) {
        try { $answer = $operation($data); } catch (Throwable) { $answer = null; }
        $out .= is_string($answer) ? pack('V', strlen($answer)) . $answer : pack('V', 0xFFFFFFFF);
    }
    fwrite(STDOUT, $out);
    fflush(STDOUT);
}
