<?php
// Random objects of PHP's own classes: each is asked for by its class and a seed, and answered as it is serialized.

declare(strict_types=1);

class Plain { public $a = 1; protected $b = 2; private $c = 3; public $d; }

function scalar() {
    return [null, true, mt_rand(-9, 99), mt_rand(1, 1000) / 8, '', 'x' . mt_rand(0, 9), "Ж/\u{2028}", 1.0, -0.0][mt_rand(0, 8)];
}
function value(int $depth, array &$pool) {
    $kind = mt_rand(0, $depth > 0 ? 12 : 4);
    if ($kind < 4) return scalar();
    if ($kind == 4) return $pool && mt_rand(0, 3) == 0 ? $pool[array_rand($pool)] : 'none';
    if ($kind < 7) return items($depth, $pool);
    if ($kind == 7) { $a = [scalar(), scalar()]; $a['r'] = &$a[0]; return $a; }
    if ($kind == 8) { $o = new Plain; $o->d = value($depth - 1, $pool); return $o; }
    if ($kind == 9) return (object) items($depth, $pool);
    return made(array_rand(CLASSES), $depth - 1, $pool);
}
function items(int $depth, array &$pool): array {
    $items = [];
    $is_list = mt_rand(0, 1);
    for ($n = mt_rand(0, 4); $n; $n--) {
        $value = value($depth - 1, $pool);
        if ($is_list) $items[] = $value;
        else $items[['a', 'b', '05', '', "\0*\0p", "n\0l", mt_rand(-2, 5), 'x'][mt_rand(0, 7)]] = $value;
    }
    return $items;
}
function zone(): DateTimeZone {
    $names = ['Europe/Berlin', 'UTC', 'America/St_Johns', 'Asia/Kathmandu', '+02:00', '-11:30', '+00:00', '+05:45:10', 'EST', 'CEST', 'Z'];
    return new DateTimeZone($names[mt_rand(0, 10)]);
}
function moment(string $class): DateTimeInterface {
    $text = sprintf('%04d-%02d-%02d %02d:%02d:%02d.%06d', mt_rand(-50, 9999), mt_rand(1, 12), mt_rand(1, 28), mt_rand(0, 23),
        mt_rand(0, 59), mt_rand(0, 59), mt_rand(0, 3) ? 0 : mt_rand(0, 999999));
    return new $class($text[0] === '-' ? '-0' . substr($text, 1) : $text, zone());
}
function interval(): DateInterval {
    switch (mt_rand(0, 3)) {
        case 0: return new DateInterval(['P1Y2M3DT4H5M6S', 'P2W', 'PT36H', 'P0D', 'P1M'][mt_rand(0, 4)]);
        case 1: return moment('DateTime')->diff(moment('DateTimeImmutable'));
        case 2: return DateInterval::createFromDateString(['1 day', 'first day of next month', 'last weekday', '3 weeks ago'][mt_rand(0, 3)]);
        default: $i = new DateInterval('P1D'); $i->f = mt_rand(0, 999999) / 1e6; $i->invert = mt_rand(0, 1); return $i;
    }
}
function period(): DatePeriod {
    $start = moment(['DateTime', 'DateTimeImmutable'][mt_rand(0, 1)]);
    $options = mt_rand(0, 3);
    $step = new DateInterval(['P1D', 'PT7H', 'P1M'][mt_rand(0, 2)]);
    $period = mt_rand(0, 1) ? new DatePeriod($start, $step, mt_rand(1, 9), $options)
        : new DatePeriod($start, $step, (clone $start)->modify('+9 days'), $options);
    if (mt_rand(0, 3) == 0) foreach ($period as $date) break;
    return $period;
}
function arrays(string $class, int $depth, array &$pool): object {
    $flags = [0, 0, 0, 1, 2, 3][mt_rand(0, 5)];
    switch (mt_rand(0, 7)) {
        case 0: return new $class((object) items($depth, $pool), $flags);
        case 1: return new $class(new Plain, $flags);
        case 2: return new $class(arrays(['ArrayObject', 'ArrayIterator'][mt_rand(0, 1)], $depth - 1, $pool), $flags);
        case 3: $held = dynamic(new ArrayObject(items($depth, $pool))); $made = new $class($held); $held->setFlags($flags); return $made;
        case 4: return new $class(dynamic([new SplObjectStorage, new SplStack, moment('DateTime')][mt_rand(0, 2)]), $flags);
        case 5: if ($class === 'ArrayObject') { $o = dynamic(new ArrayObject([])); $o->exchangeArray($o); return $o; }
    }
    return new $class(items($depth, $pool), $flags);
}
function dynamic(object $object): object {
    if (mt_rand(0, 2) == 0 && !$object instanceof DatePeriod) foreach (['dyn', '5', 'a'] as $name) if (mt_rand(0, 1)) $object->$name = scalar();
    return $object;
}
function listed(object $list, int $depth, array &$pool): object {
    foreach (items($depth, $pool) as $item) $list[] = $item;
    return $list;
}
function stored(int $depth, array &$pool): SplObjectStorage {
    $storage = new SplObjectStorage;
    for ($n = mt_rand(0, 3); $n; $n--) $storage[$pool && mt_rand(0, 1) ? $pool[array_rand($pool)] : new Plain] = value($depth - 1, $pool);
    return $storage;
}
const CLASSES = ['ArrayObject' => 1, 'ArrayIterator' => 1, 'RecursiveArrayIterator' => 1, 'SplObjectStorage' => 1, 'SplFixedArray' => 1,
    'SplDoublyLinkedList' => 1, 'SplQueue' => 1, 'SplStack' => 1, 'DateTime' => 1, 'DateTimeImmutable' => 1, 'DateTimeZone' => 1,
    'DateInterval' => 1, 'DatePeriod' => 1, 'stdClass' => 1, 'Exception' => 1];
function made(string $class, int $depth, array &$pool): object {
    $object = match ($class) {
        'ArrayObject', 'ArrayIterator', 'RecursiveArrayIterator' => arrays($class, $depth, $pool),
        'SplObjectStorage' => stored($depth, $pool),
        'SplFixedArray' => SplFixedArray::fromArray(array_values(items($depth, $pool))),
        'SplDoublyLinkedList', 'SplQueue', 'SplStack' => listed(new $class, $depth, $pool),
        'DateTime', 'DateTimeImmutable' => moment($class),
        'DateTimeZone' => zone(),
        'DateInterval' => interval(),
        'DatePeriod' => period(),
        'stdClass' => (object) items($depth, $pool),
        'Exception' => new LogicException('why', 3),
    };
    $pool[] = $object = dynamic($object);
    return $object;
}

return [
    'object' => function ($data) {
        [$class, $seed] = explode(' ', $data);
        mt_srand((int) $seed);
        $pool = [];
        if (mt_rand(0, 1)) value(3, $pool);
        return serialize(made($class, 3, $pool));
    },
    'classes' => fn($data) => implode(' ', array_keys(CLASSES)),
    'read' => fn($data) => serialize(unserialize($data)),
];
